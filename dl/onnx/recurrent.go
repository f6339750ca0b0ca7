package onnx

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// recurrent reads RNN, LSTM and GRU as the layers of those names.
func recurrent(m *machine, n nodeProto) []value {
	units := n.int("hidden_size", 0)
	x := graph.TransposeAllAxes(m.in(n, 0), 1, 0, 2) // [batch, steps, features]
	if v, ok := m.input(n, 4); ok && v.node != nil {
		panic(fmt.Errorf("node %q (%s): sequences of different lengths are not supported", n.name, n.op))
	}
	directions := 1
	way := n.text("direction", "forward")
	if way == "bidirectional" {
		directions = 2
	}
	acts := n.attributes["activations"].strings
	after := n.int("linear_before_reset", 0) == 1
	var ys, hs, cs []*tensor.Node
	for k := range directions {
		weights := cellWeights(m, n, k, units, after)
		backwards := way == "reverse" || k == 1
		l := cellLayer(n, units, acts, k, backwards, weights["bias"] == nil, after)
		in := append([]*tensor.Node{x}, firstStates(m, n, k)...)
		spec, err := l.BuildAll(shapesOf(in))
		if err != nil {
			panic(fmt.Errorf("node %q (%s): %w", n.name, n.op, err))
		}
		out, _, _ := pass.Call(pass.New(false, nil, dtypes.InvalidDType), pass.Layer{Layer: l, Spec: spec, Name: n.name, Weights: weights}, in, make([]*tensor.Node, len(in)))
		y := out[0]
		if backwards {
			y = ops.Reverse(y, 1) // ONNX returns it in the order of the input
		}
		ys = append(ys, graph.TransposeAllAxes(y, 1, 0, 2))
		hs = append(hs, out[1])
		if len(out) > 2 {
			cs = append(cs, out[2])
		}
	}
	values := []value{{node: graph.Stack(ys, 1)}, {node: graph.Stack(hs, 0)}}
	if cs != nil {
		values = append(values, value{node: graph.Stack(cs, 0)})
	}
	return values
}

// cellWeights are those of a direction, as Keras's layer of the name has them.
func cellWeights(m *machine, n nodeProto, k, units int, after bool) map[string]*tensor.Node {
	order := map[string][]int{"RNN": {0}, "LSTM": {0, 2, 3, 1}, "GRU": {0, 1, 2}}[n.op] // of Keras's gates among ONNX's
	sorted := func(w *tensor.Node) *tensor.Node {
		var all []*tensor.Node
		for _, g := range order {
			all = append(all, graph.SliceAxis(w, 0, graph.AxisRange(g*units, (g+1)*units)))
		}
		return graph.Concatenate(all, 0)
	}
	weights := map[string]*tensor.Node{
		"kernel":           graph.Transpose(sorted(direction(m.in(n, 1), k)), 0, 1),
		"recurrent_kernel": graph.Transpose(sorted(direction(m.in(n, 2), k)), 0, 1),
	}
	if _, ok := m.input(n, 3); !ok {
		return weights
	}
	b := direction(m.in(n, 3), k)
	half := len(order) * units
	bx, bh := sorted(graph.SliceAxis(b, 0, graph.AxisRange(0, half))), sorted(graph.SliceAxis(b, 0, graph.AxisRangeToEnd(half)))
	if n.op == "GRU" && after {
		weights["bias"] = graph.Stack([]*tensor.Node{bx, bh}, 0)
	} else {
		weights["bias"] = graph.Add(bx, bh)
	}
	return weights
}

// firstStates are those that the node is given for a direction: none, h, or h and c.
func firstStates(m *machine, n nodeProto, k int) []*tensor.Node {
	var states [2]*tensor.Node
	for i := range states {
		if _, ok := m.input(n, 5+i); ok {
			states[i] = direction(m.in(n, 5+i), k)
		}
	}
	h, c := states[0], states[1]
	switch {
	case h == nil && c == nil:
		return nil
	case n.op != "LSTM":
		return []*tensor.Node{h}
	case h == nil:
		h = graph.ZerosLike(c)
	case c == nil:
		c = graph.ZerosLike(h)
	}
	return []*tensor.Node{h, c}
}

// direction is the part of w that belongs to direction k.
func direction(w *tensor.Node, k int) *tensor.Node {
	return graph.Squeeze(graph.SliceAxis(w, 0, graph.AxisElem(k)), 0)
}

// cellLayer is the layer that computes what a node does in one direction.
func cellLayer(n nodeProto, units int, acts []string, k int, backwards, noBias, after bool) layers.Multi {
	per := map[string]int{"RNN": 1, "LSTM": 3, "GRU": 2}[n.op]
	act := func(i int) activations.Activation {
		if len(acts) <= k*per+i {
			return nil
		}
		name := map[string]string{"Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Softsign": "softsign", "Softplus": "softplus"}[acts[k*per+i]]
		a, err := activations.Get(name)
		if err != nil {
			panic(fmt.Errorf("node %q (%s): the activation %s is not supported", n.name, n.op, acts[k*per+i]))
		}
		return a
	}
	switch n.op {
	case "LSTM":
		return layers.LSTM{Units: units, RecurrentActivation: act(0), Activation: act(1), NoBias: noBias, GoBackwards: backwards, ReturnSequences: true, ReturnState: true}
	case "GRU":
		return layers.GRU{Units: units, RecurrentActivation: act(0), Activation: act(1), NoBias: noBias, ResetBefore: !after, GoBackwards: backwards, ReturnSequences: true, ReturnState: true}
	}
	return layers.SimpleRNN{Units: units, Activation: act(0), NoBias: noBias, GoBackwards: backwards, ReturnSequences: true, ReturnState: true}
}

func shapesOf(in []*tensor.Node) (all []layers.Shape) {
	for _, x := range in {
		all = append(all, x.Shape().Dimensions[1:])
	}
	return all
}
