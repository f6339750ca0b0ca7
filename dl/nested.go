package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/layers"
)

// Build implements layers.Layer, so that a model may be a layer of another. To
// build a model for itself, see BuildFor.
func (m *Model) Build(in layers.Shape) (layers.Spec, error) { return m.BuildAll([]layers.Shape{in}) }

// BuildAll implements layers.Multi. The model keeps its weights, however many models
// it is part of.
func (m *Model) BuildAll(in []layers.Shape) (layers.Spec, error) {
	if !m.built.Load() {
		if len(in) != 1 {
			return layers.Spec{}, fmt.Errorf("expected one input for a Sequential model, got %d", len(in))
		}
		if err := m.ensure(in[0]); err != nil {
			return layers.Spec{}, err
		}
	}
	if len(in) != len(m.inputs) {
		return layers.Spec{}, fmt.Errorf("expected %d inputs, got %d", len(m.inputs), len(in))
	}
	for i, s := range m.inputs {
		if !s.shape.Equal(in[i]) {
			return layers.Spec{}, fmt.Errorf("expected input %d of shape %v, got %v", i, s.shape, in[i])
		}
	}
	var spec layers.Spec
	for _, s := range m.outputs {
		spec.Outputs = append(spec.Outputs, s.shape)
	}
	for _, w := range m.weights {
		spec.Weights = append(spec.Weights, layers.Weight{Name: w.name, Shape: w.shape.Dimensions, NonTrainable: w.fixed, State: w.state, Tied: w.variable})
	}
	// Its layers see to the type that they need.
	spec.AnyType = true
	return spec, nil
}

// Call implements layers.Layer.
func (m *Model) Call(c *layers.Context, x *graph.Node) *graph.Node {
	return m.CallAll(c, []*graph.Node{x})[0]
}

// CallAll implements layers.Multi.
func (m *Model) CallAll(c *layers.Context, in []*graph.Node) []*graph.Node {
	nodes := make(map[*variable]*graph.Node, len(m.weights))
	for _, w := range m.weights {
		nodes[w.variable] = c.Variable(w.name)
	}
	masks := make([]*graph.Node, len(in))
	for i := range in {
		masks[i] = c.MaskOf(i)
	}
	f := m.run(&flow{pass: c.Pass, nodes: nodes}, in, masks)
	for _, w := range m.weights {
		if u, ok := f.updates[w.variable]; ok {
			c.Update(w.name, u)
		}
	}
	c.SetMask(f.masks[m.outputs[0]])
	return f.outputs(m)
}
