package onnx

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Graph is a layer that computes what an ONNX file says.
type Graph struct {
	Name   string
	graph  graphProto
	inputs []valueProto
	opset  int
}

func init() {
	config.Unwritable(Graph{}, "its file is the ONNX file that it came from; dl's own can hold its Weights only (SaveWeights)")
}

// check reports operators that are not known.
func (g *Graph) check() error {
	for _, n := range g.graph.nodes {
		if n.domain != "" && n.domain != "ai.onnx" {
			return fmt.Errorf("node %q: the operator %s of %s is not supported", n.name, n.op, n.domain)
		}
		if _, ok := operators[n.op]; !ok {
			return fmt.Errorf("node %q: the operator %s is not supported", n.name, n.op)
		}
	}
	return nil
}

// Build implements layers.Layer.
func (g *Graph) Build(in layers.Shape) (layers.Spec, error) { return g.BuildAll([]layers.Shape{in}) }

// BuildAll implements layers.Multi.
func (g *Graph) BuildAll(in []layers.Shape) (layers.Spec, error) {
	if len(in) != len(g.inputs) {
		return layers.Spec{}, fmt.Errorf("expected %d inputs, got %d", len(g.inputs), len(in))
	}
	spec := layers.Spec{AnyType: true}
	var params []engine.Param
	for i, s := range in {
		params = append(params, engine.Param{Name: g.inputs[i].name, Shape: shapes.Make(dtypes.Float32, append([]int{probe}, s...)...)})
	}
	for _, t := range g.weights() {
		shape := layers.Shape{}
		for _, d := range t.dims {
			shape = append(shape, int(d))
		}
		spec.Weights = append(spec.Weights, layers.Weight{Name: t.name, Shape: shape, Initializer: values(t.floats)})
		params = append(params, engine.Param{Name: t.name, Shape: shapes.Make(dtypes.Float32, shape...)})
	}
	d, err := device.Current()
	if err != nil {
		return layers.Spec{}, err
	}
	out, err := engine.Shapes(d, params, func(nodes []*tensor.Node) []*tensor.Node {
		byName := make(map[string]*tensor.Node)
		for i, w := range spec.Weights {
			byName[w.Name] = nodes[len(in)+i]
		}
		return g.run(nodes[:len(in)], byName)
	})
	if err != nil {
		return layers.Spec{}, err
	}
	for i, s := range out {
		if len(s.Dimensions) == 0 || s.Dimensions[0] != probe {
			return layers.Spec{}, fmt.Errorf("output %q: expected the batch as the first axis, got shape %v for a batch of %d", g.graph.outputs[i].name, s.Dimensions, probe)
		}
		spec.Outputs = append(spec.Outputs, s.Dimensions[1:])
	}
	return spec, nil
}

// weights are the initializers that are trained: floats of at least one axis.
func (g *Graph) weights() (all []tensorProto) {
	for _, t := range g.graph.initializers {
		if len(t.floats) > 0 && len(t.dims) > 0 {
			all = append(all, t)
		}
	}
	return all
}

// Call implements layers.Layer.
func (g *Graph) Call(c *layers.Context, x *tensor.Node) *tensor.Node {
	return g.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements layers.Multi.
func (g *Graph) CallAll(c *layers.Context, in []*tensor.Node) []*tensor.Node {
	byName := make(map[string]*tensor.Node)
	for _, t := range g.weights() {
		byName[t.name] = c.Weight(t.name)
	}
	return g.run(in, byName)
}

func (g *Graph) run(in []*tensor.Node, weights map[string]*tensor.Node) []*tensor.Node {
	m := &machine{g: in[0].Graph(), values: make(map[string]value), opset: g.opset}
	for i, v := range g.inputs {
		m.values[v.name] = value{node: m.as(in[i], v.kind)}
	}
	for _, t := range g.graph.initializers {
		if w := weights[t.name]; w != nil {
			m.values[t.name] = value{node: w, floats: t.floats}
		} else {
			m.values[t.name] = m.constant(t)
		}
	}
	for _, n := range g.graph.nodes {
		outs := operators[n.op](m, n)
		for i, o := range outs {
			if i < len(n.out) {
				m.values[n.out[i]] = o
			}
		}
	}
	var out []*tensor.Node
	for _, v := range g.graph.outputs {
		found, ok := m.values[v.name]
		if !ok {
			panic(fmt.Errorf("output %q: no node computes it", v.name))
		}
		out = append(out, m.node(found))
	}
	return out
}
