package golang

import (
	"fmt"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// activations are what recurrences may have, with how many settings, and those that ONNX gives
// them if the file does not.
var activations = map[string]struct {
	text     string
	settings []float64
}{
	"tanh": {"tanh32", nil}, "sigmoid": {"sigmoid32", nil}, "relu": {"narrow(leakyRelu(0))", nil}, "softsign": {"narrow(softsign)", nil},
	"softplus": {"narrow(softplus)", nil}, "leakyrelu": {"narrow(leakyRelu(%s))", []float64{0.01}},
	"thresholdedrelu": {"narrow(thresholdedRelu(%s))", []float64{1}}, "elu": {"narrow(elu(%s))", []float64{1}},
	"scaledtanh": {"narrow(scaledTanh(%s, %s))", []float64{1, 1}}, "hardsigmoid": {"narrow(hardSigmoid(%s, %s))", []float64{0.2, 0.5}},
	"affine": {"narrow(line(%s, %s))", []float64{1, 0}},
}

// defaults are the activations of each operator for a direction.
var defaults = map[string][]string{"RNN": {"Tanh"}, "LSTM": {"Sigmoid", "Tanh", "Tanh"}, "GRU": {"Sigmoid", "Tanh"}}

// functions are a recurrence's activations for each direction.
func (n *node) functions(directions int) (string, error) {
	names := n.attrs["activations"].Strings
	if len(names) == 0 {
		for range directions {
			names = append(names, defaults[n.op]...)
		}
	}
	if len(names) != directions*len(defaults[n.op]) {
		return "", fmt.Errorf("expected %d activations, got %v", directions*len(defaults[n.op]), names)
	}
	given := [][]float32{n.attrs["activation_alpha"].Floats, n.attrs["activation_beta"].Floats}
	var all []string
	for i, name := range names {
		a, ok := activations[strings.ToLower(name)]
		if !ok {
			return "", fmt.Errorf("activation %q is not exported", name)
		}
		var values []any
		for k, v := range a.settings {
			if len(given[k]) > 0 {
				v, given[k] = float64(given[k][0]), given[k][1:]
			}
			values = append(values, number(v))
		}
		text := fmt.Sprintf(a.text, values...)
		if i%len(defaults[n.op]) == 0 {
			text = "{" + text
		}
		if (i+1)%len(defaults[n.op]) == 0 {
			text += "}"
		}
		all = append(all, text)
	}
	return "[][]func(float32) float32{" + strings.Join(all, ", ") + "}", nil
}

// recurrent is an operator of so many gates.
func recurrent(gates int, cell string) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		for i, v := range n.in {
			want := float32s
			if i == 4 {
				want = []int{proto.Int32}
			}
			if v != nil {
				if err := kinds(n, i, want...); err != nil {
					return err
				}
			}
		}
		backwards := map[string]string{"forward": "false", "reverse": "true", "bidirectional": "false, true"}[n.text("direction", "forward")]
		if backwards == "" {
			return fmt.Errorf("direction %q is not exported", n.text("direction", ""))
		}
		functions, err := n.functions(strings.Count(backwards, ",") + 1)
		if err != nil {
			return err
		}
		settings := fmt.Sprintf("units: %d, directions: []bool{%s}, batchFirst: %v, activation: %s, clip: %s", n.int("hidden_size", 0),
			backwards, n.int("layout", 0) != 0, functions, number(n.float("clip", 0)))
		if n.int("input_forget", 0) != 0 {
			settings += ", coupled: true"
		}
		if n.int("linear_before_reset", 0) != 0 {
			settings += ", linear: true"
		}
		return w.recurrence(n, settings, gates, cell)
	}
}

func (w *writer) recurrence(n *node, settings string, gates int, cell string) error {
	static := n.in[1].static && n.in[2].static && (!n.has(3) || n.in[3].static) && (!n.has(7) || n.in[7].static)
	arg := func(i int, none string) string {
		switch {
		case !n.has(i):
			return none
		case static:
			return w.inLoad(n.in[i])
		}
		return w.arg(n, n.in[i])
	}
	if n.has(7) {
		settings += fmt.Sprintf(", peephole: rows(%s)", arg(7, ""))
	}
	text := fmt.Sprintf("newRecurrence(recurrence{%s}, %s, %s, %s, %d, %v)", settings, arg(1, ""), arg(2, ""), arg(3, "tensor[float32]{}"), gates, n.op == "GRU")
	if static {
		text = w.makeOnce(n, "recurrence", text)
	}
	idents := []string{"_", "_", "_"}
	for i, v := range n.out {
		v.kind = proto.Float
		idents[i] = v.ident
	}
	c := "nil"
	if n.has(6) {
		c = w.numbers(n, 6)
	}
	w.line(n, "%s := %s.run(m, %s, %s, %s, %s, %s)", strings.Join(idents, ", "), text, w.arg(n, n.in[0]), w.numbers(n, 4), w.numbers(n, 5), c, cell)
	return nil
}
