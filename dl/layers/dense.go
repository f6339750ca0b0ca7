package layers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/initializers"
)

// Dense connects each input with each unit: y = f(x·W + b), where unit j is
// a_j = f(Σᵢ w_ij a_i + b_j).
//
// Input shape: (None, …, n). Output shape: (None, …, Units).
//
// Source: https://keras.io/api/layers/core_layers/dense/
type Dense struct {
	// Units is the number of outputs.
	Units int
	// Activation is f; nil is linear.
	Activation activations.Activation
	// NoBias leaves b out.
	NoBias bool
	// KernelInitializer starts W, of shape [n, Units]; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts b, of shape [Units]; nil is Zeros.
	BiasInitializer initializers.Initializer
	Name            string
}

// Build implements Layer.
func (l Dense) Build(in Shape) (Spec, error) {
	if err := wantPositive("Units", l.Units); err != nil {
		return Spec{}, err
	}
	if len(in) == 0 {
		return Spec{}, fmt.Errorf("expected input of shape (None, …, features), got %v", in)
	}
	last := len(in) - 1
	weights := []Weight{{
		Name: "kernel", Shape: Shape{in[last], l.Units},
		Initializer: orInitializer(l.KernelInitializer, initializers.GlorotUniform{}),
	}}
	return Spec{
		Output:  append(append(Shape{}, in[:last]...), l.Units),
		Weights: withBias(weights, l.NoBias, l.Units, l.BiasInitializer),
	}, nil
}

// Call implements Layer.
func (l Dense) Call(c *Context, x *graph.Node) *graph.Node {
	y := graph.MatMul(x, c.Weight("kernel"))
	return activate(c, l.Activation, addBias(c, l.NoBias, y))
}

// withBias adds the weight of n biases.
func withBias(weights []Weight, noBias bool, n int, i initializers.Initializer) []Weight {
	if noBias {
		return weights
	}
	return append(weights, Weight{Name: "bias", Shape: Shape{n}, Initializer: orInitializer(i, initializers.Zeros{})})
}

func addBias(c *Context, noBias bool, y *graph.Node) *graph.Node {
	if noBias {
		return y
	}
	return graph.Add(y, graph.ExpandLeftToRank(c.Weight("bias"), y.Rank()))
}
