package golang

import (
	"fmt"
	"strconv"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// operator is how an operator of ONNX is written.
type operator struct {
	write func(w *writer, n *node) error
	// pointwise says that each number of the result depends on the numbers at its place.
	pointwise bool
	// since is the oldest opset in which the operator means what is written here; 7 unless
	// it says more.
	since int
}

// operators are those that are exported, by ONNX's names.
var operators map[string]operator

func init() {
	operators = map[string]operator{}
	for _, part := range []map[string]operator{pointwise, shaping, layers, reductions} {
		for name, o := range part {
			operators[name] = o
		}
	}
	for _, name := range []string{"Constant", "Identity", "Dropout"} {
		operators[name] = operator{write: same}
	}
}

// same is for what returns what it gets.
func same(w *writer, n *node) error {
	if n.op == "Dropout" && n.has(2) {
		return fmt.Errorf("training_mode is not exported")
	}
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	shares(n, n.in[0])
	return w.set(n, n.in[0].kind, "%s", w.arg(n, n.in[0]))
}

var pointwise = map[string]operator{
	"Add": both("add", numbers, 0), "Sub": both("sub", numbers, 0), "Mul": both("mul", numbers, 0), "Div": both("div", numbers, 0),
	"Equal": both("equal", all, proto.Bool), "Greater": both("greater", numbers, proto.Bool),
	"GreaterOrEqual": both("greaterOrEqual", numbers, proto.Bool), "Less": both("less", numbers, proto.Bool),
	"LessOrEqual": both("lessOrEqual", numbers, proto.Bool), "PRelu": both("prelu", numbers, 0),
	"And": both("and", []int{proto.Bool}, 0), "Or": both("or", []int{proto.Bool}, 0), "Xor": both("xor", []int{proto.Bool}, 0),
	"Min": several("least"), "Max": several("greatest"), "Sum": several("add"), "Mean": {write: mean, pointwise: true},
	"Pow": {write: pow, pointwise: true}, "Where": {write: where, pointwise: true},
	"Not":   {write: apart("not(m, %s)", []int{proto.Bool}, 0), pointwise: true},
	"IsNaN": {write: apart("isNaN(m, %s)", floats, proto.Bool), pointwise: true}, "IsInf": {write: isInf, pointwise: true},
	"Cast": {write: cast, pointwise: true, since: 9}, "Clip": {write: clip, pointwise: true, since: 11},

	"Relu": inPlace("relu(%s)", numbers), "Neg": inPlace("neg(%s)", numbers), "Abs": inPlace("abs(%s)", numbers),
	"Sign": inPlace("sign(%s)", numbers),
	"Exp":  single("exp32", "math.Exp"), "Log": function("math.Log"), "Sqrt": function("math.Sqrt"), "Erf": function("math.Erf"),
	"Sin": function("math.Sin"), "Cos": function("math.Cos"), "Tan": function("math.Tan"), "Asin": function("math.Asin"),
	"Acos": function("math.Acos"), "Atan": function("math.Atan"), "Sinh": function("math.Sinh"), "Cosh": function("math.Cosh"),
	"Tanh": single("tanh32", "math.Tanh"), "Asinh": function("math.Asinh"), "Acosh": function("math.Acosh"), "Atanh": function("math.Atanh"),
	"Floor": function("math.Floor"), "Ceil": function("math.Ceil"), "Round": function("math.RoundToEven"),
	"Sigmoid": single("sigmoid32", "sigmoid"), "Reciprocal": function("reciprocal"), "Softsign": function("softsign"),
	"Softplus": function("softplus"), "Mish": function("mish"), "HardSwish": function("hardSwish"),
	"LeakyRelu": settings("leakyRelu", setting{"alpha", 0.01}), "Elu": settings("elu", setting{"alpha", 1}),
	"Celu": settings("celu", setting{"alpha", 1}), "ThresholdedRelu": settings("thresholdedRelu", setting{"alpha", 1}),
	"Selu":        settings("selu", setting{"alpha", 1.67326319217681884765625}, setting{"gamma", 1.05070102214813232421875}),
	"HardSigmoid": settings("hardSigmoid", setting{"alpha", 0.2}, setting{"beta", 0.5}),
	"Shrink":      settings("shrink", setting{"lambd", 0.5}, setting{"bias", 0}), "Swish": settings("swish", setting{"alpha", 1}),
	"Gelu": {write: gelu, pointwise: true},
}

// both is a function of two tensors of one type.
func both(name string, allowed []int, result int) operator {
	return operator{pointwise: true, write: func(w *writer, n *node) error {
		if err := alike(n, allowed); err != nil {
			return err
		}
		kind := result
		if kind == 0 {
			kind = n.in[0].kind
		}
		return w.set(n, kind, "%s(m, %s)", name, w.args(n, n.in...))
	}}
}

// alike checks that all inputs have the same type.
func alike(n *node, allowed []int) error {
	for i, v := range n.in {
		if err := kinds(n, i, allowed...); err != nil {
			return err
		}
		if v.kind != n.in[0].kind {
			return fmt.Errorf("expected inputs of one type, got %s and %s", proto.KindNames[n.in[0].kind], proto.KindNames[v.kind])
		}
	}
	return nil
}

// several folds a function over any number of tensors.
func several(name string) operator {
	return operator{pointwise: true, write: func(w *writer, n *node) error {
		text, err := folded(w, n, name)
		if err != nil {
			return err
		}
		return w.set(n, n.in[0].kind, "%s", text)
	}}
}

func folded(w *writer, n *node, name string) (string, error) {
	if err := alike(n, numbers); err != nil {
		return "", err
	}
	if len(n.in) == 1 {
		return w.over(n, n.in[0]), nil
	}
	text := w.arg(n, n.in[0])
	for _, v := range n.in[1:] {
		text = fmt.Sprintf("%s(m, %s, %s)", name, text, w.arg(n, v))
	}
	return text, nil
}

func mean(w *writer, n *node) error {
	if err := kinds(n, 0, float32s...); err != nil {
		return err
	}
	text, err := folded(w, n, "add")
	if err != nil {
		return err
	}
	return w.set(n, n.in[0].kind, "scale(%s, %s)", text, number(1/float64(len(n.in))))
}

// number is a number in Go, with the digits that float32 has.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 32) }

// apart is a function of a tensor that makes another one.
func apart(format string, allowed []int, result int) func(*writer, *node) error {
	return func(w *writer, n *node) error {
		if err := kinds(n, 0, allowed...); err != nil {
			return err
		}
		kind := result
		if kind == 0 {
			kind = n.in[0].kind
		}
		return w.set(n, kind, format, w.arg(n, n.in[0]))
	}
}

// inPlace is a function that writes over its operand.
func inPlace(format string, allowed []int) operator {
	return operator{pointwise: true, write: func(w *writer, n *node) error {
		if err := kinds(n, 0, allowed...); err != nil {
			return err
		}
		return w.set(n, n.in[0].kind, format, w.over(n, n.in[0]))
	}}
}

// function is one of numbers.
func function(name string) operator { return inPlace("each(%s, "+name+")", floats) }

// single is a function that is there for float32 as well.
func single(short, long string) operator {
	return operator{pointwise: true, write: func(w *writer, n *node) error {
		if n.in[0].kind == proto.Float {
			return inPlace("each32(%s, "+short+")", floats).write(w, n)
		}
		return function(long).write(w, n)
	}}
}

type setting struct {
	name      string
	otherwise float64
}

// settings is a function of numbers that settings make.
func settings(name string, all ...setting) operator {
	return operator{pointwise: true, write: func(w *writer, n *node) error {
		if err := kinds(n, 0, floats...); err != nil {
			return err
		}
		text := ""
		for i, s := range all {
			if i > 0 {
				text += ", "
			}
			text += number(n.float(s.name, s.otherwise))
		}
		return w.set(n, n.in[0].kind, "each(%s, %s(%s))", w.over(n, n.in[0]), name, text)
	}}
}

func gelu(w *writer, n *node) error {
	name := "gelu"
	if n.text("approximate", "none") == "tanh" {
		name = "geluByTanh"
	}
	return function(name).write(w, n)
}

func pow(w *writer, n *node) error {
	for i := range 2 {
		if err := kinds(n, i, numbers...); err != nil {
			return err
		}
	}
	return w.set(n, n.in[0].kind, "pow(m, %s)", w.args(n, n.in...))
}

func where(w *writer, n *node) error {
	if err := kinds(n, 0, proto.Bool); err != nil {
		return err
	}
	if err := kinds(n, 1, all...); err != nil {
		return err
	}
	if err := kinds(n, 2, n.in[1].kind); err != nil {
		return err
	}
	return w.set(n, n.in[1].kind, "where(m, %s)", w.args(n, n.in...))
}

func isInf(w *writer, n *node) error {
	if err := kinds(n, 0, floats...); err != nil {
		return err
	}
	return w.set(n, proto.Bool, "isInf(m, %s, %v, %v)", w.arg(n, n.in[0]), n.int("detect_negative", 1) != 0, n.int("detect_positive", 1) != 0)
}

func cast(w *writer, n *node) error {
	if err := kinds(n, 0, all...); err != nil {
		return err
	}
	from, to := n.in[0].kind, n.int("to", 0)
	switch x := w.arg(n, n.in[0]); {
	case from == to:
		shares(n, n.in[0])
		return w.set(n, to, "%s", x)
	case from == proto.Bool:
		return w.set(n, to, "castBool[%s](m, %s)", Types[to], x)
	case to == proto.Bool:
		return w.set(n, to, "castToBool(m, %s)", x)
	default:
		return w.set(n, to, "cast[%s](m, %s)", Types[to], x)
	}
}

func clip(w *writer, n *node) error {
	if err := kinds(n, 0, numbers...); err != nil {
		return err
	}
	low, high := w.numbers(n, 1), w.numbers(n, 2)
	return w.set(n, n.in[0].kind, "clip(%s, %s, %s)", w.over(n, n.in[0]), low, high)
}
