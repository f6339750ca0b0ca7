// Package metrics measures a model's output beside its loss.
//
// Source: https://keras.io/api/metrics/
package metrics

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Metric is a mean over examples of a function of labels and output, whose
// first axis is the batch.
type Metric interface {
	// Name is Keras's name, under which histories and logs hold the metric.
	Name() string
	// Check reports labels and outputs that do not fit together. The shapes are
	// those of one example.
	Check(labels, output []int) error
	// Compute returns a value for each example, of shape [batch] or [batch, …].
	Compute(labels, output *tensor.Node) *tensor.Node
}

// Accuracy is the part of the examples that are classified right. It is
// whichever fits of BinaryAccuracy (an output of one number),
// CategoricalAccuracy (one-hot labels) and SparseCategoricalAccuracy (class
// numbers), under the name "accuracy".
type Accuracy struct{}

// Name implements Metric.
func (Accuracy) Name() string { return "accuracy" }

// Check implements Metric.
func (Accuracy) Check(labels, output []int) error {
	return accuracyFor(labels, output).Check(labels, output)
}

// Compute implements Metric.
func (Accuracy) Compute(labels, output *tensor.Node) *tensor.Node {
	return accuracyFor(labels.Shape().Dimensions[1:], output.Shape().Dimensions[1:]).Compute(labels, output)
}

func accuracyFor(labels, output []int) Metric {
	switch n := len(output); {
	case n == 0 || output[n-1] == 1:
		return BinaryAccuracy{}
	case slices.Equal(labels, output):
		return CategoricalAccuracy{}
	default:
		return SparseCategoricalAccuracy{}
	}
}

// SparseCategoricalAccuracy is the part of the examples whose largest output is
// that of the label, a class number.
type SparseCategoricalAccuracy struct{}

// Name implements Metric.
func (SparseCategoricalAccuracy) Name() string { return "sparse_categorical_accuracy" }

// Check implements Metric.
func (SparseCategoricalAccuracy) Check(labels, output []int) error {
	return losses.SparseCategoricalCrossentropy{}.Check(labels, output)
}

// Compute implements Metric.
func (SparseCategoricalAccuracy) Compute(labels, output *tensor.Node) *tensor.Node {
	return same(graph.ArgMax(output, -1), ops.ClassNumbers(labels, output), output)
}

// CategoricalAccuracy is the part of the examples whose largest output is where
// the label, a one-hot vector, has its largest.
type CategoricalAccuracy struct{}

// Name implements Metric.
func (CategoricalAccuracy) Name() string { return "categorical_accuracy" }

// Check implements Metric.
func (CategoricalAccuracy) Check(labels, output []int) error {
	return losses.CategoricalCrossentropy{}.Check(labels, output)
}

// Compute implements Metric.
func (CategoricalAccuracy) Compute(labels, output *tensor.Node) *tensor.Node {
	return same(graph.ArgMax(output, -1), graph.ArgMax(labels, -1), output)
}

// BinaryAccuracy is the part of the outputs that are on the label's side of
// Threshold.
type BinaryAccuracy struct {
	// Threshold is the output above which an example counts as 1; 0 means 0.5.
	Threshold float64
}

// Name implements Metric.
func (BinaryAccuracy) Name() string { return "binary_accuracy" }

// Check implements Metric.
func (m BinaryAccuracy) Check(labels, output []int) error {
	if m.Threshold < 0 || m.Threshold >= 1 {
		return fmt.Errorf("expected a Threshold in (0, 1), got %g", m.Threshold)
	}
	return losses.BinaryCrossentropy{}.Check(labels, output)
}

// Compute implements Metric.
func (m BinaryAccuracy) Compute(labels, output *tensor.Node) *tensor.Node {
	threshold := m.Threshold
	if threshold == 0 {
		threshold = 0.5
	}
	predicted := graph.ConvertDType(graph.GreaterThan(output, graph.Scalar(output.Graph(), output.DType(), threshold)), output.DType())
	return same(predicted, ops.Align(labels, output), output)
}

// TopKCategoricalAccuracy is the part of the examples whose label is among the K
// largest outputs. Labels are one-hot.
type TopKCategoricalAccuracy struct {
	// K 0 means 5.
	K int `zero:"5"`
}

// SparseTopKCategoricalAccuracy is the same for labels that are class numbers.
type SparseTopKCategoricalAccuracy struct {
	// K 0 means 5.
	K int `zero:"5"`
}

// Name implements Metric.
func (TopKCategoricalAccuracy) Name() string { return "top_k_categorical_accuracy" }

// Name implements Metric.
func (SparseTopKCategoricalAccuracy) Name() string { return "sparse_top_k_categorical_accuracy" }

// Check implements Metric.
func (m TopKCategoricalAccuracy) Check(labels, output []int) error {
	return checkK(m.K, losses.CategoricalCrossentropy{}.Check(labels, output))
}

// Check implements Metric.
func (m SparseTopKCategoricalAccuracy) Check(labels, output []int) error {
	return checkK(m.K, losses.SparseCategoricalCrossentropy{}.Check(labels, output))
}

func checkK(k int, err error) error {
	if k < 0 {
		return fmt.Errorf("expected K of at least 1 (or 0 for 5), got %d", k)
	}
	return err
}

// Compute implements Metric.
func (m TopKCategoricalAccuracy) Compute(labels, output *tensor.Node) *tensor.Node {
	return amongBest(graph.ArgMax(labels, -1), output, m.K)
}

// Compute implements Metric.
func (m SparseTopKCategoricalAccuracy) Compute(labels, output *tensor.Node) *tensor.Node {
	return amongBest(ops.ClassNumbers(labels, output), output, m.K)
}

// amongBest is 1 where fewer than k outputs are larger than that of the class.
func amongBest(class, output *tensor.Node, k int) *tensor.Node {
	if k == 0 {
		k = 5
	}
	n := output.Shape().Dimensions[output.Rank()-1]
	own := graph.ReduceAndKeep(graph.Mul(output, graph.OneHot(class, n, output.DType())), graph.ReduceSum, -1)
	larger := graph.ReduceSum(graph.ConvertDType(graph.GreaterThan(output, own), output.DType()), -1)
	return graph.ConvertDType(graph.LessThan(larger, graph.Scalar(output.Graph(), output.DType(), float64(k))), output.DType())
}

// MeanSquaredError is the loss of that name as a metric.
type MeanSquaredError struct{ losses.MeanSquaredError }

// MeanAbsoluteError is the loss of that name as a metric.
type MeanAbsoluteError struct{ losses.MeanAbsoluteError }

// LogCoshError is the loss LogCosh as a metric.
type LogCoshError struct{ losses.LogCosh }

// Poisson is the loss of that name as a metric.
type Poisson struct{ losses.Poisson }

// KLDivergence is the loss of that name as a metric.
type KLDivergence struct{ losses.KLDivergence }

// Hinge is the loss of that name as a metric.
type Hinge struct{ losses.Hinge }

// SquaredHinge is the loss of that name as a metric.
type SquaredHinge struct{ losses.SquaredHinge }

// CategoricalHinge is the loss of that name as a metric.
type CategoricalHinge struct{ losses.CategoricalHinge }

// BinaryCrossentropy is the loss of that name as a metric.
type BinaryCrossentropy struct{ losses.BinaryCrossentropy }

// CategoricalCrossentropy is the loss of that name as a metric.
type CategoricalCrossentropy struct{ losses.CategoricalCrossentropy }

// MeanAbsolutePercentageError is the loss of that name as a metric.
type MeanAbsolutePercentageError struct {
	losses.MeanAbsolutePercentageError
}

// MeanSquaredLogarithmicError is the loss of that name as a metric.
type MeanSquaredLogarithmicError struct {
	losses.MeanSquaredLogarithmicError
}

// SparseCategoricalCrossentropy is the loss of that name as a metric.
type SparseCategoricalCrossentropy struct {
	losses.SparseCategoricalCrossentropy
}

// Name implements Metric.
func (LogCoshError) Name() string { return "logcosh" }

// CosineSimilarity is the cosine of the angle between label and output: 1 where they
// point the same way.
type CosineSimilarity struct{}

// Name implements Metric.
func (CosineSimilarity) Name() string { return "cosine_similarity" }

// Check implements Metric.
func (CosineSimilarity) Check(labels, output []int) error {
	return losses.CosineSimilarity{}.Check(labels, output)
}

// Compute implements Metric.
func (CosineSimilarity) Compute(labels, output *tensor.Node) *tensor.Node {
	return graph.Neg(losses.CosineSimilarity{}.Compute(labels, output))
}

// same is 1 where a and b are equal, else 0, in the type of like.
func same(a, b, like *tensor.Node) *tensor.Node {
	return graph.ConvertDType(graph.Equal(a, b), like.DType())
}

func init() {
	config.Tells[Accumulator]("Sums", "Compute")
	config.RegisterAs("metrics.Accuracy", Accuracy{})
	for _, m := range []Metric{
		SparseCategoricalAccuracy{},
		CategoricalAccuracy{},
		BinaryAccuracy{},
		TopKCategoricalAccuracy{},
		SparseTopKCategoricalAccuracy{},
		Precision{},
		Recall{},
		AUC{},
		FBetaScore{},
		F1Score{},
		TruePositives{},
		FalsePositives{},
		TrueNegatives{},
		FalseNegatives{},
		RootMeanSquaredError{},
		R2Score{},
		MeanIoU{},
		Perplexity{},
	} {
		config.Register(m)
	}
	// Those that share their names with losses or layers.
	for name, m := range map[string]Metric{
		"MeanSquaredError": MeanSquaredError{}, "MeanAbsoluteError": MeanAbsoluteError{},
		"MeanAbsolutePercentageError": MeanAbsolutePercentageError{}, "MeanSquaredLogarithmicError": MeanSquaredLogarithmicError{},
		"LogCoshError": LogCoshError{}, "Poisson": Poisson{}, "KLDivergence": KLDivergence{}, "Hinge": Hinge{},
		"SquaredHinge": SquaredHinge{}, "CategoricalHinge": CategoricalHinge{}, "BinaryCrossentropy": BinaryCrossentropy{},
		"CategoricalCrossentropy": CategoricalCrossentropy{}, "SparseCategoricalCrossentropy": SparseCategoricalCrossentropy{},
		"CosineSimilarity": CosineSimilarity{},
	} {
		config.RegisterAs("metrics."+name, m)
	}
}
