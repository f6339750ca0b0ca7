// Package activations holds the functions that follow a layer's weighted sum.
//
// Each is a value with the name that Keras gives it; a nil Activation is linear.
//
//	layers.Dense{Units: 64, Activation: activations.ReLU}
//
// Source: https://keras.io/api/layers/activations/
package activations

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
)

// Activation is a function of a tensor that keeps its shape.
type Activation interface {
	// Name is the name by which Keras knows the function, for example "relu".
	Name() string
	// Apply adds the function to x's graph.
	Apply(x *graph.Node) *graph.Node
}

// Func makes an Activation of a function of one's own, which must keep the
// shape of its argument.
func Func(name string, apply func(x *graph.Node) *graph.Node) Activation {
	return activation{name, apply}
}

type activation struct {
	name  string
	apply func(x *graph.Node) *graph.Node
}

func (a activation) Name() string                    { return a.name }
func (a activation) Apply(x *graph.Node) *graph.Node { return a.apply(x) }
func (a activation) String() string                  { return a.name }

// The activations that models use most, under Keras's names.
var (
	// Linear is f(x) = x.
	Linear = Func("linear", func(x *graph.Node) *graph.Node { return x })
	// ReLU is f(x) = max(x, 0). Its gradient at 0 is 0, as in Keras.
	ReLU = Func("relu", relu)
	// ReLU6 is f(x) = min(max(x, 0), 6).
	ReLU6 = Func("relu6", func(x *graph.Node) *graph.Node { return graph.MinScalar(relu(x), 6.0) })
	// LeakyReLU is f(x) = x for x > 0, else 0.2 x.
	LeakyReLU = Func("leaky_relu", func(x *graph.Node) *graph.Node {
		return piecewise(x, graph.MulScalar(x, 0.2))
	})
	// ELU is f(x) = x for x > 0, else eˣ − 1.
	ELU = Func("elu", func(x *graph.Node) *graph.Node { return smooth(x, expm1(x)) })
	// SELU is the self-normalising ELU of Klambauer et al., 2017 (arXiv:1706.02515).
	SELU = Func("selu", func(x *graph.Node) *graph.Node {
		const alpha, scale = 1.67326324235437728481704, 1.05070098735548049342
		return graph.MulScalar(smooth(x, graph.MulScalar(expm1(x), alpha)), scale)
	})
	// GELU is x Φ(x), with Φ the cumulative function of the normal distribution.
	GELU = Func("gelu", func(x *graph.Node) *graph.Node {
		return graph.Mul(graph.MulScalar(x, 0.5), graph.OnePlus(graph.Erf(graph.MulScalar(x, 1/math.Sqrt2))))
	})
	// SiLU is x σ(x), also known as swish.
	SiLU = Func("silu", func(x *graph.Node) *graph.Node { return graph.Mul(x, graph.Sigmoid(x)) })
	// Sigmoid is σ(x) = 1 / (1 + e⁻ˣ).
	Sigmoid = Func("sigmoid", graph.Sigmoid)
	// HardSigmoid is min(max(x/6 + 1/2, 0), 1).
	HardSigmoid = Func("hard_sigmoid", func(x *graph.Node) *graph.Node {
		return graph.MinScalar(relu(graph.AddScalar(graph.DivScalar(x, 6.0), 0.5)), 1.0)
	})
	// Tanh is the hyperbolic tangent.
	Tanh = Func("tanh", graph.Tanh)
	// Softplus is log(1 + eˣ), computed so that a large x does not overflow.
	Softplus = Func("softplus", softplus)
	// Softsign is x / (1 + |x|).
	Softsign = Func("softsign", func(x *graph.Node) *graph.Node {
		return graph.Div(x, graph.OnePlus(graph.Abs(x)))
	})
	// Exponential is eˣ.
	Exponential = Func("exponential", graph.Exp)
	// Mish is x tanh(log(1 + eˣ)).
	Mish = Func("mish", func(x *graph.Node) *graph.Node { return graph.Mul(x, graph.Tanh(softplus(x))) })
	// Softmax makes a probability distribution of the last axis: eˣⁱ / Σⱼ eˣʲ.
	Softmax = Func("softmax", func(x *graph.Node) *graph.Node { return graph.Softmax(x, -1) })
	// LogSoftmax is the logarithm of Softmax, computed without taking it.
	LogSoftmax = Func("log_softmax", func(x *graph.Node) *graph.Node { return graph.LogSoftmax(x, -1) })
)

var all = []Activation{
	Linear, ReLU, ReLU6, LeakyReLU, ELU, SELU, GELU, SiLU, Sigmoid, HardSigmoid, Tanh,
	Softplus, Softsign, Exponential, Mish, Softmax, LogSoftmax,
}

// Get returns the activation that Keras knows by name; "swish" is "silu".
func Get(name string) (Activation, error) {
	want := name
	if want == "swish" {
		want = "silu"
	}
	names := make([]string, 0, len(all))
	for _, a := range all {
		if a.Name() == want {
			return a, nil
		}
		names = append(names, a.Name())
	}
	slices.Sort(names)
	return nil, fmt.Errorf("activations: unknown activation %q; there are %s", name, strings.Join(names, ", "))
}

func init() { config.RegisterNames(Get) }

func relu(x *graph.Node) *graph.Node { return piecewise(x, graph.ZerosLike(x)) }

// piecewise is x where x > 0, and negative elsewhere.
func piecewise(x, negative *graph.Node) *graph.Node {
	return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), x, negative)
}

// smooth is piecewise, but takes the gradient at 0 from the right.
func smooth(x, negative *graph.Node) *graph.Node {
	return graph.Where(graph.GreaterOrEqual(x, graph.ZerosLike(x)), x, negative)
}

// expm1 is eˣ − 1 for x ≤ 0. Positive x are cut off first: the branch that
// piecewise leaves out must not overflow, or 0 · ∞ makes its gradient NaN.
func expm1(x *graph.Node) *graph.Node {
	zero := graph.ZerosLike(x)
	return graph.AddScalar(graph.Exp(graph.Where(graph.GreaterThan(x, zero), zero, x)), -1.0)
}

// softplus is x itself where 1 is lost beside eˣ.
func softplus(x *graph.Node) *graph.Node {
	const large = 20.0
	return graph.Where(graph.GreaterThan(x, graph.Scalar(x.Graph(), x.DType(), large)), x,
		graph.Log1P(graph.Exp(graph.MinScalar(x, large))))
}
