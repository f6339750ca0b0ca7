package dl

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/layers"
)

// lock is held by whoever reads or changes models. There is one for all, since
// models may share layers; it is free while callbacks run and data is read.
var lock sync.Mutex

// released runs f while models are not locked: for code of the user's, which may call
// what locks them.
func released(f func() error) error {
	lock.Unlock()
	defer lock.Lock()
	return f()
}

// Layer is a layer in its place: its configuration, which it embeds, with a name
// and the weights that belong to it. Models are made of them. Applied in several
// places, or in several models, it is the same layer with the same weights:
//
//	tower := dl.NewLayer(layers.Dense{Units: 64})
//	left, right := dl.Apply(tower, a), dl.Apply(tower, b)
type Layer struct {
	layers.Layer
	name      string // "" until a model gives one
	named     bool   // by the configuration
	trainable bool
	spec      layers.Spec
	in        []layers.Shape // of the first call; nil until then
	weights   []*variable    // as spec.Weights; nil until a model needs them
	calls     []*call
}

// NewLayer makes a layer that can be used in several places. A *Layer is returned
// as it is.
func NewLayer(l layers.Layer) *Layer {
	if l, ok := l.(*Layer); ok && l != nil {
		return l
	}
	placed := &Layer{trainable: true}
	if !isNil(l) {
		placed.Layer = l
		placed.name, placed.named = givenName(l)
	}
	return placed
}

// isNil says whether there is no layer: nil, or a pointer that is.
func isNil(l layers.Layer) bool {
	v := reflect.ValueOf(l)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// Name is the layer's name in its model; "" until it is in one.
func (l *Layer) Name() string { return l.name }

// Type is the name of the layer's type: "Dense".
func (l *Layer) Type() string { return typeName(l.Layer) }

// String is the layer's name and type, by which errors speak of it.
func (l *Layer) String() string {
	if l.Layer == nil {
		return "layer"
	}
	if l.name == "" {
		return fmt.Sprintf("layer %q (%s)", config.Snake(l.Type()), l.Type())
	}
	return fmt.Sprintf("layer %q (%s)", l.name, l.Type())
}

// build is called for each application of the layer, while models are not locked.
func (l *Layer) build(in []layers.Shape) (layers.Spec, error) {
	spec, err := buildOf(l.Layer, in)
	if err != nil {
		return spec, fmt.Errorf("%s: %w", l, err)
	}
	lock.Lock()
	defer lock.Unlock()
	if l.in == nil {
		l.in, l.spec = append([]layers.Shape{}, in...), spec
		return spec, nil
	}
	same := len(spec.Weights) == len(l.spec.Weights)
	for i := 0; same && i < len(spec.Weights); i++ {
		same = spec.Weights[i].Shape.Equal(l.spec.Weights[i].Shape)
	}
	if !same {
		return spec, fmt.Errorf("%s: its weights are for input of shape %v, got %v", l, l.in, in)
	}
	return spec, nil
}

func buildOf(l layers.Layer, in []layers.Shape) (layers.Spec, error) {
	if m, ok := l.(layers.Multi); ok {
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

// fill makes the weights, if they are not there yet. batch is the model's batch
// size, 0 if it is not fixed.
func (l *Layer) fill(rng *rand.Rand, batch int) error {
	if l.weights != nil {
		return nil
	}
	for _, w := range l.spec.Weights {
		if v, ok := w.Tied.(*variable); ok {
			l.weights = append(l.weights, v)
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
		v := newVariable(shape, values)
		v.fixed, v.state = w.NonTrainable || w.State, w.State
		v.frozen = !l.trainable
		v.regularizer, v.constraint = w.Regularizer, w.Constraint
		l.weights = append(l.weights, v)
	}
	if l.weights == nil {
		l.weights = []*variable{}
	}
	return nil
}

// Trainable says whether training changes the layer's weights.
func (l *Layer) Trainable() bool {
	lock.Lock()
	defer lock.Unlock()
	return l.trainable
}

// SetTrainable freezes a layer's weights, or sets them free, in all models that have
// it; of a model that is a layer, those of all its layers.
//
// Source: https://keras.io/guides/transfer_learning/
func (l *Layer) SetTrainable(trainable bool) {
	lock.Lock()
	defer lock.Unlock()
	l.setTrainable(trainable)
}

func (l *Layer) setTrainable(trainable bool) {
	l.trainable = trainable
	for _, v := range l.weights {
		v.frozen = !trainable
	}
	if m, ok := l.Layer.(*Model); ok {
		for _, inner := range m.layers {
			inner.setTrainable(trainable)
		}
	}
}

// Output is the symbol of the layer's output, where it was first applied: for a model
// that ends there.
func (l *Layer) Output() *Symbol {
	lock.Lock()
	defer lock.Unlock()
	if len(l.calls) == 0 {
		return &Symbol{err: fmt.Errorf("%s: expected a layer that is applied to something, got one that is not", l)}
	}
	return l.calls[0].out[0]
}

// Input is the symbol of the layer's first input, where it was first applied.
func (l *Layer) Input() *Symbol {
	lock.Lock()
	defer lock.Unlock()
	if len(l.calls) == 0 || len(l.calls[0].in) == 0 {
		return &Symbol{err: fmt.Errorf("%s: expected a layer that is applied to something, got one that is not", l)}
	}
	return l.calls[0].in[0]
}

// OutputShape is the shape of the layer's output for one example.
func (l *Layer) OutputShape() layers.Shape {
	if all := l.spec.All(); l.in != nil && len(all) > 0 {
		return slices.Clone(all[0])
	}
	return nil
}

// Weights returns a copy of the layer's weights, in the order of Keras's get_weights.
func (l *Layer) Weights() (_ []*tensors.Tensor, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if l.weights == nil {
		return nil, fmt.Errorf("%s: expected a layer of a model that is built, got one without weights yet", l)
	}
	return read(l.kept())
}

// WeightNames returns the names of the layer's weights, in the order of Weights: "kernel".
func (l *Layer) WeightNames() (names []string) {
	lock.Lock()
	defer lock.Unlock()
	for _, w := range l.kept() {
		names = append(names, w.name)
	}
	return names
}

// SetWeights replaces the layer's weights, given in the order of Weights. If one does
// not fit, none is replaced.
func (l *Layer) SetWeights(weights []*tensors.Tensor) (err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if l.weights == nil {
		return fmt.Errorf("%s: expected a layer of a model that is built, got one without weights yet", l)
	}
	return write(l.String(), l.kept(), weights)
}

// kept are the layer's weights with their names, but for what is carried from batch to
// batch.
func (l *Layer) kept() (all []weight) {
	for i, v := range l.weights {
		if !v.state {
			all = append(all, weight{l.spec.Weights[i].Name, v})
		}
	}
	return all
}

// ResetState sets what a stateful layer carries from batch to batch back to zero.
func (l *Layer) ResetState() {
	lock.Lock()
	defer lock.Unlock()
	l.resetState()
}

func (l *Layer) resetState() {
	for _, v := range l.weights {
		if v.state {
			v.set(make([]float32, v.shape.Size()))
		}
	}
}

// givenName is the name in a layer's configuration: its field Name, or a model's own.
func givenName(l layers.Layer) (name string, given bool) {
	if m, ok := l.(*Model); ok {
		return m.name, m.named
	}
	v := reflect.Indirect(reflect.ValueOf(l))
	if v.Kind() == reflect.Struct {
		if f := v.FieldByName("Name"); f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
			return f.String(), true
		}
	}
	return "", false
}

// baseName is the name that Keras would derive from a layer's type: Conv2D is conv2d,
// MaxPooling2D is max_pooling2d.
func baseName(l layers.Layer) string {
	switch m := l.(type) {
	case *Model:
		return m.name
	case layers.Input, *layers.Input:
		return "input_layer"
	}
	return config.Snake(typeName(l))
}

func typeName(l layers.Layer) string {
	if m, ok := l.(*Model); ok {
		return m.kind
	}
	if asInput(l) != nil {
		return "InputLayer"
	}
	return reflect.Indirect(reflect.ValueOf(l)).Type().Name()
}

// nameLayers gives each layer a name of its own in a model.
func nameLayers(all []*Layer) error {
	used := make(map[string]*Layer)
	for _, l := range all {
		if l.name == "" {
			continue
		}
		if other := used[l.name]; other != nil && other != l {
			if l.named || len(l.weights) > 0 {
				return fmt.Errorf("expected a name of its own for each layer, got two named %q; set the Name of one", l.name)
			}
			l.name = "" // of another model, where it means as little
			continue
		}
		used[l.name] = l
	}
	for _, l := range all {
		base := baseName(l.Layer)
		for n := 0; l.name == ""; n++ {
			name := base
			if n > 0 {
				name = fmt.Sprintf("%s_%d", base, n)
			}
			if used[name] == nil {
				l.name, used[name] = name, l
			}
		}
	}
	return nil
}

// read returns copies of weights.
func read(weights []weight) ([]*tensors.Tensor, error) {
	var all []*tensors.Tensor
	for _, w := range weights {
		values, err := w.values()
		if err != nil {
			return nil, err
		}
		all = append(all, tensors.FromFlatDataAndDimensions(values, w.shape.Dimensions...))
	}
	return all, nil
}

// write replaces all of weights, or none.
func write(what string, weights []weight, values []*tensors.Tensor) error {
	if len(values) != len(weights) {
		return fmt.Errorf("expected %d weights for %s, got %d", len(weights), what, len(values))
	}
	all := make([][]float32, len(weights))
	for i, w := range weights {
		if values[i] == nil {
			return fmt.Errorf("expected %v for weight %q, got nil", w.shape, w.name)
		}
		if !values[i].Shape().Equal(w.shape) {
			return fmt.Errorf("expected %v for weight %q, got %v", w.shape, w.name, values[i].Shape())
		}
		var err error
		if all[i], err = tensors.CopyFlatData[float32](values[i]); err != nil {
			return fmt.Errorf("weight %q: %w", w.name, err)
		}
	}
	for i, w := range weights {
		w.set(all[i])
	}
	return nil
}
