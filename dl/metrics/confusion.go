package metrics

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/tensor"
)

// confusion counts how often an output above a threshold is right and wrong: sums of
// true positives, false positives, true negatives and false negatives, each for all
// thresholds.
func confusion(labels, output, weights *tensor.Node, thresholds []float64) *tensor.Node {
	y := ops.Align(labels, output)
	n := y.Shape().Size()
	g := output.Graph()
	flatY, flatP := graph.Reshape(y, n, 1), graph.Reshape(output, n, 1)
	limits := make([]float32, len(thresholds))
	for i, t := range thresholds {
		limits[i] = float32(t)
	}
	at := graph.ConvertDType(graph.InsertAxes(graph.Const(g, limits), 0), output.DType())
	said := graph.ConvertDType(graph.GreaterThan(flatP, at), output.DType()) // [n, thresholds]
	w := graph.OnesLike(flatY)
	if weights != nil {
		w = graph.Reshape(spread(weights, output), n, 1)
	}
	yes, no := graph.Mul(flatY, w), graph.Mul(graph.OneMinus(flatY), w)
	sum := func(a, b *tensor.Node) *tensor.Node { return graph.ReduceSum(graph.Mul(a, b), 0) }
	not := graph.OneMinus(said)
	return graph.Concatenate([]*tensor.Node{sum(yes, said), sum(no, said), sum(no, not), sum(yes, not)}, 0)
}

// spread gives weights the shape of the output.
func spread(weights, output *tensor.Node) *tensor.Node {
	w := graph.ConvertDType(weights, output.DType())
	for w.Rank() < output.Rank() {
		w = graph.InsertAxes(w, -1)
	}
	return graph.BroadcastToDims(w, output.Shape().Dimensions...)
}

// counts takes sums apart into true positives, false positives, true negatives and
// false negatives.
func counts(sums []float64) (tp, fp, tn, fn []float64) {
	n := len(sums) / 4
	return sums[:n], sums[n : 2*n], sums[2*n : 3*n], sums[3*n:]
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func threshold(t float64) []float64 {
	if t == 0 {
		t = 0.5
	}
	return []float64{t}
}

// Precision is the part of the outputs above Threshold whose label is 1.
//
// Labels are 0 or 1, of the output's shape.
//
// Source: https://keras.io/api/metrics/classification_metrics/
type Precision struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// Recall is the part of the labels of 1 whose output is above Threshold.
type Recall struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// TruePositives counts outputs above Threshold whose label is 1.
type TruePositives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// FalsePositives counts outputs above Threshold whose label is 0.
type FalsePositives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// TrueNegatives counts outputs up to Threshold whose label is 0.
type TrueNegatives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// FalseNegatives counts outputs up to Threshold whose label is 1.
type FalseNegatives struct {
	// Threshold 0 means 0.5.
	Threshold float64 `keras:"thresholds"`
}

// Name implements Metric.
func (Precision) Name() string { return "precision" }

// Name implements Metric.
func (Recall) Name() string { return "recall" }

// Name implements Metric.
func (TruePositives) Name() string { return "true_positives" }

// Name implements Metric.
func (FalsePositives) Name() string { return "false_positives" }

// Name implements Metric.
func (TrueNegatives) Name() string { return "true_negatives" }

// Name implements Metric.
func (FalseNegatives) Name() string { return "false_negatives" }

// Check implements Metric.
func (m Precision) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m Recall) Check(labels, output []int) error { return checkThreshold(m.Threshold, labels, output) }

// Check implements Metric.
func (m TruePositives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m FalsePositives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m TrueNegatives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

// Check implements Metric.
func (m FalseNegatives) Check(labels, output []int) error {
	return checkThreshold(m.Threshold, labels, output)
}

func checkThreshold(t float64, labels, output []int) error {
	if !(t >= 0 && t < 1) {
		return fmt.Errorf("expected a Threshold in (0, 1), got %g", t)
	}
	return losses.BinaryCrossentropy{}.Check(labels, output)
}

// Size implements Accumulator.
func (Precision) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (Recall) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (TruePositives) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (FalsePositives) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (TrueNegatives) Size(_, _ []int) int { return 4 }

// Size implements Accumulator.
func (FalseNegatives) Size(_, _ []int) int { return 4 }

// Sums implements Accumulator.
func (m Precision) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m Recall) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m TruePositives) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m FalsePositives) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m TrueNegatives) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Sums implements Accumulator.
func (m FalseNegatives) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	return confusion(labels, output, weights, threshold(m.Threshold))
}

// Result implements Accumulator.
func (Precision) Result(s []float64) float64 { return ratio(s[0], s[0]+s[1]) }

// Result implements Accumulator.
func (Recall) Result(s []float64) float64 { return ratio(s[0], s[0]+s[3]) }

// Result implements Accumulator.
func (TruePositives) Result(s []float64) float64 { return s[0] }

// Result implements Accumulator.
func (FalsePositives) Result(s []float64) float64 { return s[1] }

// Result implements Accumulator.
func (TrueNegatives) Result(s []float64) float64 { return s[2] }

// Result implements Accumulator.
func (FalseNegatives) Result(s []float64) float64 { return s[3] }

// Compute implements Metric; the metric is computed from Sums.
func (Precision) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (Recall) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (TruePositives) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (FalsePositives) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (TrueNegatives) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Compute implements Metric; the metric is computed from Sums.
func (FalseNegatives) Compute(_, output *tensor.Node) *tensor.Node { return output }
