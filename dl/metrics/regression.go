package metrics

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/tensor"
)

// R2Score is 1 − Σ(label − output)²/Σ(label − mean)², averaged over the outputs: the part
// of the labels' variance that the model explains.
//
// Labels and output: [batch, n], or labels [batch] and output [batch, 1].
//
// Source: https://keras.io/api/metrics/regression_metrics/#r2score-class
type R2Score struct{}

// Name implements Metric.
func (R2Score) Name() string { return "r2_score" }

// Check implements Metric.
func (R2Score) Check(labels, output []int) error {
	if len(output) != 1 {
		return fmt.Errorf("expected an output of shape [n], got %v", output)
	}
	return losses.MeanSquaredError{}.Check(labels, output)
}

// readR2Score reads a configuration of Keras.
func readR2Score(_ *R2Score, c map[string]any) error {
	if c["class_aggregation"] == "uniform_average" {
		delete(c, "class_aggregation")
	}
	if c["num_regressors"] == 0.0 {
		delete(c, "num_regressors")
	}
	return nil
}

// Size implements Accumulator: Σw, Σwy, Σwy² and Σw(y − p)² for each output.
func (R2Score) Size(_, output []int) int { return 4 * output[0] }

// Compute implements Metric; the metric is computed from Sums.
func (R2Score) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Sums implements Accumulator.
func (R2Score) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	w := graph.OnesLike(output)
	if weights != nil {
		w = spread(weights, output)
	}
	sum := func(v *tensor.Node) *tensor.Node { return graph.ReduceSum(graph.Mul(w, v), 0) }
	return graph.Concatenate([]*tensor.Node{sum(graph.OnesLike(y)), sum(y), sum(graph.Square(y)), sum(graph.Square(graph.Sub(y, output)))}, 0)
}

// Result implements Accumulator.
func (R2Score) Result(sums []float64) float64 {
	n, y, square, rest := counts(sums)
	var score float64
	for i := range n {
		mean := ratio(y[i], n[i])
		variance := square[i] - 2*y[i]*mean + n[i]*mean*mean
		score += 1 - ratio(rest[i], variance)
	}
	return score / float64(len(n))
}

// RootMeanSquaredError is the root of the mean of (output − label)².
//
// Source: https://keras.io/api/metrics/regression_metrics/
type RootMeanSquaredError struct{}

// Perplexity is e to the mean crossentropy, for labels that are class numbers: among how
// many words a model of language wavers.
//
// Source: https://keras.io/keras_hub/api/metrics/perplexity/
type Perplexity struct {
	// Logits says that the output has not been through a softmax.
	Logits bool `keras:"from_logits"`
}

// Name implements Metric.
func (RootMeanSquaredError) Name() string { return "root_mean_squared_error" }

// Name implements Metric.
func (Perplexity) Name() string { return "perplexity" }

// Check implements Metric.
func (RootMeanSquaredError) Check(labels, output []int) error {
	return losses.MeanSquaredError{}.Check(labels, output)
}

// Check implements Metric.
func (m Perplexity) Check(labels, output []int) error {
	return losses.SparseCategoricalCrossentropy{}.Check(labels, output)
}

// Size implements Accumulator: a sum and a number.
func (RootMeanSquaredError) Size(_, _ []int) int { return 2 }

// Size implements Accumulator: a sum and a number.
func (Perplexity) Size(_, _ []int) int { return 2 }

// Compute implements Metric; the metric is computed from Sums.
func (RootMeanSquaredError) Compute(labels, output *tensor.Node) *tensor.Node {
	return losses.MeanSquaredError{}.Compute(labels, output)
}

// Compute implements Metric; the metric is computed from Sums.
func (m Perplexity) Compute(labels, output *tensor.Node) *tensor.Node {
	return losses.SparseCategoricalCrossentropy{Logits: m.Logits}.Compute(labels, output)
}

// Sums implements Accumulator.
func (m RootMeanSquaredError) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return ops.MeanSums(m.Compute(labels, output), weights)
}

// Sums implements Accumulator.
func (m Perplexity) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return ops.MeanSums(m.Compute(labels, output), weights)
}

// Result implements Accumulator.
func (RootMeanSquaredError) Result(s []float64) float64 { return math.Sqrt(ratio(s[0], s[1])) }

// Result implements Accumulator.
func (Perplexity) Result(s []float64) float64 { return math.Exp(ratio(s[0], s[1])) }

func init() {
	config.Reads(readR2Score)
}
