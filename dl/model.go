package dl

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
)

// Model is layers that follow each other, and their weights. Its methods may be
// called from several goroutines, and from callbacks while Fit runs; only one Fit
// of a model runs at a time, another is refused. Models that share layers take turns,
// others run at the same time.
//
// A model is a layer itself, and may be part of another.
type Model struct {
	m *train.Model
}

func init() {
	train.Of = func(model any) *train.Model { return model.(*Model).m }
}

// newNetwork makes an empty network, as the process's settings say.
func newNetwork(kind network.Kind) *network.Network {
	pcg, seeded := newSource()
	return network.New(kind, pcg, seeded, policyType())
}

// modelOf is the model of a network, of which there is one.
func modelOf(n *network.Network) *Model { return faceOf(train.New(n)) }

func faceOf(m *train.Model) *Model {
	return m.Face.Get(func() any { return &Model{m} }).(*Model)
}

// Sequential makes a model of layers, each taking the output of the one before.
//
// If the first is a layers.Input, the model is built at once: all shapes are
// inferred, all settings checked. Otherwise that happens in BuildFor, or when Fit,
// Evaluate or Predict first see data.
//
// Source: https://keras.io/api/models/sequential/
func Sequential(stack ...layers.Layer) (*Model, error) {
	m, err := sequential(stack)
	return m, edge(err)
}

func sequential(stack []layers.Layer) (*Model, error) {
	n := newNetwork(network.Sequential)
	var input *layers.Input
	if len(stack) > 0 {
		if input = network.AsInput(configOf(stack[0])); input != nil {
			stack = stack[1:]
		}
	}
	if len(stack) == 0 {
		return nil, errors.New("expected at least one layer in Sequential, got none")
	}
	for i, l := range stack {
		if network.IsNil(l) {
			return nil, fmt.Errorf("expected a layer at place %d of Sequential, got nil", i)
		}
		if network.AsInput(configOf(l)) != nil {
			return nil, fmt.Errorf("expected layers.Input as the first layer only, got one at place %d of Sequential", i)
		}
		n.Stack = append(n.Stack, placed(l))
	}
	if err := network.NameLayers(network.Unique(n.Stack)); err != nil {
		return nil, err
	}
	if input == nil {
		return modelOf(n), nil
	}
	if err := n.BuildStack(*input); err != nil {
		return nil, err
	}
	return modelOf(n), nil
}

// Functional makes a model of what lies between symbols: all layers that the outputs
// need, from the inputs on. Models that share symbols share layers and weights, so
// that a model may end at a layer of another:
//
//	conv, err := m.Layer("conv2d_1")
//	features, err := dl.Functional(m.Inputs(), []*dl.Symbol{conv.Output()})
//
// Source: https://keras.io/guides/functional_api/
func Functional(inputs, outputs []*Symbol) (*Model, error) {
	ins, err := nodesOf(inputs)
	if err != nil {
		return nil, edge(err)
	}
	outs, err := nodesOf(outputs)
	if err != nil {
		return nil, edge(err)
	}
	n := newNetwork(network.Functional)
	if err := n.Connect(ins, outs); err != nil {
		return nil, edge(err)
	}
	return modelOf(n), nil
}

// nodesOf are what symbols stand for, if nothing is wrong with them.
func nodesOf(symbols []*Symbol) ([]*network.Symbol, error) {
	var all []*network.Symbol
	for _, s := range symbols {
		switch {
		case s == nil:
			return nil, errors.New("expected symbols as inputs and outputs, got nil")
		case s.err != nil:
			return nil, s.err
		case s.s == nil:
			return nil, errors.New("expected symbols that Input or Apply made, got an empty one")
		}
		all = append(all, s.s)
	}
	return all, nil
}

// WithName gives the model a name, and returns it.
func (m *Model) WithName(name string) *Model {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	m.m.Name, m.m.Named = name, true
	return m
}

// BuildFor infers the shapes of all layers of a Sequential model from that of one
// input, without the batch, and makes their weights. A model that has a layers.Input
// is built already; building it again with another shape is an error.
func (m *Model) BuildFor(input layers.Shape) error { return edge(m.m.Ensure(input)) }

// Name is the model's name.
func (m *Model) Name() string { return m.m.Name }

// InputShape is the shape of one input, the first if there are several; nil if the
// model is not built.
func (m *Model) InputShape() layers.Shape { return firstShape(m.ends(inputs)) }

// OutputShape is the shape of one output, the first if there are several; nil if
// the model is not built.
func (m *Model) OutputShape() layers.Shape { return firstShape(m.ends(outputs)) }

func inputs(n *network.Network) []*network.Symbol  { return n.Inputs }
func outputs(n *network.Network) []*network.Symbol { return n.Outputs }

func (m *Model) ends(of func(*network.Network) []*network.Symbol) []*network.Symbol {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	return slices.Clone(of(m.m.Network))
}

func firstShape(symbols []*network.Symbol) layers.Shape {
	if len(symbols) == 0 {
		return nil
	}
	return slices.Clone(symbols[0].Shape)
}

// Inputs are the symbols of the model's inputs; nil if it is not built.
func (m *Model) Inputs() []*Symbol { return symbolsOf(m.ends(inputs)) }

// Outputs are the symbols of the model's outputs; nil if it is not built.
func (m *Model) Outputs() []*Symbol { return symbolsOf(m.ends(outputs)) }

// Layers returns the layers in order; of a Functional model with its inputs.
func (m *Model) Layers() []*Layer {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	var all []*Layer
	for _, l := range m.m.All() {
		all = append(all, layerOf(l))
	}
	return all
}

// Layer returns the layer of that name: Keras's get_layer. If there is none, the error names
// those that there are.
func (m *Model) Layer(name string) (*Layer, error) {
	var names []string
	for _, l := range m.Layers() {
		if l.Name() == name {
			return l, nil
		}
		names = append(names, l.Name())
	}
	return nil, edge(fmt.Errorf("model %q has no layer %q; it has %q", m.Name(), name, names))
}

// SetTrainable freezes all weights of the model, or sets them free.
func (m *Model) SetTrainable(trainable bool) {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	for _, l := range m.m.All() {
		l.SetTrainable(trainable)
	}
}

// ResetStates sets what stateful layers carry from batch to batch back to zero.
func (m *Model) ResetStates() {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	for _, l := range m.m.All() {
		l.ResetState()
	}
}

// Clone makes a model of the same layers with new weights. The model must be built.
//
// Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/#clone_model-function
func (m *Model) Clone() (*Model, error) {
	if !m.m.Built() {
		return nil, m.notBuilt()
	}
	n, err := m.m.Clone(newNetwork)
	if err != nil {
		return nil, edge(err)
	}
	return modelOf(n), nil
}
