// Package metrics measures a model's output beside its loss.
//
// Source: https://keras.io/api/metrics/
package metrics

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/losses"
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
	Compute(labels, output *graph.Node) *graph.Node
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
func (Accuracy) Compute(labels, output *graph.Node) *graph.Node {
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
func (SparseCategoricalAccuracy) Compute(labels, output *graph.Node) *graph.Node {
	return same(graph.ArgMax(output, -1), losses.ClassNumbers(labels, output), output)
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
func (CategoricalAccuracy) Compute(labels, output *graph.Node) *graph.Node {
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
func (m BinaryAccuracy) Compute(labels, output *graph.Node) *graph.Node {
	threshold := m.Threshold
	if threshold == 0 {
		threshold = 0.5
	}
	predicted := graph.ConvertDType(graph.GreaterThan(output, graph.Scalar(output.Graph(), output.DType(), threshold)), output.DType())
	return same(predicted, losses.Align(labels, output), output)
}

// MeanSquaredError is the loss of that name, as a metric.
type MeanSquaredError struct{ losses.MeanSquaredError }

// MeanAbsoluteError is the mean over the last axis of |output − label|.
type MeanAbsoluteError struct{}

// Name implements Metric.
func (MeanAbsoluteError) Name() string { return "mean_absolute_error" }

// Check implements Metric.
func (MeanAbsoluteError) Check(labels, output []int) error {
	return losses.MeanSquaredError{}.Check(labels, output)
}

// Compute implements Metric.
func (MeanAbsoluteError) Compute(labels, output *graph.Node) *graph.Node {
	return graph.Abs(graph.Sub(output, losses.Align(labels, output)))
}

// same is 1 where a and b are equal, else 0, in the type of like.
func same(a, b, like *graph.Node) *graph.Node {
	return graph.ConvertDType(graph.Equal(a, b), like.DType())
}
