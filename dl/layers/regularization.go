package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// regularization is what layers with a kernel and a bias can do to keep them
// small. The cost of the activity, the layer's output, is divided by the batch size.
type regularization struct {
	kernelRegularizer, biasRegularizer, activityRegularizer regularizers.Regularizer
	kernelConstraint, biasConstraint                        constraints.Constraint
}

// activity adds the cost of an output to the loss.
func (r regularization) activity(c *Context, y *tensor.Node) *tensor.Node {
	if r.activityRegularizer != nil {
		c.AddLoss(graph.DivScalar(r.activityRegularizer.Cost(y), float64(y.Shape().Dimensions[0])))
	}
	return y
}

// kernel describes a kernel.
func (r regularization) kernel(name string, i initializers.Initializer, shape ...int) Weight {
	return Weight{
		Name: name, Shape: shape, Initializer: orInitializer(i, initializers.GlorotUniform{}),
		Regularizer: r.kernelRegularizer, Constraint: r.kernelConstraint,
	}
}

// withBias adds the weight of n biases.
func (r regularization) withBias(weights []Weight, noBias bool, n int, i initializers.Initializer) []Weight {
	if noBias {
		return weights
	}
	return append(weights, Weight{
		Name: "bias", Shape: Shape{n}, Initializer: orInitializer(i, initializers.Zeros{}),
		Regularizer: r.biasRegularizer, Constraint: r.biasConstraint,
	})
}
