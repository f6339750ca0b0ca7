package onnx

import (
	"errors"
	"math"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
)

// cell is a recurrent layer in ONNX's terms.
type cell struct {
	op                         string
	units, gates, states       int
	order                      []int // of ONNX's gates among Keras's
	acts                       []activations.Activation
	sequences, returns, before bool
	backwards, biased          bool
}

func cellOf(l layers.Layer) (c cell, err error) {
	pick := func(a, def activations.Activation) activations.Activation {
		if a == nil {
			return def
		}
		return a
	}
	switch l := l.(type) {
	case layers.SimpleRNN:
		c = cell{
			op: "RNN", units: l.Units, gates: 1, states: 1, order: []int{0}, acts: []activations.Activation{pick(l.Activation, activations.Tanh)},
			sequences: l.ReturnSequences, returns: l.ReturnState, backwards: l.GoBackwards, biased: !l.NoBias,
		}
		if l.Stateful {
			err = errStateful
		}
	case layers.LSTM:
		act, gate := pick(l.Activation, activations.Tanh), pick(l.RecurrentActivation, activations.Sigmoid)
		c = cell{
			op: "LSTM", units: l.Units, gates: 4, states: 2, order: []int{0, 3, 1, 2}, acts: []activations.Activation{gate, act, act},
			sequences: l.ReturnSequences, returns: l.ReturnState, backwards: l.GoBackwards, biased: !l.NoBias,
		}
		if l.Stateful {
			err = errStateful
		}
	case layers.GRU:
		act, gate := pick(l.Activation, activations.Tanh), pick(l.RecurrentActivation, activations.Sigmoid)
		c = cell{
			op: "GRU", units: l.Units, gates: 3, states: 1, order: []int{0, 1, 2}, acts: []activations.Activation{gate, act},
			sequences: l.ReturnSequences, returns: l.ReturnState, before: l.ResetBefore, backwards: l.GoBackwards, biased: !l.NoBias,
		}
		if l.Stateful {
			err = errStateful
		}
	}
	return c, err
}

var errStateful = errors.New("a state from batch to batch has no counterpart in ONNX")

// recurrent adds a recurrent layer, or one for both directions.
func (e *exporter) recurrent(l layers.Layer, w []array, in []string) ([]string, error) {
	b, both := l.(layers.Bidirectional)
	if !both {
		c, err := cellOf(l)
		if err != nil {
			return nil, err
		}
		return e.direction(c, w, in)
	}
	forward, err := cellOf(b.Layer)
	if err != nil {
		return nil, err
	}
	var other layers.Layer = b.BackwardLayer
	if b.BackwardLayer == nil {
		other = b.Layer.Reversed()
	}
	backward, err := cellOf(other)
	if err != nil {
		return nil, err
	}
	if len(in) > 1 {
		return nil, errors.New("initial states of both directions have no counterpart in ONNX here")
	}
	f, err := e.direction(forward, w[:len(w)/2], in)
	if err != nil {
		return nil, err
	}
	r, err := e.direction(backward, w[len(w)/2:], in)
	if err != nil {
		return nil, err
	}
	if forward.sequences {
		r[0] = e.turned(r[0])
	}
	var out string
	switch b.MergeMode {
	case layers.Concat:
		out = e.op("Concat", []string{f[0], r[0]}, intAttr("axis", -1))
	case layers.Sum:
		out = e.op("Add", []string{f[0], r[0]})
	case layers.Mul:
		out = e.op("Mul", []string{f[0], r[0]})
	case layers.Ave:
		out = e.op("Mean", []string{f[0], r[0]})
	default:
		return append(append([]string{f[0], r[0]}, f[1:]...), r[1:]...), nil
	}
	return append(append([]string{out}, f[1:]...), r[1:]...), nil
}

// turned is a sequence from its end: [batch, steps, units].
func (e *exporter) turned(x string) string {
	return e.op("Slice", []string{x, e.ints(-1), e.ints(math.MinInt32), e.ints(1), e.ints(-1)})
}

// direction adds a recurrent layer that goes one way.
func (e *exporter) direction(c cell, w []array, in []string) ([]string, error) {
	var names []string
	for _, a := range c.acts {
		name, ok := map[string]string{
			"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "linear": "Affine", "softsign": "Softsign", "softplus": "Softplus",
		}[a.Name()]
		if !ok || name == "Affine" {
			return nil, errors.New("its activation " + a.Name() + " has no counterpart in ONNX")
		}
		names = append(names, name)
	}
	n := c.units
	row := func(a array) array { // [1, gates·units, …]
		a = a.blocks(c.order...).permuted(1, 0)
		return a.reshaped(1, a.dims[0], a.dims[1])
	}
	b := make([]float32, 2*c.gates*n)
	if c.biased {
		if bias := w[2]; len(bias.dims) == 2 {
			copy(b, bias.values)
		} else {
			copy(b, bias.blocks(c.order...).values)
		}
	}
	direction := "forward"
	if c.backwards {
		direction = "reverse"
	}
	attrs := []attr{intAttr("hidden_size", n), textAttr("direction", direction), {"activations", attribute{kind: kindStrings, strings: names}}}
	if c.op == "GRU" && !c.before {
		attrs = append(attrs, intAttr("linear_before_reset", 1))
	}
	args := []string{e.op("Transpose", []string{in[0]}, intsAttr("perm", 1, 0, 2)), e.constant(row(w[0])), e.constant(row(w[1])), e.floats(b, 1, len(b))}
	if len(in) > 1 {
		args = append(args, "")
		for _, s := range in[1:] {
			args = append(args, e.op("Unsqueeze", []string{s, e.ints(0)}))
		}
	}
	y := e.ops(c.op, 1+c.states, args, attrs...)
	var outs []string
	if c.sequences {
		all := e.op("Transpose", []string{e.op("Squeeze", []string{y[0], e.ints(1)})}, intsAttr("perm", 1, 0, 2))
		if c.backwards { // Keras returns what it has read last at the end
			all = e.turned(all)
		}
		outs = append(outs, all)
	}
	var states []string
	for _, s := range y[1:] {
		states = append(states, e.op("Squeeze", []string{s, e.ints(0)}))
	}
	if !c.sequences {
		outs = append(outs, states[0])
	}
	return append(outs, states...), nil
}
