package metrics

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Accumulator is a Metric that is no mean over examples: it is computed from sums
// over all of them.
type Accumulator interface {
	Metric
	// Size is how many sums there are.
	Size(labels, output []int) int
	// Sums returns those of a batch, of shape [Size]. weights has the shape of
	// the labels' batch, or of the output without its last axis; nil is 1.
	Sums(labels, output, weights *tensor.Node) *tensor.Node
	// Result computes the metric from the sums over all examples.
	Result(sums []float64) float64
}

// MeanSums returns the sums that a mean is computed from: of the values, and of
// their weights. weights may have fewer axes than the values; nil is 1.
func MeanSums(values, weights *tensor.Node) *tensor.Node {
	if weights == nil {
		n := graph.Scalar(values.Graph(), values.DType(), float64(values.Shape().Size()))
		return graph.Stack([]*tensor.Node{graph.ReduceAllSum(values), n}, 0)
	}
	w := graph.ConvertDType(weights, values.DType())
	for w.Rank() > values.Rank() {
		w = graph.ReduceMax(w, -1)
	}
	for w.Rank() < values.Rank() {
		w = graph.InsertAxes(w, -1)
	}
	w = graph.BroadcastToDims(w, values.Shape().Dimensions...)
	return graph.Stack([]*tensor.Node{graph.ReduceAllSum(graph.Mul(values, w)), graph.ReduceAllSum(w)}, 0)
}
