package metrics

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/tensor"
)

// MeanIoU is the mean over the classes of how far what is said and what is true
// overlap: intersection over union, TP/(TP + FP + FN).
//
// Labels are class numbers; the output is [batch, …, classes], of which the largest
// counts.
//
// Source: https://keras.io/api/metrics/segmentation_metrics/#meaniou-class
type MeanIoU struct {
	NumClasses int
}

// Name implements Metric.
func (MeanIoU) Name() string { return "mean_io_u" }

// Check implements Metric.
func (m MeanIoU) Check(labels, output []int) error {
	if len(output) == 0 || output[len(output)-1] != m.NumClasses {
		return fmt.Errorf("expected an output of NumClasses = %d at the last axis, got %v", m.NumClasses, output)
	}
	return losses.SparseCategoricalCrossentropy{}.Check(labels, output)
}

// Size implements Accumulator: for each class what is in both, said and true.
func (m MeanIoU) Size(_, _ []int) int { return 3 * m.NumClasses }

// Compute implements Metric; the metric is computed from Sums.
func (MeanIoU) Compute(_, output *tensor.Node) *tensor.Node { return output }

// Sums implements Accumulator.
func (m MeanIoU) Sums(labels, output, weights *tensor.Node) *tensor.Node {
	n := output.Shape().Size() / m.NumClasses
	y := graph.OneHot(graph.Reshape(ops.ClassNumbers(labels, output), n), m.NumClasses, output.DType())
	p := graph.OneHot(graph.ArgMax(graph.Reshape(output, n, m.NumClasses), -1), m.NumClasses, output.DType())
	if weights != nil {
		w := graph.Reshape(graph.SliceAxis(spread(weights, output), -1, graph.AxisRange(0, 1)), n, 1)
		y, p = graph.Mul(y, w), graph.Mul(p, w)
		both := graph.Where(graph.GreaterThan(w, graph.ZerosLike(w)), graph.Div(graph.Mul(y, p), w), graph.ZerosLike(y))
		return graph.Concatenate([]*tensor.Node{graph.ReduceSum(both, 0), graph.ReduceSum(p, 0), graph.ReduceSum(y, 0)}, 0)
	}
	return graph.Concatenate([]*tensor.Node{graph.ReduceSum(graph.Mul(y, p), 0), graph.ReduceSum(p, 0), graph.ReduceSum(y, 0)}, 0)
}

// Result implements Accumulator.
func (m MeanIoU) Result(s []float64) float64 {
	n := m.NumClasses
	var sum, seen float64
	for i := range n {
		if union := s[n+i] + s[2*n+i] - s[i]; union > 0 {
			sum, seen = sum+s[i]/union, seen+1
		}
	}
	return ratio(sum, seen)
}
