package metrics

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// FBetaScore is the weighted harmonic mean of precision and recall:
// (1 + β²) P R / (β² P + R).
//
// Labels are one-hot, of the output's shape [batch, classes].
//
// Source: https://keras.io/api/metrics/classification_metrics/#fbetascore-class
type FBetaScore struct {
	// Average says what becomes of the scores of the classes: "micro" counts all
	// classes together, "macro" takes their mean, "weighted" by how often each
	// occurs. Keras's default, a score for each class, is no number; "" means
	// "macro".
	Average string
	// Beta is β; 0 means 1.
	Beta float64 `zero:"1"`
	// Threshold is the output above which a class counts; 0 takes the largest
	// output.
	Threshold float64
}

// F1Score is FBetaScore with β = 1.
type F1Score struct {
	// Average and Threshold are as in FBetaScore.
	Average   string
	Threshold float64
}

func (m F1Score) beta() FBetaScore { return FBetaScore{Average: m.Average, Threshold: m.Threshold} }

// Name implements Metric.
func (FBetaScore) Name() string { return "fbeta_score" }

// Name implements Metric.
func (F1Score) Name() string { return "f1_score" }

// Check implements Metric.
func (m FBetaScore) Check(labels, output []int) error {
	switch m.Average {
	case "", "micro", "macro", "weighted":
	default:
		return fmt.Errorf("expected Average micro, macro or weighted, got %q", m.Average)
	}
	if len(output) != 1 {
		return fmt.Errorf("expected an output of shape [classes], got %v", output)
	}
	if !slices.Equal(labels, output) {
		return fmt.Errorf("expected one-hot labels of the output's shape %v, got %v; data.OneHot makes them of class numbers", output, labels)
	}
	return nil
}

// Check implements Metric.
func (m F1Score) Check(labels, output []int) error { return m.beta().Check(labels, output) }

// Size implements Accumulator.
func (FBetaScore) Size(_, output []int) int { return 4 * output[0] }

// Size implements Accumulator.
func (F1Score) Size(_, output []int) int { return 4 * output[0] }

// Compute implements Metric; the metric is computed from Sums.
func (FBetaScore) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (F1Score) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Sums implements Accumulator: four counts of each class.
func (m FBetaScore) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	var said *tensor.Node
	if m.Threshold > 0 {
		said = graph.GreaterThan(output, graph.Scalar(output.Graph(), output.DType(), m.Threshold))
	} else {
		best := graph.Equal(output, graph.ReduceAndKeep(output, graph.ReduceMax, -1))
		said = graph.LogicalAnd(best, graph.GreaterThan(graph.Abs(output), graph.Scalar(output.Graph(), output.DType(), 1e-9)))
	}
	p := graph.ConvertDType(said, output.DType())
	w := graph.OnesLike(output)
	if weights != nil {
		w = spread(weights, output)
	}
	sum := func(a, b *tensor.Node) *tensor.Node { return graph.ReduceSum(graph.Mul(w, graph.Mul(a, b)), 0) }
	return graph.Concatenate([]*tensor.Node{
		sum(y, p), sum(graph.OneMinus(y), p), sum(graph.OneMinus(y), graph.OneMinus(p)), sum(y, graph.OneMinus(p)),
	}, 0)
}

// Sums implements Accumulator.
func (m F1Score) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return m.beta().Sums(labels, output, weights)
}

// Result implements Accumulator.
func (m FBetaScore) Result(sums []float64) float64 {
	tp, fp, _, fn := counts(sums)
	beta := m.Beta
	if beta == 0 {
		beta = 1
	}
	score := func(tp, fp, fn float64) float64 {
		p, r := ratio(tp, tp+fp), ratio(tp, tp+fn)
		return ratio((1+beta*beta)*p*r, beta*beta*p+r)
	}
	if m.Average == "micro" {
		return score(total(tp), total(fp), total(fn))
	}
	var sum, weights float64
	for i := range tp {
		w := 1.0
		if m.Average == "weighted" {
			w = tp[i] + fn[i]
		}
		sum, weights = sum+w*score(tp[i], fp[i], fn[i]), weights+w
	}
	return ratio(sum, weights)
}

// Result implements Accumulator.
func (m F1Score) Result(sums []float64) float64 { return m.beta().Result(sums) }

func total(v []float64) (sum float64) {
	for _, x := range v {
		sum += x
	}
	return sum
}
