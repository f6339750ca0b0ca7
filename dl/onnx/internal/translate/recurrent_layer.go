package translate

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/layers"
)

// layer runs dl's own, whose loop is fast and has a gradient.
func (r recurrence) layer(x *graph.Node) (y, h, s *graph.Node) {
	l := r.dl()
	in := []*graph.Node{graph.TransposeAllAxes(x, 1, 0, 2)}
	if h, s := r.states(x); r.has(5) || r.Op == "LSTM" && r.has(6) {
		if in = append(in, h); r.Op == "LSTM" {
			in = append(in, s)
		}
	}
	var shapes []layers.Shape
	for _, n := range in {
		shapes = append(shapes, n.Shape().Dimensions[1:])
	}
	spec, err := l.BuildAll(shapes)
	if err != nil {
		panic(err)
	}
	called := pass.Layer{Layer: l, Spec: spec, Name: r.Name, Weights: r.weights()}
	out, _, _ := pass.Call(pass.New(false, nil, dtypes.InvalidDType), called, in, make([]*graph.Node, len(in)))
	y = out[0]
	if r.backwards {
		y = ops.Reverse(y, 1) // ONNX returns it in the order of the input
	}
	if len(out) > 2 {
		s = out[2]
	}
	return graph.TransposeAllAxes(y, 1, 0, 2), out[1], s
}

// weights are those of the direction, as Keras's layer of the name has them.
func (r recurrence) weights() map[string]*graph.Node {
	order := map[string][]int{"RNN": {0}, "LSTM": {0, 2, 3, 1}, "GRU": {0, 1, 2}}[r.Op] // of Keras's gates among ONNX's
	sorted := func(w *graph.Node) *graph.Node {
		var all []*graph.Node
		for _, g := range order {
			all = append(all, part(w, 0, g*r.units, (g+1)*r.units, 1))
		}
		return graph.Concatenate(all, 0)
	}
	weights := map[string]*graph.Node{
		"kernel":           graph.Transpose(sorted(r.direction(1)), 0, 1),
		"recurrent_kernel": graph.Transpose(sorted(r.direction(2)), 0, 1),
	}
	if !r.has(3) {
		return weights
	}
	in, again := r.bias(nil)
	in, again = sorted(in), sorted(again)
	if r.Op == "GRU" && r.flag("linear_before_reset") {
		weights["bias"] = graph.Stack([]*graph.Node{in, again}, 0)
	} else {
		weights["bias"] = graph.Add(in, again)
	}
	return weights
}

// dl is the layer that computes what the node does in this direction.
func (r recurrence) dl() layers.Multi {
	act := func(i int) activations.Activation {
		name, _, _ := r.activation(i)
		a, err := activations.Get(layerActivations[name])
		if err != nil {
			panic(err)
		}
		return a
	}
	noBias := !r.has(3)
	switch r.Op {
	case "LSTM":
		return layers.LSTM{Units: r.units, RecurrentActivation: act(0), Activation: act(1), NoBias: noBias, GoBackwards: r.backwards, ReturnSequences: true, ReturnState: true}
	case "GRU":
		return layers.GRU{Units: r.units, RecurrentActivation: act(0), Activation: act(1), NoBias: noBias, ResetBefore: !r.flag("linear_before_reset"), GoBackwards: r.backwards, ReturnSequences: true, ReturnState: true}
	}
	return layers.SimpleRNN{Units: r.units, Activation: act(0), NoBias: noBias, GoBackwards: r.backwards, ReturnSequences: true, ReturnState: true}
}
