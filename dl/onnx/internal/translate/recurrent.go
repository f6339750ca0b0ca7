package translate

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/ops"
)

const cell = "activation_alpha activation_beta activations clip direction hidden_size layout"

func init() {
	add(map[string]operator{
		"RNN":  {Attributes: cell, Inputs: 6, Outputs: 2, Types: floating, Rule: recurrent},
		"GRU":  {Attributes: cell + " linear_before_reset", Inputs: 6, Outputs: 2, Types: floating, Rule: recurrent},
		"LSTM": {Attributes: cell + " input_forget", Inputs: 8, Outputs: 3, Types: floating, Rule: recurrent},
	})
}

// recurrent runs RNN, GRU and LSTM: as dl's layers of those names where the node asks for
// no more than they have, and step by step otherwise.
func recurrent(c *call) []*value {
	x := c.x(0)
	batchFirst := c.flag("layout")
	if batchFirst {
		x = graph.TransposeAllAxes(x, 1, 0, 2)
	}
	directions := c.value(1).shape().Dimensions[0]
	way := c.text("direction", "forward", "reverse", "bidirectional")
	if (way == "bidirectional") != (directions == 2) || directions < 1 || directions > 2 {
		panic(fmt.Errorf("direction %s does not fit weights of %d directions", way, directions))
	}
	var ys, hs, cs []*graph.Node
	for k := range directions {
		r := recurrence{call: c, k: k, units: c.value(2).shape().Dimensions[2], backwards: way == "reverse" || k == 1}
		if n := c.int("hidden_size", r.units); n != r.units {
			panic(fmt.Errorf("hidden_size %d does not fit weights of %d", n, r.units))
		}
		y, h, s := r.run(x)
		ys, hs = append(ys, y), append(hs, h)
		if s != nil {
			cs = append(cs, s)
		}
	}
	y, axis := graph.Stack(ys, 1), 0
	if batchFirst {
		y, axis = graph.TransposeAllAxes(y, 2, 0, 1, 3), 1
	}
	out := []*graph.Node{y, graph.Stack(hs, axis)}
	if cs != nil {
		out = append(out, graph.Stack(cs, axis))
	}
	return several(out...)
}

// recurrence is one direction of a node.
type recurrence struct {
	*call
	k, units  int
	backwards bool
}

// gates are how many a cell has, and activations how many it uses.
func (r recurrence) gates() (gates, activations int) {
	switch r.Op {
	case "LSTM":
		return 4, 3
	case "GRU":
		return 3, 2
	}
	return 1, 1
}

// direction is the part of an input that belongs to this direction.
func (r recurrence) direction(i int) *graph.Node {
	x := r.x(i)
	axis := 0
	if i >= 5 && i != 7 && r.flag("layout") { // states
		axis = 1
	}
	return graph.Squeeze(graph.SliceAxis(x, axis, graph.AxisElem(r.k)), axis)
}

// activation is one of the cell's, by ONNX's name.
func (r recurrence) activation(i int) (name string, alpha, beta float64) {
	a, ok := r.attribute("activations")
	_, n := r.gates()
	name = []string{"Sigmoid", "Tanh", "Tanh"}[i]
	if r.Op == "RNN" {
		name = "Tanh"
	}
	at := r.k*n + i
	if ok && at < len(a.Strings) {
		name = a.Strings[at]
	}
	// The numbers come in the order of the functions that take one.
	number := func(attribute string, takes map[string]float64, missing bool) float64 {
		def, takesOne := takes[strings.ToLower(name)]
		v, given := r.attribute(attribute)
		if !takesOne {
			return 0
		}
		place := 0
		for j := range at {
			before := []string{"Sigmoid", "Tanh", "Tanh"}[j%n]
			if r.Op == "RNN" {
				before = "Tanh"
			}
			if ok && j < len(a.Strings) {
				before = a.Strings[j]
			}
			if _, one := takes[strings.ToLower(before)]; one {
				place++
			}
		}
		if given && place < len(v.Floats) {
			return float64(v.Floats[place])
		}
		if missing {
			panic(fmt.Errorf("the activation %s needs a number in %s", name, attribute))
		}
		return def
	}
	needed := strings.EqualFold(name, "Affine") || strings.EqualFold(name, "ScaledTanh")
	alphas := map[string]float64{"leakyrelu": 0.01, "hardsigmoid": 0.2, "elu": 1, "thresholdedrelu": 1, "affine": 1, "scaledtanh": 1}
	betas := map[string]float64{"hardsigmoid": 0.5, "affine": 0, "scaledtanh": 1}
	return name, number("activation_alpha", alphas, needed), number("activation_beta", betas, needed)
}

func (r recurrence) apply(i int, x *graph.Node) *graph.Node {
	name, alpha, beta := r.activation(i)
	a, b := scalar(x, alpha), scalar(x, beta)
	switch strings.ToLower(name) {
	case "relu":
		return graph.Max(x, graph.ZerosLike(x))
	case "tanh":
		return graph.Tanh(x)
	case "sigmoid":
		return graph.Sigmoid(x)
	case "softsign":
		return activations.Softsign.Apply(x)
	case "softplus":
		return activations.Softplus.Apply(x)
	case "leakyrelu":
		return choose(x, x, graph.Mul(x, a))
	case "thresholdedrelu":
		above := graph.GreaterThan(x, filled(x, alpha))
		return graph.Where(above, x, graph.ZerosLike(x))
	case "elu":
		return choose(x, x, graph.Mul(a, graph.Expm1(x)))
	case "affine":
		return graph.Add(graph.Mul(x, a), b)
	case "scaledtanh":
		return graph.Mul(a, graph.Tanh(graph.Mul(x, b)))
	case "hardsigmoid":
		return linearSigmoid(x, alpha, beta)
	}
	panic(fmt.Errorf("the activation %s is not supported", name))
}

// plain says whether a layer of dl computes all that the node asks for.
func (r recurrence) plain() bool {
	_, clipped := r.attribute("clip")
	if r.has(4) || r.has(7) || clipped || r.flag("input_forget") || r.value(0).shape().DType != dtypes.Float32 {
		return false
	}
	_, n := r.gates()
	for i := range n {
		name, _, _ := r.activation(i)
		if layerActivations[name] == "" {
			return false
		}
	}
	if cell, _, _ := r.activation(min(1, n-1)); n == 3 { // Keras's LSTM has one for the cell and the output
		if out, _, _ := r.activation(2); out != cell {
			return false
		}
	}
	return r.value(0).shape().Size() > 0
}

var layerActivations = map[string]string{"Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Softsign": "softsign", "Softplus": "softplus"}

// run returns what comes of each step, in the order of the input, and the last states.
func (r recurrence) run(x *graph.Node) (y, h, s *graph.Node) {
	if r.plain() {
		return r.layer(x)
	}
	return r.steps(x)
}

// states are the first ones that the node is given, zeros if it is given none.
func (r recurrence) states(x *graph.Node) (h, s *graph.Node) {
	zero := r.fill(x.DType(), 0, x.Shape().Dimensions[1], r.units)
	h, s = zero, zero
	if r.has(5) {
		h = r.direction(5)
	}
	if r.Op == "LSTM" && r.has(6) {
		s = r.direction(6)
	}
	return h, s
}

// bias are the two halves of the biases, zeros if there are none.
func (r recurrence) bias(x *graph.Node) (in, again *graph.Node) {
	gates, _ := r.gates()
	if !r.has(3) {
		zero := r.fill(x.DType(), 0, gates*r.units)
		return zero, zero
	}
	b := r.direction(3)
	return part(b, 0, 0, gates*r.units, 1), part(b, 0, gates*r.units, 2*gates*r.units, 1)
}

// steps unrolls the recurrence.
func (r recurrence) steps(x *graph.Node) (y, h, s *graph.Node) {
	d := x.Shape().Dimensions
	w, again := r.direction(1), r.direction(2)
	b, bAgain := r.bias(x)
	h, s = r.states(x)
	var lengths *graph.Node
	if r.has(4) {
		lengths = graph.Reshape(graph.ConvertDType(r.x(4), dtypes.Int32), d[1], 1)
		if r.backwards {
			x = reverseSequence(x, lengths, 0, 1, 0)
		}
	} else if r.backwards {
		x = ops.Reverse(x, 0)
	}
	in := graph.Add(dot(x, []int{2}, nil, w, []int{1}, nil), graph.ExpandLeftToRank(b, 3))
	var all []*graph.Node
	for t := range d[0] {
		now := graph.Reshape(graph.SliceAxis(in, 0, graph.AxisElem(t)), d[1], -1)
		nextH, nextS := r.step(now, h, s, again, bAgain)
		out := nextH
		if lengths != nil {
			on := graph.GreaterThan(lengths, graph.Scalar(r.g, dtypes.Int32, t))
			on = graph.BroadcastToDims(on, d[1], r.units)
			out = graph.Where(on, nextH, graph.ZerosLike(nextH))
			nextH, nextS = graph.Where(on, nextH, h), graph.Where(on, nextS, s)
		}
		h, s = nextH, nextS
		all = append(all, out)
	}
	if len(all) == 0 {
		y = r.fill(x.DType(), 0, 0, d[1], r.units)
	} else {
		y = graph.Stack(all, 0)
	}
	switch {
	case r.backwards && lengths != nil:
		y = reverseSequence(y, lengths, 0, 1, 0)
	case r.backwards:
		y = ops.Reverse(y, 0)
	}
	if r.Op != "LSTM" {
		s = nil
	}
	return y, h, s
}

// clipped keeps what goes into an activation within ±clip.
func (r recurrence) clipped(x *graph.Node) *graph.Node {
	a, ok := r.attribute("clip")
	if !ok || a.F <= 0 {
		return x
	}
	c := float64(a.F)
	return graph.Min(graph.Max(x, scalar(x, -c)), scalar(x, c))
}

// step is one step of a cell: in is what comes from the input, with its bias.
func (r recurrence) step(in, h, s, again, bias *graph.Node) (nextH, nextS *graph.Node) {
	gate := func(x *graph.Node, i int) *graph.Node { return part(x, 1, i*r.units, (i+1)*r.units, 1) }
	times := func(h, w *graph.Node) *graph.Node { return dot(h, []int{1}, nil, w, []int{1}, nil) }
	f := func(i int, x *graph.Node) *graph.Node { return r.apply(i, r.clipped(x)) }
	wide := graph.ExpandLeftToRank(bias, 2)
	switch r.Op {
	case "RNN":
		return f(0, graph.Add(in, graph.Add(times(h, again), wide))), s
	case "GRU":
		return r.gru(in, h, again, wide, gate, times, f), s
	}
	all := graph.Add(in, graph.Add(times(h, again), wide)) // input, output, forget, cell
	peep := func(i int, s *graph.Node, x *graph.Node) *graph.Node {
		if !r.has(7) {
			return x
		}
		p := part(r.direction(7), 0, i*r.units, (i+1)*r.units, 1)
		return graph.Add(x, graph.Mul(graph.ExpandLeftToRank(p, 2), s))
	}
	i := f(0, peep(0, s, gate(all, 0)))
	forget := graph.Sub(scalar(i, 1), i)
	if !r.flag("input_forget") {
		forget = f(0, peep(2, s, gate(all, 2)))
	}
	next := graph.Add(graph.Mul(forget, s), graph.Mul(i, f(1, gate(all, 3))))
	o := f(0, peep(1, next, gate(all, 1)))
	return graph.Mul(o, r.apply(2, next)), next
}

func (r recurrence) gru(in, h, again, bias *graph.Node, gate func(*graph.Node, int) *graph.Node, times func(h, w *graph.Node) *graph.Node, f func(int, *graph.Node) *graph.Node) *graph.Node {
	rows := func(i, j int) *graph.Node { return part(again, 0, i*r.units, j*r.units, 1) }
	zr := graph.Add(part(in, 1, 0, 2*r.units, 1), graph.Add(times(h, rows(0, 2)), part(bias, 1, 0, 2*r.units, 1)))
	z, reset := f(0, gate(zr, 0)), f(0, gate(zr, 1))
	var n *graph.Node
	if r.flag("linear_before_reset") {
		n = graph.Mul(reset, graph.Add(times(h, rows(2, 3)), gate(bias, 2)))
	} else {
		n = graph.Add(times(graph.Mul(reset, h), rows(2, 3)), gate(bias, 2))
	}
	n = f(1, graph.Add(gate(in, 2), n))
	return graph.Add(graph.Mul(graph.Sub(scalar(z, 1), z), n), graph.Mul(z, h))
}
