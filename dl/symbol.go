package dl

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/layers"
)

// Symbol stands for a tensor that a model will compute: an input, or the output of a
// layer. It knows its shape, and how it comes about; Keras calls it a KerasTensor.
//
//	image := dl.Input(layers.Shape{28, 28, 1})
//	x := image.Then(layers.Flatten{}, layers.Dense{Units: 64, Activation: activations.ReLU})
//	y := dl.Apply(layers.Concatenate{}, x, image.Then(layers.Flatten{}))
//	m, err := dl.Functional([]*dl.Symbol{image}, []*dl.Symbol{y})
//
// A mistake in a layer does not stop the program where it is made. The symbol holds
// it, so do those that are made of it, and Functional returns it.
type Symbol struct {
	shape layers.Shape
	from  *call
	err   error
}

// call is a layer that is applied to symbols.
type call struct {
	layer *Layer
	in    []*Symbol
	out   []*Symbol
	spec  layers.Spec
}

// Shape is the shape of one example.
func (s *Symbol) Shape() layers.Shape { return s.shape }

// Err is the mistake that was made on the way to the symbol; nil if there was none.
func (s *Symbol) Err() error { return s.err }

// Origin returns the layer that computes the symbol, the symbols that it is applied to,
// and which of its outputs the symbol is: for who goes through a model.
func (s *Symbol) Origin() (l *Layer, in []*Symbol, output int) {
	if s.from == nil {
		return nil, nil, 0
	}
	return s.from.layer, slices.Clone(s.from.in), slices.Index(s.from.out, s)
}

// String tells the shape and the layer that computes it.
func (s *Symbol) String() string {
	if s.err != nil {
		return fmt.Sprintf("Symbol with a mistake: %v", s.err)
	}
	return fmt.Sprintf("Symbol %v of %s", s.shape, s.from.layer)
}

// Input makes the symbol of a model's input.
//
// Source: https://keras.io/api/layers/core_layers/input/
func Input(shape layers.Shape) *Symbol { return InputOf(layers.Input{Shape: shape}) }

// InputOf is Input with what else an input can say of itself: its name, or the batch
// size that stateful layers need.
func InputOf(in layers.Input) *Symbol {
	out, err := apply(NewLayer(in))
	if err != nil {
		return &Symbol{err: err}
	}
	return out[0]
}

// Apply applies a layer to symbols and returns the symbol of its output. A layer
// that is given as a value is a new one each time, with weights of its own; a *Layer
// or a *Model is the same, with the same weights, wherever it is applied.
func Apply(l layers.Layer, in ...*Symbol) *Symbol {
	out, err := apply(NewLayer(l), in...)
	if err == nil && len(out) != 1 {
		err = fmt.Errorf("%s: expected a layer of one output, got one of %d; use ApplyAll", out[0].from.layer, len(out))
	}
	if err != nil {
		return &Symbol{err: err}
	}
	return out[0]
}

// ApplyAll is Apply for layers of several outputs.
func ApplyAll(l layers.Layer, in ...*Symbol) (_ []*Symbol, err error) {
	defer edge(&err)
	return apply(NewLayer(l), in...)
}

// Then applies layers to the symbol, each to the output of the one before.
func (s *Symbol) Then(stack ...layers.Layer) *Symbol {
	for _, l := range stack {
		s = Apply(l, s)
	}
	return s
}

func apply(l *Layer, in ...*Symbol) ([]*Symbol, error) {
	c := &call{layer: l, in: in}
	shapes := make([]layers.Shape, len(in))
	for i, s := range in {
		if s == nil {
			return nil, fmt.Errorf("%s: expected a symbol as input %d, got nil", l, i)
		}
		if s.err != nil {
			return nil, s.err
		}
		if s.from == nil {
			return nil, fmt.Errorf("%s: expected symbols that Input or Apply made, got an empty one", l)
		}
		shapes[i] = s.shape
	}
	if l.Layer == nil {
		return nil, errors.New("expected a layer to apply, got nil")
	}
	input := asInput(l.Layer)
	if (input != nil) != (len(in) == 0) {
		return nil, fmt.Errorf("%s: expected at least one symbol to apply a layer to, and none for layers.Input, got %d", l, len(in))
	}
	spec, err := l.build(shapes)
	if err != nil {
		return nil, err
	}
	lock.Lock()
	defer lock.Unlock()
	c.spec = spec
	for _, shape := range spec.All() {
		c.out = append(c.out, &Symbol{shape: shape, from: c})
	}
	l.calls = append(l.calls, c)
	return c.out, nil
}

// asInput returns the layer if it is an Input, by value or by pointer.
func asInput(l layers.Layer) *layers.Input {
	switch in := l.(type) {
	case layers.Input:
		return &in
	case *layers.Input:
		return in
	}
	return nil
}
