package layers

import (
	"errors"
	"math"
	"strings"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
)

// The recurrences in ONNX, and where Keras keeps their weights.

// KerasPath implements KerasPather.
func (SimpleRNN) KerasPath(string) string { return "/cell" }

// KerasPath implements KerasPather.
func (LSTM) KerasPath(string) string { return "/cell" }

// KerasPath implements KerasPather.
func (GRU) KerasPath(string) string { return "/cell" }

// KerasPath implements KerasPather.
func (l Bidirectional) KerasPath(weight string) string {
	part, rest, _ := strings.Cut(weight, "/")
	return "/" + part + kerasPath(l.Layer, rest)
}

// KerasPath implements KerasPather.
func (l TimeDistributed) KerasPath(weight string) string {
	_, rest, _ := strings.Cut(weight, "/")
	return "/layer" + kerasPath(l.Layer, rest)
}

func kerasPath(l Layer, weight string) string {
	if p, ok := l.(KerasPather); ok {
		return p.KerasPath(weight)
	}
	return ""
}

// onnxCell is a recurrence in ONNX's terms.
type onnxCell struct {
	op    string
	order []int                    // of ONNX's gates among Keras's
	acts  []activations.Activation // in ONNX's order
	after bool                     // of a GRU
}

// ONNX implements build.Layer.
func (l SimpleRNN) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	r := l.cell()
	return r.onnx(g, c, onnxCell{op: "RNN", order: []int{0}, acts: []activations.Activation{r.act}})
}

// ONNX implements build.Layer.
func (l LSTM) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	r := l.cell()
	return r.onnx(g, c, onnxCell{op: "LSTM", order: []int{0, 3, 1, 2}, acts: []activations.Activation{r.gate, r.act, r.act}})
}

// ONNX implements build.Layer.
func (l GRU) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	r := l.cell()
	return r.onnx(g, c, onnxCell{op: "GRU", order: []int{0, 1, 2}, acts: []activations.Activation{r.gate, r.act}, after: !l.ResetBefore})
}

// onnxFunction is the name of an activation as a setting of ONNX's recurrences, which is that
// of its operator if it has no settings itself.
func onnxFunction(a activations.Activation) (string, error) {
	if f, ok := config.As[build.Activation](a); ok {
		var g build.Graph
		if _, ok := f.ONNX(&g, "x"); ok && len(g.Nodes) == 1 && len(g.Nodes[0].Attrs) == 0 {
			switch op := g.Nodes[0].Op; op {
			case "Tanh", "Sigmoid", "Relu", "Softsign", "Softplus": // that it takes
				return op, nil
			}
		}
	}
	return "", errors.New("its activation " + a.Name() + " has no counterpart in ONNX's recurrences")
}

// onnx adds a recurrence that goes one way. Its first output is what the layer returns, then
// come the states, whether it returns them or not.
func (r recurrent) onnx(g *build.Graph, c build.Call, cell onnxCell) ([]string, error) {
	if r.stateful {
		return nil, errors.New("a state from batch to batch has no counterpart in ONNX")
	}
	var names []string
	for _, a := range cell.acts {
		name, err := onnxFunction(a)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	w := c.Weights
	row := func(a build.Array) build.Array { // [1, gates·units, …]
		a = a.Blocks(cell.order...).Permuted(1, 0)
		return a.Reshaped(1, a.Dims[0], a.Dims[1])
	}
	b := make([]float32, 2*r.gates*r.units)
	if r.biases != nil {
		if bias := w[2]; len(bias.Dims) == 2 {
			copy(b, bias.Values)
		} else {
			copy(b, bias.Blocks(cell.order...).Values)
		}
	}
	direction := "forward"
	if r.backwards {
		direction = "reverse"
	}
	attrs := []build.Attr{{Name: "hidden_size", Value: r.units}, {Name: "direction", Value: direction}, {Name: "activations", Value: names}}
	if cell.after {
		attrs = append(attrs, build.Attr{Name: "linear_before_reset", Value: 1})
	}
	args := []string{g.Op("Transpose", c.In[:1], onnxInts("perm", 1, 0, 2)), g.Array(row(w[0])), g.Array(row(w[1])), g.Floats(b, 1, len(b))}
	if len(c.In) > 1 {
		args = append(args, "")
		for _, s := range c.In[1:] {
			args = append(args, g.Op("Unsqueeze", []string{s, g.Ints(0)}))
		}
	}
	y := g.Ops(cell.op, 1+r.states, args, attrs...)
	var states []string
	for _, s := range y[1:] {
		states = append(states, g.Op("Squeeze", []string{s, g.Ints(0)}))
	}
	out := states[0]
	if r.sequences {
		out = g.Op("Transpose", []string{g.Op("Squeeze", []string{y[0], g.Ints(1)})}, onnxInts("perm", 1, 0, 2))
		if r.backwards { // Keras returns what it has read last at the end
			out = onnxTurned(g, out)
		}
	}
	return append([]string{out}, states...), nil
}

// onnxTurned is a sequence from its end: [batch, steps, units].
func onnxTurned(g *build.Graph, x string) string {
	return g.Op("Slice", []string{x, g.Ints(-1), g.Ints(math.MinInt32), g.Ints(1), g.Ints(-1)})
}

// ONNX implements build.Layer.
func (l Bidirectional) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	forward, backward := l.Layer, l.BackwardLayer
	if backward == nil {
		backward = forward.Reversed()
	}
	if len(c.In) > 1 {
		return nil, errors.New("initial states of both directions have no counterpart in ONNX here")
	}
	one := func(l Layer, w []build.Array) ([]string, error) {
		f, ok := config.As[build.Layer](l)
		if !ok {
			return nil, errNoONNX
		}
		c.Weights = w
		return f.ONNX(g, c)
	}
	w := c.Weights
	f, err := one(forward, w[:len(w)/2])
	if err != nil {
		return nil, err
	}
	r, err := one(backward, w[len(w)/2:])
	if err != nil {
		return nil, err
	}
	if forward.Sequences() {
		r[0] = onnxTurned(g, r[0])
	}
	both := []string{f[0], r[0]}
	out := both
	switch l.MergeMode {
	case Concat:
		out = []string{g.Op("Concat", both, build.Attr{Name: "axis", Value: -1})}
	case Sum:
		out = []string{g.Op("Add", both)}
	case Mul:
		out = []string{g.Op("Mul", both)}
	case Ave:
		out = []string{g.Op("Mean", both)}
	}
	return append(append(out, f[1:]...), r[1:]...), nil
}
