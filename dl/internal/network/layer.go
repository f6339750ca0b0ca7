package network

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/layers"
)

// Layer is a layer in its place: its configuration, with a name and the weights that belong to
// it.
type Layer struct {
	// Config is the configuration; a *Network for a model that is a layer.
	Config layers.Layer
	// Name is "" until a network gives one; Named says that the configuration does.
	Name      string
	Named     bool
	Trainable bool
	Spec      layers.Spec
	// DType is the type in which the layer computes; zero is the network's.
	DType dtypes.DType
	// In are the shapes of the first call; nil until then.
	In []layers.Shape
	// Weights are those of Spec; nil until a network needs them.
	Weights []*Variable
	// Calls are the layer's applications, in order.
	Calls []*Call
	// Lock guards the layer.
	Lock *Lock
	// Face is what stands for the layer elsewhere.
	Face Face
}

// Face holds what stands for a value of this package in another, so that there is one.
type Face struct {
	once sync.Once
	face any
}

// Get returns the face, which is made the first time.
func (f *Face) Get(create func() any) any {
	f.once.Do(func() { f.face = create() })
	return f.face
}

// NewLayer makes a layer that can be applied in several places. A configuration of nil is
// reported when it is. Of a network there is one layer, which is returned each time: it has its
// weights in each place.
func NewLayer(l layers.Layer) *Layer {
	if n, ok := l.(*Network); ok && n != nil {
		return n.layer.Get(func() any { return newLayer(n) }).(*Layer)
	}
	return newLayer(l)
}

func newLayer(l layers.Layer) *Layer {
	placed := &Layer{Trainable: true, Lock: NewLock()}
	if IsNil(l) {
		return placed
	}
	placed.Config = l
	if n, ok := l.(*Network); ok {
		placed.Lock = n.Lock
	}
	placed.Name, placed.Named = givenName(l)
	return placed
}

// IsNil says whether there is no layer: nil, or a pointer that is.
func IsNil(l layers.Layer) bool {
	v := reflect.ValueOf(l)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// AsInput returns a layer if it is an Input, by value or by pointer.
func AsInput(l layers.Layer) *layers.Input {
	switch in := l.(type) {
	case layers.Input:
		return &in
	case *layers.Input:
		return in
	}
	return nil
}

// Nested returns the network that the layer is; nil for other layers.
func (l *Layer) Nested() *Network {
	n, _ := l.Config.(*Network)
	return n
}

// Type is the name of the layer's type: "Dense".
func (l *Layer) Type() string {
	if n := l.Nested(); n != nil {
		return string(n.Kind)
	}
	if AsInput(l.Config) != nil {
		return "InputLayer"
	}
	if n, ok := l.Config.(layers.KerasNamer); ok {
		class, _ := n.KerasName()
		return class
	}
	return reflect.Indirect(reflect.ValueOf(l.Config)).Type().Name()
}

// String is the layer's name and type, by which errors speak of it.
func (l *Layer) String() string {
	if l.Config == nil {
		return "layer"
	}
	if l.Name == "" {
		return fmt.Sprintf("layer %q (%s)", l.baseName(), l.Type())
	}
	return fmt.Sprintf("layer %q (%s)", l.Name, l.Type())
}

// build is called for each application of the layer, while nothing is locked.
func (l *Layer) build(in []layers.Shape) (layers.Spec, error) {
	spec, err := BuildOf(l.Config, in)
	if err != nil {
		err = fmt.Errorf("%s: %w", l, err)
		if shape := new(fault.ShapeError); errors.As(err, &shape) {
			err = &fault.ShapeError{Layer: l.Name, Expected: shape.Expected, Got: shape.Got, Text: err.Error()}
		}
		return spec, err
	}
	for _, w := range spec.Weights { // a network inside another layer
		if v, ok := w.Tied.(*Variable); ok && v.lock != nil {
			Join(l.Lock, v.lock)
		}
	}
	l.Lock.Lock()
	defer l.Lock.Unlock()
	if l.In == nil {
		l.In, l.Spec = append([]layers.Shape{}, in...), spec
		return spec, nil
	}
	same := len(spec.Weights) == len(l.Spec.Weights)
	for i := 0; same && i < len(spec.Weights); i++ {
		same = spec.Weights[i].Shape.Equal(l.Spec.Weights[i].Shape)
	}
	if !same {
		return spec, &fault.ShapeError{
			Layer: l.Name, Expected: l.In[0], Got: in[0], Text: fmt.Sprintf("%s: its weights are for input of shape %v, got %v", l, l.In, in),
		}
	}
	return spec, nil
}

// BuildOf builds a layer for inputs of these shapes.
func BuildOf(l layers.Layer, in []layers.Shape) (layers.Spec, error) {
	if m, ok := config.As[layers.Multi](l); ok {
		return m.BuildAll(in)
	}
	switch {
	case len(in) > 1:
		return layers.Spec{}, fmt.Errorf("expected one input, got %d", len(in))
	case len(in) == 0: // layers.Input
		return l.Build(nil)
	}
	return l.Build(in[0])
}

// fill makes the weights, if they are not there yet. batch is the network's batch size, 0 if it
// is not fixed.
func (l *Layer) fill(rng *rand.Rand, batch int) error {
	if l.Weights != nil {
		return nil
	}
	all := []*Variable{}
	for _, w := range l.Spec.Weights {
		if v, ok := w.Tied.(*Variable); ok {
			all = append(all, v)
			continue
		}
		shape := w.Shape
		if w.State {
			if batch == 0 {
				return fmt.Errorf("%s: expected a fixed batch size for a stateful layer: set BatchSize of the model's layers.Input", l)
			}
			shape = append(layers.Shape{batch}, shape...)
		}
		if err := wantMemory(w.Name, shape); err != nil {
			return fmt.Errorf("%s: %w", l, err)
		}
		values := make([]float32, shape.Size())
		if w.Initializer != nil {
			values = w.Initializer.Init(shape, rng)
		} else if !w.State {
			return fmt.Errorf("%s: expected an Initializer for weight %q, got nil", l, w.Name)
		}
		v := NewVariable(shape, values)
		if w.Run > 0 {
			v = NewWhole(shape, w.Run, values)
		}
		v.Fixed, v.State = w.NonTrainable || w.State, w.State
		v.Frozen = !l.Trainable
		v.Regularizer, v.Constraint = w.Regularizer, w.Constraint
		v.lock = l.Lock
		all = append(all, v)
	}
	l.Weights = all
	return nil
}

// SetTrainable freezes the layer's weights, or sets them free; of a network, those of all its
// layers.
func (l *Layer) SetTrainable(trainable bool) {
	l.Trainable = trainable
	for _, v := range l.Weights {
		v.Frozen = !trainable
	}
	if n := l.Nested(); n != nil {
		for _, inner := range n.Layers {
			inner.SetTrainable(trainable)
		}
	}
}

// ResetState sets what a stateful layer carries from batch to batch back to zero.
func (l *Layer) ResetState() {
	for _, v := range l.Weights {
		if v.State {
			v.Set(make([]float32, v.Shape.Size()))
		}
	}
}

// Kept are the layer's weights by their names in it, but for what is carried from batch to
// batch.
func (l *Layer) Kept() (all []Weight) {
	for i, v := range l.Weights {
		if !v.State {
			all = append(all, Weight{l.Spec.Weights[i].Name, v})
		}
	}
	return all
}

var errNotApplied = errors.New("expected a layer that is applied to something, got one that is not")

// Output is the symbol of the layer's output, where it was first applied.
func (l *Layer) Output() (*Symbol, error) {
	if len(l.Calls) == 0 {
		return nil, fmt.Errorf("%s: %w", l, errNotApplied)
	}
	return l.Calls[0].Out[0], nil
}

// Input is the symbol of the layer's first input, where it was first applied.
func (l *Layer) Input() (*Symbol, error) {
	if len(l.Calls) == 0 || len(l.Calls[0].In) == 0 {
		return nil, fmt.Errorf("%s: %w", l, errNotApplied)
	}
	return l.Calls[0].In[0], nil
}

// OutputShape is the shape of the layer's first output for one example; nil before it is
// applied.
func (l *Layer) OutputShape() layers.Shape {
	if all := l.Spec.All(); l.In != nil && len(all) > 0 {
		return slices.Clone(all[0])
	}
	return nil
}
