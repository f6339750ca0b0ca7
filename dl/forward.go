package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/layers"
)

// flow is a model's way through a graph.
type flow struct {
	pass    *layers.Pass
	nodes   map[*variable]*graph.Node // the weights
	updates map[*variable]*graph.Node // what layers make of them
	values  map[*Symbol]*graph.Node
	masks   map[*Symbol]*graph.Node
}

func (f *flow) outputs(m *Model) []*graph.Node {
	out := make([]*graph.Node, len(m.outputs))
	for i, s := range m.outputs {
		out[i] = f.values[s]
	}
	return out
}

// forward runs inputs, [batch, …] each, through the model. weights are those of
// Model.weights.
func (m *Model) forward(weights, in []*graph.Node, random *graph.Node, training bool) *flow {
	f := &flow{pass: layers.NewPass(training, random), nodes: make(map[*variable]*graph.Node, len(weights))}
	f.pass.DType = m.policy
	for i, w := range m.weights {
		f.nodes[w.variable] = weights[i]
	}
	return m.run(f, in, nil)
}

// run goes through the model's layers.
func (m *Model) run(f *flow, in, masks []*graph.Node) *flow {
	f.updates = make(map[*variable]*graph.Node)
	f.values, f.masks = make(map[*Symbol]*graph.Node), make(map[*Symbol]*graph.Node)
	for i, s := range m.inputs {
		f.values[s] = in[i]
		if masks != nil {
			f.masks[s] = masks[i]
		}
	}
	for _, c := range m.calls {
		if err := engine.Try(func() error { return f.call(c) }); err != nil {
			panic(fmt.Errorf("%s: %w", c.layer, err))
		}
	}
	return f
}

// call runs one layer.
func (f *flow) call(c *call) error {
	l := c.layer
	byName := make(map[string]*graph.Node, len(l.weights))
	for i, w := range l.spec.Weights {
		v := l.weights[i]
		byName[w.Name] = f.nodes[v]
		if u, ok := f.updates[v]; ok && v.fixed { // of an earlier call of the layer
			byName[w.Name] = u
		}
	}
	ctx := f.pass.Layer(l.name, byName)
	ctx.Trainable = l.trainable
	var x, masks []*graph.Node
	for _, s := range c.in {
		x, masks = append(x, f.values[s]), append(masks, f.masks[s])
	}
	out, mask := ctx.Call(l.Layer, c.spec, x, masks)
	for i, s := range c.out {
		if err := wantRoom(out[i].Shape().Dimensions[0], s.shape); err != nil {
			return err
		}
		f.values[s] = out[i]
	}
	if mask != nil && c.out[0].shape != nil {
		f.masks[c.out[0]] = mask
	}
	for i, w := range l.spec.Weights {
		if u, ok := ctx.Updates()[w.Name]; ok {
			f.updates[l.weights[i]] = u
		}
	}
	return nil
}
