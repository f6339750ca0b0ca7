package network

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/layers"
)

// A network as a layer of another.

var _ layers.Multi = (*Network)(nil)

// Build implements layers.Layer.
func (n *Network) Build(in layers.Shape) (layers.Spec, error) { return n.BuildAll([]layers.Shape{in}) }

// BuildAll implements layers.Multi. The network keeps its weights, however many others it is
// part of.
func (n *Network) BuildAll(in []layers.Shape) (layers.Spec, error) {
	if !n.Built() {
		if len(in) != 1 {
			return layers.Spec{}, fmt.Errorf("expected one input for a Sequential model, got %d", len(in))
		}
		if err := n.Ensure(in[0]); err != nil {
			return layers.Spec{}, err
		}
	}
	if len(in) != len(n.Inputs) {
		return layers.Spec{}, fmt.Errorf("expected %d inputs, got %d", len(n.Inputs), len(in))
	}
	for i, s := range n.Inputs {
		if !s.Shape.Equal(in[i]) {
			return layers.Spec{}, &fault.ShapeError{
				Layer: n.Name, Expected: s.Shape, Got: in[i], Text: fmt.Sprintf("expected input %d of shape %v, got %v", i, s.Shape, in[i]),
			}
		}
	}
	var spec layers.Spec
	for _, s := range n.Outputs {
		spec.Outputs = append(spec.Outputs, s.Shape)
	}
	for _, w := range n.Weights {
		spec.Weights = append(spec.Weights, layers.Weight{Name: w.Name, Shape: w.Shape.Dimensions, NonTrainable: w.Fixed, State: w.State, Tied: w.Variable})
	}
	// Its layers see to the type that they need.
	spec.AnyType = true
	return spec, nil
}

// Call implements layers.Layer.
func (n *Network) Call(c *layers.Context, x *graph.Node) *graph.Node {
	return n.CallAll(c, []*graph.Node{x})[0]
}

// CallAll implements layers.Multi.
func (n *Network) CallAll(c *layers.Context, in []*graph.Node) []*graph.Node {
	nodes := make(map[*Variable]*graph.Node, len(n.Weights))
	for _, w := range n.Weights {
		nodes[w.Variable] = c.Variable(w.Name)
	}
	masks := make([]*graph.Node, len(in))
	for i := range in {
		masks[i] = c.MaskOf(i)
	}
	f := n.run(&Flow{Pass: pass.Of(c), Nodes: nodes}, in, masks)
	for _, w := range n.Weights {
		if u, ok := f.Updates[w.Variable]; ok {
			c.Update(w.Name, u)
		}
	}
	c.SetMask(f.Masks[n.Outputs[0]])
	return f.Outputs(n)
}
