// Package activations holds the functions that follow a layer's weighted sum.
//
// Each is a value with the name that Keras gives it; a nil Activation is linear.
//
//	layers.Dense{Units: 64, Activation: activations.ReLU}
//
// A value says of itself what else is known of it, through small interfaces: Looped, Logits,
// build.Activation. Nothing is concluded from its name.
//
// Source: https://keras.io/api/layers/activations/
package activations

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

// The activations that models use most, under Keras's names.
var (
	// Linear is f(x) = x.
	Linear = looped{
		function{Named: named("linear"), apply: identity, onnx: func(_ *build.Graph, x string) string { return x }},
		identity, graph.OnesLike,
	}.value()
	// ReLU is f(x) = max(x, 0). Its gradient at 0 is 0, as in Keras.
	ReLU = looped{
		function{Named: named("relu"), apply: relu, onnx: operator("Relu")},
		func(x *tensor.Node) *tensor.Node {
			return graph.Max(x, graph.ConvertDType(graph.Const(x.Graph(), float32(0)), x.DType()))
		},
		func(y *tensor.Node) *tensor.Node {
			return graph.ConvertDType(graph.GreaterThan(y, graph.ZerosLike(y)), y.DType())
		},
	}.value()
	// ReLU6 is f(x) = min(max(x, 0), 6).
	ReLU6 = plain("relu6", func(x *tensor.Node) *tensor.Node { return graph.MinScalar(relu(x), 6.0) },
		func(g *build.Graph, x string) string { return g.Op("Clip", []string{x, g.Scalar(0), g.Scalar(6)}) })
	// LeakyReLU is f(x) = x for x > 0, else 0.2 x.
	LeakyReLU = plain("leaky_relu", func(x *tensor.Node) *tensor.Node { return piecewise(x, graph.MulScalar(x, 0.2)) },
		operator("LeakyRelu", build.Attr{Name: "alpha", Value: 0.2}))
	// ELU is f(x) = x for x > 0, else eˣ − 1.
	ELU = plain("elu", func(x *tensor.Node) *tensor.Node { return smooth(x, expm1(x)) }, operator("Elu"))
	// SELU is the self-normalising ELU of Klambauer et al., 2017 (arXiv:1706.02515).
	SELU = plain("selu", func(x *tensor.Node) *tensor.Node {
		const alpha, scale = 1.67326324235437728481704, 1.05070098735548049342
		return graph.MulScalar(smooth(x, graph.MulScalar(expm1(x), alpha)), scale)
	}, operator("Selu"))
	// GELU is x Φ(x), with Φ the cumulative function of the normal distribution.
	GELU = plain("gelu", func(x *tensor.Node) *tensor.Node {
		return graph.Mul(graph.MulScalar(x, 0.5), graph.OnePlus(graph.Erf(graph.MulScalar(x, 1/math.Sqrt2))))
	}, operator("Gelu"))
	// SiLU is x σ(x), also known as swish.
	SiLU = plain("silu", func(x *tensor.Node) *tensor.Node { return graph.Mul(x, graph.Sigmoid(x)) },
		func(g *build.Graph, x string) string {
			return g.Op("Mul", []string{x, g.Op("Sigmoid", []string{x})})
		})
	// Sigmoid is σ(x) = 1 / (1 + e⁻ˣ).
	Sigmoid = looped{
		function{Named: named("sigmoid"), apply: graph.Sigmoid, logits: SigmoidLogits, onnx: operator("Sigmoid")},
		graph.Sigmoid, func(y *tensor.Node) *tensor.Node { return graph.Mul(y, graph.OneMinus(y)) },
	}.value()
	// HardSigmoid is min(max(x/6 + 1/2, 0), 1).
	HardSigmoid = plain("hard_sigmoid", func(x *tensor.Node) *tensor.Node {
		return graph.MinScalar(relu(graph.AddScalar(graph.DivScalar(x, 6.0), 0.5)), 1.0)
	}, operator("HardSigmoid", build.Attr{Name: "alpha", Value: 1.0 / 6}, build.Attr{Name: "beta", Value: 0.5}))
	// Tanh is the hyperbolic tangent.
	Tanh = looped{
		function{Named: named("tanh"), apply: graph.Tanh, onnx: operator("Tanh")},
		graph.Tanh, func(y *tensor.Node) *tensor.Node { return graph.OneMinus(graph.Square(y)) },
	}.value()
	// Softplus is log(1 + eˣ), computed so that a large x does not overflow.
	Softplus = plain("softplus", softplus, operator("Softplus"))
	// Softsign is x / (1 + |x|).
	Softsign = plain("softsign", func(x *tensor.Node) *tensor.Node {
		return graph.Div(x, graph.OnePlus(graph.Abs(x)))
	}, operator("Softsign"))
	// Exponential is eˣ.
	Exponential = plain("exponential", graph.Exp, operator("Exp"))
	// Mish is x tanh(log(1 + eˣ)).
	Mish = plain("mish", func(x *tensor.Node) *tensor.Node { return graph.Mul(x, graph.Tanh(softplus(x))) }, operator("Mish"))
	// Softmax makes a probability distribution of the last axis: eˣⁱ / Σⱼ eˣʲ.
	Softmax Activation = &function{
		Named: named("softmax"), apply: func(x *tensor.Node) *tensor.Node { return graph.Softmax(x, -1) },
		logits: SoftmaxLogits, onnx: operator("Softmax", build.Attr{Name: "axis", Value: -1}),
	}
	// LogSoftmax is the logarithm of Softmax, computed without taking it.
	LogSoftmax = plain("log_softmax", func(x *tensor.Node) *tensor.Node { return graph.LogSoftmax(x, -1) },
		operator("LogSoftmax", build.Attr{Name: "axis", Value: -1}))
)

func init() {
	config.Tells[Looped]("ApplyInLoop", "Apply")
	config.Tells[Looped]("Slope", "Apply")
	config.Tells[Probabilities]("Logits", "Apply")
	for _, a := range []Activation{
		Linear, ReLU, ReLU6, LeakyReLU, ELU, SELU, GELU, SiLU, Sigmoid, HardSigmoid, Tanh,
		Softplus, Softsign, Exponential, Mish, Softmax, LogSoftmax,
	} {
		config.Register(a)
	}
	config.Finds(Get)
	config.Alias(slices.Collect(maps.Keys(aliases))...)
}

// aliases are other names by which Keras knows some.
var aliases = map[string]string{"swish": "silu", "hard_swish": "hard_silu"}

// Get returns the activation that goes by a name: one of Keras's, of which "swish" is
// "silu" and "hard_swish" is "hard_silu", or one that dl.Register has been called with.
func Get(name string) (Activation, error) {
	want := name
	if long, ok := aliases[name]; ok {
		want = long
	}
	a, others, ok := config.Value[Activation](want)
	if !ok {
		return nil, fmt.Errorf("activations: unknown activation %q; there are %s", name, strings.Join(others, ", "))
	}
	return a, nil
}

func identity(x *tensor.Node) *tensor.Node { return x }

// relu leaves what is no number as it is, for it to be seen.
func relu(x *tensor.Node) *tensor.Node {
	zero := graph.ZerosLike(x)
	return graph.Where(graph.LessOrEqual(x, zero), zero, x)
}

// piecewise is x where x > 0, and negative elsewhere.
func piecewise(x, negative *tensor.Node) *tensor.Node {
	return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), x, negative)
}

// smooth is piecewise, but takes the gradient at 0 from the right.
func smooth(x, negative *tensor.Node) *tensor.Node {
	return graph.Where(graph.GreaterOrEqual(x, graph.ZerosLike(x)), x, negative)
}

// expm1 is eˣ − 1 for x ≤ 0. Positive x are cut off first: the branch that
// piecewise leaves out must not overflow, or 0 · ∞ makes its gradient NaN.
func expm1(x *tensor.Node) *tensor.Node {
	zero := graph.ZerosLike(x)
	return graph.AddScalar(graph.Exp(graph.Where(graph.GreaterThan(x, zero), zero, x)), -1.0)
}

// softplus is x itself where 1 is lost beside eˣ.
func softplus(x *tensor.Node) *tensor.Node {
	const large = 20.0
	return graph.Where(graph.GreaterThan(x, graph.Scalar(x.Graph(), x.DType(), large)), x,
		graph.Log1P(graph.Exp(graph.MinScalar(x, large))))
}
