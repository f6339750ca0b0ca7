package translate

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	add(map[string]operator{
		"Relu":            {Inputs: 1, Types: signed, Rule: with(relu)},
		"Sigmoid":         {Inputs: 1, Types: floating, Rule: unary(graph.Sigmoid)},
		"Tanh":            {Inputs: 1, Types: floating, Rule: unary(graph.Tanh)},
		"Softplus":        {Inputs: 1, Types: floating, Rule: unary(activations.Softplus.Apply)},
		"Softsign":        {Inputs: 1, Types: floating, Rule: unary(activations.Softsign.Apply)},
		"Mish":            {Inputs: 1, Types: floating, Rule: unary(activations.Mish.Apply)},
		"Selu":            {Attributes: "alpha gamma", Inputs: 1, Types: floating, Rule: with(selu)},
		"Elu":             {Attributes: "alpha", Inputs: 1, Types: floating, Rule: with(elu)},
		"Celu":            {Attributes: "alpha", Inputs: 1, Types: floating, Rule: with(celu)},
		"LeakyRelu":       {Attributes: "alpha", Inputs: 1, Types: floating, Rule: with(leakyReLU)},
		"ThresholdedRelu": {Attributes: "alpha", Inputs: 1, Types: floating, Rule: with(thresholdedReLU)},
		"PRelu":           {Inputs: 2, Types: signed, Rule: pReLU},
		"Gelu":            {Attributes: "approximate", Inputs: 1, Types: floating, Rule: with(gelu)},
		"Swish":           {Attributes: "alpha", Inputs: 1, Types: floating, Rule: with(swish)},
		"SwiGLU":          {Attributes: "alpha", Inputs: 2, Types: floating, Rule: rule(swiGLU)},
		"HardSigmoid":     {Attributes: "alpha beta", Inputs: 1, Types: floating, Rule: with(hardSigmoid)},
		"HardSwish":       {Inputs: 1, Types: floating, Rule: unary(hardSwish)},
		"Shrink":          {Attributes: "lambd bias", Inputs: 1, Types: numeric, Rule: with(shrink)},
		"Clip":            {Attributes: "min max", Inputs: 3, Types: numeric, Rule: with(clip)},
		"Softmax":         {Attributes: "axis", Inputs: 1, Types: floating, Rule: softmax(steady(graph.Softmax))},
		"LogSoftmax":      {Attributes: "axis", Inputs: 1, Types: floating, Rule: softmax(steady(graph.LogSoftmax))},
		"Hardmax":         {Attributes: "axis", Inputs: 1, Types: floating, Rule: softmax(hardmax)},
	})
}

// choose is a where x > 0, and b elsewhere.
func choose(x, a, b *graph.Node) *graph.Node {
	return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), a, b)
}

func selu(c *call, x *graph.Node) *graph.Node {
	alpha, gamma := c.float("alpha", 1.67326319217681884765625), c.float("gamma", 1.05070102214813232421875)
	low := graph.Mul(graph.Expm1(x), scalar(x, alpha))
	return graph.Mul(choose(x, x, low), scalar(x, gamma))
}

func elu(c *call, x *graph.Node) *graph.Node {
	return choose(x, x, graph.Mul(graph.Expm1(x), scalar(x, c.float("alpha", 1))))
}

func celu(c *call, x *graph.Node) *graph.Node {
	alpha := scalar(x, c.float("alpha", 1))
	return choose(x, x, graph.Mul(graph.Expm1(graph.Div(x, alpha)), alpha))
}

func leakyReLU(c *call, x *graph.Node) *graph.Node {
	low := graph.Mul(x, scalar(x, c.float("alpha", 0.01)))
	return graph.Where(graph.LessThan(x, graph.ZerosLike(x)), low, x)
}

func thresholdedReLU(c *call, x *graph.Node) *graph.Node {
	above := graph.GreaterThan(x, filled(x, c.float("alpha", 1)))
	return graph.Where(above, x, graph.ZerosLike(x))
}

// pReLU had one slope for each channel before opset 7.
func pReLU(c *call) []*value {
	if s := c.value(1); c.opset < 7 && s.shape().Rank() == 1 && c.value(0).shape().Rank() > 2 {
		c.in[1] = &value{node: channels(c.node(s), c.value(0).shape().Rank())}
	}
	return binary(func(x, a *graph.Node) *graph.Node {
		low := graph.Mul(a, x)
		return graph.Where(graph.LessThan(x, graph.ZerosLike(x)), low, graph.Add(x, graph.ZerosLike(low)))
	})(c)
}

func gelu(c *call, x *graph.Node) *graph.Node {
	if c.text("approximate", "none", "tanh") == "none" {
		half := graph.Mul(x, scalar(x, 0.5))
		return graph.Mul(half, graph.Add(scalar(x, 1), graph.Erf(graph.Mul(x, scalar(x, math.Sqrt2/2)))))
	}
	return ops.GELUByTanh(x)
}

func swish(c *call, x *graph.Node) *graph.Node {
	return graph.Mul(x, graph.Sigmoid(graph.Mul(x, scalar(x, c.float("alpha", 1)))))
}

func swiGLU(c *call) *graph.Node { return graph.Mul(swish(c, c.x(0)), c.x(1)) }

func linearSigmoid(x *graph.Node, alpha, beta float64) *graph.Node {
	y := graph.Add(graph.Mul(x, scalar(x, alpha)), scalar(x, beta))
	return graph.Min(graph.Max(y, scalar(x, 0)), scalar(x, 1))
}

func hardSigmoid(c *call, x *graph.Node) *graph.Node {
	return linearSigmoid(x, c.float("alpha", 0.2), c.float("beta", 0.5))
}

func hardSwish(x *graph.Node) *graph.Node { return graph.Mul(x, linearSigmoid(x, 1.0/6, 0.5)) }

func shrink(c *call, x *graph.Node) *graph.Node {
	if d := x.DType(); d.IsUnsigned() {
		return graph.ConvertDType(shrink(c, graph.ConvertDType(x, dtypes.Float64)), d)
	}
	lambda, bias := scalar(x, c.float("lambd", 0.5)), scalar(x, c.float("bias", 0))
	y := graph.Where(graph.LessThan(x, graph.Neg(lambda)), graph.Add(x, bias), graph.ZerosLike(x))
	return graph.Where(graph.GreaterThan(x, lambda), graph.Sub(x, bias), y)
}

// clip has its bounds as attributes before opset 11, and as inputs since.
func clip(c *call, x *graph.Node) *graph.Node {
	bound := func(i int, name string) (*graph.Node, bool) {
		if c.has(i) {
			return graph.Reshape(c.x(i)), true
		}
		if a, ok := c.attribute(name); ok {
			return scalar(x, float64(a.F)), true
		}
		return nil, false
	}
	if low, ok := bound(1, "min"); ok {
		x = graph.Max(x, low)
	}
	if high, ok := bound(2, "max"); ok {
		x = graph.Min(x, high)
	}
	return x
}

// softmax took all axes from the given one on as one before opset 13.
func softmax(f func(x *graph.Node, axes ...int) *graph.Node) func(c *call) []*value {
	f = inFloat(f)
	return rule(func(c *call) *graph.Node {
		x := c.x(0)
		if c.opset >= 13 {
			return f(x, c.axis(-1, x.Rank()))
		}
		axis := c.axis(1, x.Rank())
		rows := 1
		for _, d := range x.Shape().Dimensions[:axis] {
			rows *= d
		}
		y := f(graph.Reshape(x, rows, x.Shape().Size()/max(rows, 1)), 1)
		return graph.Reshape(y, x.Shape().Dimensions...)
	})
}

// fewLogits are so few that another pass over them costs nothing.
const fewLogits = 1 << 16

// steady has f get few numbers less their maximum. XLA computes a product and a difference that follows in one
// operation, which rounds once: where the numbers are products, and as large as those of networks without training,
// the maximum that f takes from them is not theirs, and its exponentials are infinite or all 0.
func steady(f func(x *graph.Node, axes ...int) *graph.Node) func(x *graph.Node, axes ...int) *graph.Node {
	return func(x *graph.Node, axes ...int) *graph.Node {
		if x.Shape().Size() <= fewLogits {
			x = graph.Sub(x, graph.StopGradient(graph.ReduceAndKeep(x, graph.ReduceMax, axes...)))
		}
		return f(x, axes...)
	}
}

// hardmax is 1 at the first of the largest values, and 0 elsewhere.
func hardmax(x *graph.Node, axes ...int) *graph.Node {
	axis := axes[0]
	at := graph.ExpandAxes(graph.ArgMax(x, axis), axis)
	s := x.Shape().Clone()
	s.DType = at.DType()
	places := graph.Iota(x.Graph(), s, axis)
	return graph.ConvertDType(graph.Equal(places, graph.BroadcastToDims(at, s.Dimensions...)), x.DType())
}

// relu is max(x, 0), and 0 for NaN, as in onnxruntime.
func relu(c *call, x *graph.Node) *graph.Node {
	if c.once(0) {
		if y := ops.Then(x, ops.Positive); y != nil {
			return y
		}
	}
	zero := graph.ZerosLike(x)
	return graph.Where(graph.GreaterThan(x, zero), x, zero)
}
