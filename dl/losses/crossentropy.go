package losses

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// SparseCategoricalCrossentropy is −log p(label), for labels that are class
// numbers.
//
// Labels: integers in [0, classes), shape [batch] or [batch, 1].
// Output: [batch, classes], probabilities or, with Logits, their logits.
//
// Source: https://keras.io/api/losses/probabilistic_losses/
type SparseCategoricalCrossentropy struct {
	// Logits says that the output has not been through a softmax.
	Logits bool `keras:"from_logits"`
}

// Name implements Loss.
func (SparseCategoricalCrossentropy) Name() string { return "sparse_categorical_crossentropy" }

// NumClasses implements Classes.
func (SparseCategoricalCrossentropy) NumClasses(output []int) (n int, whole bool) {
	return output[len(output)-1], true
}

// OfLogits implements FromLogits.
func (l SparseCategoricalCrossentropy) OfLogits(of activations.Logits) (Loss, bool) {
	return SparseCategoricalCrossentropy{Logits: true}, !l.Logits && of == activations.SoftmaxLogits
}

// Check implements Loss.
func (SparseCategoricalCrossentropy) Check(labels, output []int) error {
	if len(output) == 0 {
		return fmt.Errorf("expected an output with an axis of classes, got a scalar")
	}
	want := output[:len(output)-1]
	if slices.Equal(labels, want) || slices.Equal(labels, append(slices.Clone(want), 1)) {
		return nil
	}
	return fmt.Errorf("expected one class number an example (labels of shape %v) for an output of shape %v, got labels of shape %v; for one-hot labels use CategoricalCrossentropy",
		want, output, labels)
}

// Compute implements Loss.
func (l SparseCategoricalCrossentropy) Compute(labels, output *tensor.Node) *tensor.Node {
	classes := output.Shape().Dimensions[output.Rank()-1]
	onehot := graph.OneHot(ops.ClassNumbers(labels, output), classes, output.DType())
	return CategoricalCrossentropy{Logits: l.Logits}.Compute(onehot, output)
}

// CategoricalCrossentropy is −Σ y log p, for labels that are distributions over
// the classes, most often one-hot.
//
// Labels and output: [batch, classes]; the output is probabilities or, with
// Logits, their logits.
type CategoricalCrossentropy struct {
	// Logits says that the output has not been through a softmax.
	Logits bool `keras:"from_logits"`
	// LabelSmoothing s makes labels y(1−s) + s/classes; in [0, 1).
	LabelSmoothing float64
}

// Name implements Loss.
func (CategoricalCrossentropy) Name() string { return "categorical_crossentropy" }

// OfLogits implements FromLogits.
func (l CategoricalCrossentropy) OfLogits(of activations.Logits) (Loss, bool) {
	return CategoricalCrossentropy{Logits: true, LabelSmoothing: l.LabelSmoothing}, !l.Logits && of == activations.SoftmaxLogits
}

// Check implements Loss.
func (l CategoricalCrossentropy) Check(labels, output []int) error {
	if !(l.LabelSmoothing >= 0 && l.LabelSmoothing < 1) {
		return fmt.Errorf("expected LabelSmoothing in [0, 1), got %g", l.LabelSmoothing)
	}
	if len(output) == 0 || !slices.Equal(labels, output) {
		return fmt.Errorf("expected one-hot labels of the output's shape %v, got %v; for class numbers use SparseCategoricalCrossentropy", output, labels)
	}
	return nil
}

// Compute implements Loss.
func (l CategoricalCrossentropy) Compute(labels, output *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	y = smooth(y, l.LabelSmoothing, output.Shape().Dimensions[output.Rank()-1])
	var logp *tensor.Node
	if l.Logits {
		logp = graph.LogSoftmax(output, -1)
	} else {
		sum := graph.ReduceAndKeep(output, graph.ReduceSum, -1)
		logp = graph.Log(clip(graph.Div(output, sum)))
	}
	return graph.Neg(graph.ReduceSum(graph.Mul(y, logp), -1))
}

// BinaryCrossentropy is −y log p − (1−y) log(1−p), averaged over the last axis,
// for labels that are 0 or 1.
//
// Labels and output: [batch, n], or labels [batch] and output [batch, 1]; the
// output is probabilities or, with Logits, their logits.
type BinaryCrossentropy struct {
	// Logits says that the output has not been through a sigmoid.
	Logits bool `keras:"from_logits"`
	// LabelSmoothing s makes labels y(1−s) + s/2; in [0, 1).
	LabelSmoothing float64
}

// Name implements Loss.
func (BinaryCrossentropy) Name() string { return "binary_crossentropy" }

// NumClasses implements Classes. Labels may lie between the two classes.
func (BinaryCrossentropy) NumClasses([]int) (n int, whole bool) { return 2, false }

// OfLogits implements FromLogits.
func (l BinaryCrossentropy) OfLogits(of activations.Logits) (Loss, bool) {
	return BinaryCrossentropy{Logits: true, LabelSmoothing: l.LabelSmoothing}, !l.Logits && of == activations.SigmoidLogits
}

// Check implements Loss.
func (l BinaryCrossentropy) Check(labels, output []int) error {
	if !(l.LabelSmoothing >= 0 && l.LabelSmoothing < 1) {
		return fmt.Errorf("expected LabelSmoothing in [0, 1), got %g", l.LabelSmoothing)
	}
	return checkSame(labels, output)
}

// Compute implements Loss.
func (l BinaryCrossentropy) Compute(labels, output *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	y = smooth(y, l.LabelSmoothing, 2)
	var loss *tensor.Node
	if l.Logits { // max(z, 0) − z y + log(1 + e^−|z|)
		loss = graph.Add(graph.Sub(graph.MaxScalar(output, 0.0), graph.Mul(output, y)),
			graph.Log1P(graph.Exp(graph.Neg(ops.Abs(output)))))
	} else {
		p := clip(output)
		loss = graph.Neg(graph.Add(graph.Mul(y, graph.Log(p)), graph.Mul(graph.OneMinus(y), graph.Log(graph.OneMinus(p)))))
	}
	return mean(loss)
}
