package dl

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/layers"
)

// Model is layers that follow each other, and their weights. Its methods may be
// called from several goroutines, and from callbacks while Fit runs; only one Fit
// of a model runs at a time, another is refused.
//
// A model is a layer itself, and may be part of another.
type Model struct {
	name  string
	named bool   // by WithName
	kind  string // "Sequential" or "Functional"
	stack []*Layer
	// What follows is there once the model is built.
	inputs, outputs []*Symbol
	calls           []*call  // each after those that it needs
	layers          []*Layer // in the order of Keras
	weights         []weight // in the order of layers
	listed          []*Layer // in the order of the file that the model was read from

	random   *rand.Rand // for weights and shuffling
	source   *rand.PCG  // that random draws from
	seeded   bool       // by SetRandomSeed
	policy   dtypes.DType
	built    atomic.Bool
	compiled *compiled
	active   *training // the Fit under way
	balance  balance
	programs map[programKey]*engine.Program
	noise    *noise // of dropout and its like
	fitting  bool
	position position // in training, for who goes on with it
}

// noise is the state of the generator on the device.
type noise struct {
	host   []uint64
	buffer compute.Buffer
}

func newModel(kind string) *Model {
	source, seeded := newSource()
	return &Model{
		name: kindNames[kind], kind: kind, random: rand.New(source), source: source, seeded: seeded,
		policy: policyType(), programs: make(map[programKey]*engine.Program),
	}
}

var kindNames = map[string]string{"Sequential": "sequential", "Functional": "functional"}

// Sequential makes a model of layers, each taking the output of the one before.
//
// If the first is a layers.Input, the model is built at once: all shapes are
// inferred, all settings checked. Otherwise that happens in Build, or when Fit,
// Evaluate or Predict first see data.
//
// Source: https://keras.io/api/models/sequential/
func Sequential(stack ...layers.Layer) (_ *Model, err error) {
	defer edge(&err)
	m := newModel("Sequential")
	var input *layers.Input
	if len(stack) > 0 {
		if input = asInput(stack[0]); input != nil {
			stack = stack[1:]
		}
	}
	if len(stack) == 0 {
		return nil, errors.New("expected at least one layer in Sequential, got none")
	}
	for i, l := range stack {
		if isNil(l) {
			return nil, fmt.Errorf("expected a layer at place %d of Sequential, got nil", i)
		}
		if asInput(l) != nil {
			return nil, fmt.Errorf("expected layers.Input as the first layer only, got one at place %d of Sequential", i)
		}
		m.stack = append(m.stack, NewLayer(l))
	}
	if err := nameLayers(unique(m.stack)); err != nil {
		return nil, err
	}
	if input == nil {
		return m, nil
	}
	return m, m.buildStack(*input)
}

// Functional makes a model of what lies between symbols: all layers that the outputs
// need, from the inputs on. Models that share symbols share layers and weights, so
// that a model may end at a layer of another:
//
//	features, err := dl.Functional(m.Inputs(), []*dl.Symbol{m.Layer("conv2d_1").Output()})
//
// Source: https://keras.io/guides/functional_api/
func Functional(inputs, outputs []*Symbol) (_ *Model, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	m := newModel("Functional")
	return m, m.connect(inputs, outputs)
}

// WithName gives the model a name, and returns it.
func (m *Model) WithName(name string) *Model {
	lock.Lock()
	defer lock.Unlock()
	m.name, m.named = name, true
	return m
}

// BuildFor infers the shapes of all layers of a Sequential model from that of one
// input, without the batch, and makes their weights. A model that has a layers.Input
// is built already; building it again with another shape is an error.
func (m *Model) BuildFor(input layers.Shape) (err error) {
	defer edge(&err)
	return m.ensure(input)
}

// ensure builds a Sequential model, or checks that it is built for that input. It takes
// the lock.
func (m *Model) ensure(input layers.Shape) error {
	if !m.built.Load() {
		return m.buildStack(layers.Input{Shape: input})
	}
	if len(m.inputs) != 1 || !m.inputs[0].shape.Equal(input) {
		return fmt.Errorf("model %q is built for input of shape %v, got %v", m.name, shapesOf(m.inputs), input)
	}
	return nil
}

// buildStack builds a Sequential model. It takes the lock.
func (m *Model) buildStack(in layers.Input) error {
	input := InputOf(in)
	end := input
	for _, l := range m.stack {
		if end = Apply(l, end); end.err != nil {
			return end.err
		}
	}
	lock.Lock()
	defer lock.Unlock()
	return m.connect([]*Symbol{input}, []*Symbol{end})
}

func shapesOf(symbols []*Symbol) any {
	if len(symbols) == 1 {
		return symbols[0].shape
	}
	var all []layers.Shape
	for _, s := range symbols {
		all = append(all, s.shape)
	}
	return all
}

// Name is the model's name.
func (m *Model) Name() string { return m.name }

// InputShape is the shape of one input, the first if there are several; nil if the
// model is not built.
func (m *Model) InputShape() layers.Shape {
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return nil
	}
	return slices.Clone(m.inputs[0].shape)
}

// OutputShape is the shape of one output, the first if there are several; nil if
// the model is not built.
func (m *Model) OutputShape() layers.Shape {
	lock.Lock()
	defer lock.Unlock()
	if m.outputs == nil {
		return nil
	}
	return slices.Clone(m.outputs[0].shape)
}

// Inputs are the symbols of the model's inputs; nil if it is not built.
func (m *Model) Inputs() []*Symbol {
	lock.Lock()
	defer lock.Unlock()
	return slices.Clone(m.inputs)
}

// Outputs are the symbols of the model's outputs; nil if it is not built.
func (m *Model) Outputs() []*Symbol {
	lock.Lock()
	defer lock.Unlock()
	return slices.Clone(m.outputs)
}

// Layers returns the layers in order; of a Functional model with its inputs.
func (m *Model) Layers() []*Layer {
	lock.Lock()
	defer lock.Unlock()
	return slices.Clone(m.all())
}

func (m *Model) all() []*Layer {
	if m.layers == nil {
		return unique(m.stack)
	}
	return m.layers
}

// Layer returns the layer of that name: Keras's get_layer. A name that there is not
// panics, as an index would; it names those that there are.
func (m *Model) Layer(name string) *Layer {
	var names []string
	for _, l := range m.Layers() {
		if l.name == name {
			return l
		}
		names = append(names, l.name)
	}
	panic(fmt.Errorf("dl: model %q has no layer %q; it has %q", m.name, name, names))
}

// SetTrainable freezes all weights of the model, or sets them free.
func (m *Model) SetTrainable(trainable bool) {
	lock.Lock()
	defer lock.Unlock()
	for _, l := range m.all() {
		l.setTrainable(trainable)
	}
}

// ResetStates sets what stateful layers carry from batch to batch back to zero.
func (m *Model) ResetStates() {
	lock.Lock()
	defer lock.Unlock()
	for _, l := range m.all() {
		l.resetState()
	}
}
