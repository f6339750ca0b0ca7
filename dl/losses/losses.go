// Package losses measures how far a model's output is from the labels.
//
// A loss returns a value for each example of a batch; training minimises their
// mean. The zero value of each is Keras's default.
//
// Source: https://keras.io/api/losses/
package losses

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Loss is a function of labels and output. Their first axis is the batch.
type Loss interface {
	// Name is Keras's name, for example "mean_squared_error".
	Name() string
	// Check reports labels and outputs that do not fit together. The shapes are
	// those of one example.
	Check(labels, output []int) error
	// Compute returns the loss, of shape [batch] or [batch, …].
	Compute(labels, output *tensor.Node) *tensor.Node
}

// FromLogits is a loss that can do better than to be given the probabilities
// that an activation makes of logits: log(softmax(z)) loses its digits where
// the softmax is close to 0.
type FromLogits interface {
	Loss
	// OfLogits returns the loss that takes the logits of such probabilities, if there is
	// one.
	OfLogits(of activations.Logits) (Loss, bool)
}

// Classes is a loss whose labels are class numbers.
type Classes interface {
	Loss
	// NumClasses returns n for labels from 0 to n − 1, and whether they must be
	// whole numbers.
	NumClasses(output []int) (n int, whole bool)
}

// epsilon keeps probabilities away from 0 and 1, as Keras does.
const epsilon = 1e-7

// clip keeps probabilities in [ε, 1 − ε].
func clip(p *tensor.Node) *tensor.Node {
	return graph.MinScalar(graph.MaxScalar(p, epsilon), 1-epsilon)
}

// checkSame is the Check of losses that compare number by number.
func checkSame(labels, output []int) error {
	if slices.Equal(labels, output) {
		return nil
	}
	if n := len(output); n > 0 && output[n-1] == 1 && slices.Equal(labels, output[:n-1]) {
		return nil
	}
	return fmt.Errorf("expected labels of the output's shape %v, got %v", output, labels)
}

// rsqrt is 1/√x. graph.Rsqrt has no gradient.
func rsqrt(x *tensor.Node) *tensor.Node { return graph.Reciprocal(graph.Sqrt(x)) }

func init() {
	config.Tells[FromLogits]("OfLogits", "Compute")
	config.Register(
		SparseCategoricalCrossentropy{}, CategoricalCrossentropy{}, BinaryCrossentropy{},
		BinaryFocalCrossentropy{}, CategoricalFocalCrossentropy{},
		MeanSquaredError{}, MeanAbsoluteError{}, MeanAbsolutePercentageError{}, MeanSquaredLogarithmicError{},
		Huber{}, LogCosh{}, CosineSimilarity{}, Poisson{}, KLDivergence{},
		Hinge{}, SquaredHinge{}, CategoricalHinge{}, Dice{}, Tversky{},
	)
}
