package dl

import (
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/network"
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
// Package ops computes with symbols as with numbers.
//
// A mistake in a layer does not stop the program where it is made. The symbol holds
// it, so do those that are made of it, and Functional returns it.
type Symbol struct {
	s   *network.Symbol
	err error
}

func symbolOf(s *network.Symbol) *Symbol {
	return s.Face.Get(func() any { return &Symbol{s: s} }).(*Symbol)
}

func symbolsOf(all []*network.Symbol) (out []*Symbol) {
	for _, s := range all {
		out = append(out, symbolOf(s))
	}
	return out
}

// Shape is the shape of one example; nil of a symbol with a mistake.
func (s *Symbol) Shape() layers.Shape {
	if s.s == nil {
		return nil
	}
	return s.s.Shape
}

// Err is the mistake that was made on the way to the symbol; nil if there was none.
func (s *Symbol) Err() error { return typed(s.err, s.err) }

// Origin returns the layer that computes the symbol, the symbols that it is applied to,
// and which of its outputs the symbol is: for whoever goes through a model.
func (s *Symbol) Origin() (l *Layer, in []*Symbol, output int) {
	if s.s == nil {
		return nil, nil, 0
	}
	c := s.s.From
	return layerOf(c.Layer), symbolsOf(c.In), slices.Index(c.Out, s.s)
}

// String tells the shape and the layer that computes it.
func (s *Symbol) String() string {
	switch {
	case s.err != nil:
		return fmt.Sprintf("Symbol with a mistake: %v", s.err)
	case s.s == nil:
		return "Symbol of nothing"
	}
	return fmt.Sprintf("Symbol %v of %s", s.s.Shape, s.s.From.Layer)
}

// Input makes the symbol of a model's input.
//
// Source: https://keras.io/api/layers/core_layers/input/
func Input(shape layers.Shape) *Symbol { return InputOf(layers.Input{Shape: shape}) }

// InputOf is Input with what else an input can say of itself: its name, or the batch
// size that stateful layers need.
func InputOf(in layers.Input) *Symbol { return Apply(in) }

// Apply applies a layer to symbols and returns the symbol of its output. A layer
// that is given as a value is a new one each time, with weights of its own; a *Layer
// or a *Model is the same, with the same weights, wherever it is applied.
func Apply(l layers.Layer, in ...*Symbol) *Symbol {
	out, err := apply(l, in)
	if err == nil && len(out) != 1 {
		err = fmt.Errorf("%s: expected a layer of one output, got one of %d; use ApplyAll", out[0].From.Layer, len(out))
	}
	if err != nil {
		return &Symbol{err: err}
	}
	return symbolOf(out[0])
}

// ApplyAll is Apply for layers of several outputs.
func ApplyAll(l layers.Layer, in ...*Symbol) ([]*Symbol, error) {
	out, err := apply(l, in)
	return symbolsOf(out), edge(err)
}

func apply(l layers.Layer, in []*Symbol) ([]*network.Symbol, error) {
	p := placed(l)
	var nodes []*network.Symbol
	for i, s := range in {
		switch {
		case s == nil:
			return nil, fmt.Errorf("%s: expected a symbol as input %d, got nil", p, i)
		case s.err != nil:
			return nil, s.err
		case s.s == nil:
			return nil, fmt.Errorf("%s: expected symbols that Input or Apply made, got an empty one", p)
		}
		nodes = append(nodes, s.s)
	}
	return network.Apply(p, nodes...)
}

// Then applies layers to the symbol, each to the output of the one before.
func (s *Symbol) Then(stack ...layers.Layer) *Symbol {
	for _, l := range stack {
		s = Apply(l, s)
	}
	return s
}
