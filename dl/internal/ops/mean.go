package ops

import "github.com/gomlx/gomlx/core/graph"

// MeanSums returns the sums that a mean is computed from: of the values, and of
// their weights. weights may have fewer axes than the values; nil is 1.
func MeanSums(values, weights *graph.Node) *graph.Node {
	if weights == nil {
		n := graph.Scalar(values.Graph(), values.DType(), float64(values.Shape().Size()))
		return graph.Stack([]*graph.Node{graph.ReduceAllSum(values), n}, 0)
	}
	w := graph.ConvertDType(weights, values.DType())
	for w.Rank() > values.Rank() {
		w = graph.ReduceMax(w, -1)
	}
	for w.Rank() < values.Rank() {
		w = graph.InsertAxes(w, -1)
	}
	w = graph.BroadcastToDims(w, values.Shape().Dimensions...)
	return graph.Stack([]*graph.Node{graph.ReduceAllSum(graph.Mul(values, w)), graph.ReduceAllSum(w)}, 0)
}
