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
	gates := map[string]int{"RNN": 1, "LSTM": 4, "GRU": 3}[n.op]
	order := map[string][]int{"RNN": {0}, "LSTM": {0, 2, 3, 1}, "GRU": {0, 1, 2}}[n.op] // of Keras's gates among ONNX's
	units := n.int("hidden_size", 0)
	x := graph.TransposeAllAxes(m.in(n, 0), 1, 0, 2) // [batch, steps, features]
	if v, ok := m.input(n, 4); ok && v.node != nil {
		panic(fmt.Errorf("node %q (%s): sequences of different lengths are not supported", n.name, n.op))
	}
	directions := 1
	direction := n.text("direction", "forward")
	if direction == "bidirectional" {
		directions = 2
	}
	acts := n.attributes["activations"].strings
	after := n.int("linear_before_reset", 0) == 1
	part := func(w *tensor.Node, k int) *tensor.Node {
		return graph.Squeeze(graph.SliceAxis(w, 0, graph.AxisElem(k)), 0)
	}
	sorted := func(w *tensor.Node) *tensor.Node {
		var all []*tensor.Node
		for _, g := range order {
			all = append(all, graph.SliceAxis(w, 0, graph.AxisRange(g*units, (g+1)*units)))
		}
		return graph.Concatenate(all, 0)
	}
	var ys, hs, cs []*tensor.Node
	for k := range directions {
		weights := map[string]*tensor.Node{
			"kernel":           graph.Transpose(sorted(part(m.in(n, 1), k)), 0, 1),
			"recurrent_kernel": graph.Transpose(sorted(part(m.in(n, 2), k)), 0, 1),
		}
		biased := false
		if _, ok := m.input(n, 3); ok {
			biased = true
			b := part(m.in(n, 3), k)
			bx := sorted(graph.SliceAxis(b, 0, graph.AxisRange(0, gates*units)))
			bh := sorted(graph.SliceAxis(b, 0, graph.AxisRangeToEnd(gates*units)))
			if n.op == "GRU" && after {
				weights["bias"] = graph.Stack([]*tensor.Node{bx, bh}, 0)
			} else {
				weights["bias"] = graph.Add(bx, bh)
			}
		}
		backwards := direction == "reverse" || k == 1
		l := cellLayer(n, units, acts, k, backwards, !biased, after)
		in := []*tensor.Node{x}
		for i, state := range []int{5, 6}[:map[bool]int{true: 2, false: 1}[n.op == "LSTM"]] {
			if _, ok := m.input(n, state); ok {
				in = append(in, part(m.in(n, state), k))
			} else if _, ok := m.input(n, 5); ok && i > 0 {
				in = append(in, graph.ZerosLike(in[1]))
			}
		}
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
