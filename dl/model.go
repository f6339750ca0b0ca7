package dl

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/layers"
)

// Model is a stack of layers and their weights. Its methods may be called from
// several goroutines, and from callbacks while Fit runs; only one Fit runs at a
// time, another is refused.
type Model struct {
	name   string
	layers []*layer
	input  layers.Shape // nil until the model is built
	random *rand.Rand   // for weights, shuffling and dropout

	mu       sync.Mutex
	weights  []*variable
	compiled *compiled
	programs map[programKey]*engine.Program
	fitting  bool
}

// layer is a layer in its place in a model.
type layer struct {
	layers.Layer
	name    string
	spec    layers.Spec
	weights []*variable
}

// Sequential makes a model of layers, each taking the output of the one before.
//
// If the first is a layers.Input, the model is built at once: all shapes are
// inferred, all settings checked. Otherwise that happens in Build, or when Fit,
// Evaluate or Predict first see data.
//
// Source: https://keras.io/api/models/sequential/
func Sequential(stack ...layers.Layer) (_ *Model, err error) {
	defer edge(&err)
	m := &Model{name: "sequential", random: newRandom(), programs: make(map[programKey]*engine.Program)}
	var input *layers.Input
	if len(stack) > 0 {
		if input = asInput(stack[0]); input != nil {
			stack = stack[1:]
		}
	}
	if len(stack) == 0 {
		return nil, errors.New("expected at least one layer in Sequential, got none")
	}
	used := make(map[string]bool)
	for i, l := range stack {
		if l == nil {
			return nil, fmt.Errorf("expected a layer at place %d of Sequential, got nil", i)
		}
		if asInput(l) != nil {
			return nil, fmt.Errorf("expected layers.Input as the first layer only, got one at place %d of Sequential", i)
		}
		name, given := layerName(l)
		for n, base := 1, name; used[name] && !given; n++ {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		if used[name] {
			return nil, fmt.Errorf("expected a name of its own for each layer, got two named %q", name)
		}
		used[name] = true
		m.layers = append(m.layers, &layer{Layer: l, name: name})
	}
	if input == nil {
		return m, nil
	}
	if _, err := input.Build(nil); err != nil {
		return nil, fmt.Errorf("layers.Input: %w", err)
	}
	return m, m.build(input.Shape)
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

// Build infers the shapes of all layers from that of one input, without the
// batch, and makes their weights. A model that has a layers.Input is built
// already; building it again with another shape is an error.
func (m *Model) Build(input layers.Shape) (err error) {
	defer edge(&err)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.build(input)
}

func (m *Model) build(input layers.Shape) error {
	if m.input != nil {
		if !m.input.Equal(input) {
			return fmt.Errorf("model %q is built for input of shape %v, got %v", m.name, m.input, input)
		}
		return nil
	}
	for _, d := range input {
		if d < 1 {
			return fmt.Errorf("expected an input shape of known axes of at least 1, without the batch, got %v", input)
		}
	}
	shape := append(layers.Shape{}, input...)
	var weights []*variable
	specs := make([]layers.Spec, len(m.layers))
	for i, l := range m.layers {
		spec, err := l.Build(shape)
		if err != nil {
			return fmt.Errorf("layer %q (%s): %w", l.name, typeName(l.Layer), err)
		}
		specs[i], shape = spec, spec.Output
	}
	for i, l := range m.layers {
		l.spec, l.weights = specs[i], nil
		for _, w := range specs[i].Weights {
			v := newVariable(l.name+"/"+w.Name, w.Shape, w.Initializer.Init(w.Shape, m.random))
			v.trainable = !w.NonTrainable
			l.weights = append(l.weights, v)
		}
		weights = append(weights, l.weights...)
	}
	m.input, m.weights = append(layers.Shape{}, input...), weights
	return nil
}

// Name is the model's name.
func (m *Model) Name() string { return m.name }

// InputShape is the shape of one input; nil if the model is not built.
func (m *Model) InputShape() layers.Shape {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.input)
}

// OutputShape is the shape of one output; nil if the model is not built.
func (m *Model) OutputShape() layers.Shape {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.output())
}

func (m *Model) output() layers.Shape {
	if m.input == nil {
		return nil
	}
	return m.layers[len(m.layers)-1].spec.Output
}

// Layers returns the layers in order.
func (m *Model) Layers() []layers.Layer {
	var all []layers.Layer
	for _, l := range m.layers {
		all = append(all, l.Layer)
	}
	return all
}

// layerName is the layer's own name, or the one that Keras would derive from
// its type: Conv2D is conv2d, MaxPooling2D is max_pooling2d.
func layerName(l layers.Layer) (name string, given bool) {
	v := reflect.Indirect(reflect.ValueOf(l))
	if v.Kind() == reflect.Struct {
		if f := v.FieldByName("Name"); f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
			return f.String(), true
		}
	}
	var b strings.Builder
	runes := []rune(typeName(l))
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String(), false
}

func typeName(l layers.Layer) string { return reflect.Indirect(reflect.ValueOf(l)).Type().Name() }
