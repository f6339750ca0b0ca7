package translate

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

const oldPair = "axis broadcast"

func init() {
	sum := variadic(graph.Add, nil)
	add(map[string]operator{
		"Add": {Attributes: oldPair, Inputs: 2, Types: numeric, Rule: summed},
		"Sub": {Attributes: oldPair, Inputs: 2, Types: numeric, Rule: binary(graph.Sub)},
		"Mul": {Attributes: oldPair, Inputs: 2, Types: numeric, Rule: binary(graph.Mul)},
		"Div": {Attributes: oldPair, Inputs: 2, Types: numeric, Rule: binary(graph.Div)}, // which rounds integers towards zero
		"Pow": {Attributes: oldPair, Inputs: 2, Types: numeric, Rule: binary(power)},
		"Mod": {Attributes: "fmod", Inputs: 2, Types: numeric, Rule: modulo},

		"Sum":  {Inputs: unlimited, Types: numeric, Rule: sum},
		"Max":  {Inputs: unlimited, Types: numeric, Rule: variadic(orNaN(graph.Max), nil)},
		"Min":  {Inputs: unlimited, Types: numeric, Rule: variadic(orNaN(graph.Min), nil)},
		"Mean": {Inputs: unlimited, Types: floating, Rule: variadic(graph.Add, func(x *graph.Node, n int) *graph.Node { return graph.Div(x, scalar(x, float64(n))) })},

		"Sqrt":       {Inputs: 1, Types: floating, Rule: unary(graph.Sqrt)},
		"Exp":        {Inputs: 1, Types: floating, Rule: unary(graph.Exp)},
		"Log":        {Inputs: 1, Types: floating, Rule: unary(graph.Log)},
		"Erf":        {Inputs: 1, Types: floating, Rule: unary(graph.Erf)},
		"Neg":        {Inputs: 1, Types: signed, Rule: unary(graph.Neg)},
		"Abs":        {Inputs: 1, Types: numeric, Rule: unary(absolute)},
		"Reciprocal": {Inputs: 1, Types: floating, Rule: unary(func(x *graph.Node) *graph.Node { return graph.Div(scalar(x, 1), x) })},
		"Floor":      {Inputs: 1, Types: floating, Rule: unary(graph.Floor)},
		"Ceil":       {Inputs: 1, Types: floating, Rule: unary(graph.Ceil)},
		"Round":      {Inputs: 1, Types: floating, Rule: unary(graph.Round)},
		"Sign":       {Inputs: 1, Types: numeric, Rule: unary(sign)},
		"Sin":        {Inputs: 1, Types: floating, Rule: unary(graph.Sin)},
		"Cos":        {Inputs: 1, Types: floating, Rule: unary(graph.Cos)},
		"Tan":        {Inputs: 1, Types: floating, Rule: unary(func(x *graph.Node) *graph.Node { return graph.Div(graph.Sin(x), graph.Cos(x)) })},
		"Sinh":       {Inputs: 1, Types: floating, Rule: unary(wideFloat(sinh))},
		"Cosh":       {Inputs: 1, Types: floating, Rule: unary(wideFloat(cosh))},
		"Asin":       {Inputs: 1, Types: floating, Rule: unary(asin)},
		"Acos":       {Inputs: 1, Types: floating, Rule: unary(func(x *graph.Node) *graph.Node { return graph.Sub(scalar(x, math.Pi/2), asin(x)) })},
		"Atan":       {Inputs: 1, Types: floating, Rule: unary(func(x *graph.Node) *graph.Node { return graph.Atan2(x, graph.OnesLike(x)) })},
		"Asinh":      {Inputs: 1, Types: floating, Rule: unary(wideFloat(asinh))},
		"Acosh":      {Inputs: 1, Types: floating, Rule: unary(wideFloat(acosh))},
		"Atanh":      {Inputs: 1, Types: floating, Rule: unary(wideFloat(atanh))},

		"BitwiseAnd": {Inputs: 2, Types: integers, Rule: binary(graph.BitwiseAnd)},
		"BitwiseOr":  {Inputs: 2, Types: integers, Rule: binary(graph.BitwiseOr)},
		"BitwiseXor": {Inputs: 2, Types: integers, Rule: binary(graph.BitwiseXor)},
		"BitwiseNot": {Inputs: 1, Types: integers, Rule: unary(graph.BitwiseNot)},
		"BitShift":   {Attributes: "direction", Inputs: 2, Types: integers, Rule: bitShift},
	})
}

// power has the type of its base, whatever that of the exponent is.
func power(a, b *graph.Node) *graph.Node {
	if a.DType() == b.DType() && a.DType().IsFloat() {
		return graph.Pow(a, b)
	}
	if a.DType().IsFloat() {
		return graph.Pow(a, graph.ConvertDType(b, a.DType()))
	}
	y := graph.Pow(graph.ConvertDType(a, dtypes.Float64), graph.ConvertDType(b, dtypes.Float64))
	return graph.ConvertDType(y, a.DType())
}

// modulo has the sign of the divisor or, with fmod, of what is divided.
func modulo(c *call) []*value {
	if c.flag("fmod") {
		return binary(graph.Rem)(c)
	}
	return binary(func(a, b *graph.Node) *graph.Node {
		r := graph.Rem(a, b)
		if a.DType().IsUnsigned() {
			return r
		}
		zero := graph.ZerosLike(r)
		other := graph.LogicalXor(graph.LessThan(r, zero), graph.LessThan(b, zero))
		return graph.Where(graph.LogicalAnd(graph.NotEqual(r, zero), other), graph.Add(r, b), r)
	})(c)
}

// orNaN is no number where one of two is none; XLA's CPU looks at the first only.
func orNaN(f func(a, b *graph.Node) *graph.Node) func(a, b *graph.Node) *graph.Node {
	return func(a, b *graph.Node) *graph.Node {
		y := f(a, b)
		if !b.DType().IsFloat() {
			return y
		}
		whole := graph.BroadcastToDims(b, y.Shape().Dimensions...)
		return graph.Where(graph.IsNaN(whole), whole, y)
	}
}

func absolute(x *graph.Node) *graph.Node {
	if x.DType().IsUnsigned() {
		return x
	}
	return ops.Abs(x)
}

func sign(x *graph.Node) *graph.Node {
	if x.DType().IsUnsigned() {
		return graph.ConvertDType(graph.NotEqual(x, graph.ZerosLike(x)), x.DType())
	}
	return graph.Sign(x)
}

// sinh keeps the digits of small numbers.
func sinh(x *graph.Node) *graph.Node {
	e := graph.Expm1(x)
	small := graph.Mul(scalar(x, 0.5), graph.Add(e, graph.Div(e, graph.Add(e, scalar(x, 1)))))
	large := graph.Mul(scalar(x, 0.5), graph.Sub(graph.Exp(x), graph.Exp(graph.Neg(x))))
	return graph.Where(graph.LessThan(ops.Abs(x), filled(x, 1)), small, large)
}

func cosh(x *graph.Node) *graph.Node {
	return graph.Mul(scalar(x, 0.5), graph.Add(graph.Exp(x), graph.Exp(graph.Neg(x))))
}

// asin is the angle at which a circle of radius 1 has height x.
func asin(x *graph.Node) *graph.Node {
	one := scalar(x, 1)
	return graph.Atan2(x, graph.Sqrt(graph.Mul(graph.Sub(one, x), graph.Add(one, x))))
}

// wideFloat computes a function of halves in float32.
func wideFloat(f func(x *graph.Node) *graph.Node) func(x *graph.Node) *graph.Node {
	return func(x *graph.Node) *graph.Node {
		if d := x.DType(); d.Size() < 4 {
			return graph.ConvertDType(f(graph.ConvertDType(x, dtypes.Float32)), d)
		}
		return f(x)
	}
}

// far is where 1 does not count any more beside a square.
const far = 1e8

// asinh keeps the digits of small numbers, and does not square large ones.
func asinh(x *graph.Node) *graph.Node {
	a := ops.Abs(x)
	near := graph.Min(a, scalar(x, far))
	square := graph.Square(near)
	root := graph.Sqrt(graph.Add(square, scalar(x, 1)))
	y := graph.Log1p(graph.Add(near, graph.Div(square, graph.Add(root, scalar(x, 1)))))
	beyond := graph.Add(graph.Log(graph.Max(a, scalar(x, 1))), scalar(x, math.Ln2))
	return graph.Mul(graph.Sign(x), graph.Where(graph.LessThan(a, filled(x, far)), y, beyond))
}

func acosh(x *graph.Node) *graph.Node {
	over := graph.Sub(graph.Min(x, scalar(x, far)), scalar(x, 1))
	y := graph.Log1p(graph.Add(over, graph.Sqrt(graph.Mul(over, graph.Add(over, scalar(x, 2))))))
	beyond := graph.Add(graph.Log(graph.Max(x, scalar(x, 1))), scalar(x, math.Ln2))
	return graph.Where(graph.GreaterThan(x, filled(x, far)), beyond, y)
}

func atanh(x *graph.Node) *graph.Node {
	return graph.Mul(scalar(x, 0.5), graph.Sub(graph.Log1p(x), graph.Log1p(graph.Neg(x))))
}

// bitShift fills with the sign to the right, and with zeros to the left; a shift by more
// bits than there are leaves nothing else.
func bitShift(c *call) []*value {
	right := c.text("direction", "", "LEFT", "RIGHT") == "RIGHT"
	return binary(func(a, b *graph.Node) *graph.Node {
		bits := 8 * a.DType().Size()
		beyond := graph.GreaterOrEqual(b, scalar(b, float64(bits)))
		if !b.DType().IsUnsigned() {
			beyond = graph.LogicalOr(beyond, graph.LessThan(b, graph.ZerosLike(b)))
		}
		b = graph.Where(beyond, graph.ZerosLike(b), b)
		var y, rest *graph.Node
		switch {
		case !right:
			y = graph.BitwiseShiftLeft(a, b)
			rest = graph.ZerosLike(y)
		case a.DType().IsUnsigned():
			y = graph.BitwiseShiftRightLogical(a, b)
			rest = graph.ZerosLike(y)
		default:
			y = graph.BitwiseShiftRightArithmetic(a, b)
			rest = graph.BitwiseShiftRightArithmetic(graph.Add(a, graph.ZerosLike(y)), scalar(a, float64(bits-1)))
		}
		return graph.Where(graph.BroadcastToDims(beyond, y.Shape().Dimensions...), rest, y)
	})(c)
}

// summed is a sum, together with the convolution that one of the two is, if nothing else needs that.
func summed(c *call) []*value {
	c.oldBroadcast()
	x, last := c.broadcast()
	for i := range x {
		if last && c.once(i) {
			if y := ops.Added(x[i], x[1-i]); y != nil {
				return []*value{{node: y, last: last}}
			}
		}
	}
	return []*value{{node: graph.Add(x[0], x[1]), last: last}}
}
