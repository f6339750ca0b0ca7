package ops

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Align gives labels the type of the output, and the axis of size 1 at the end
// that the output may have more.
func Align(labels, output *graph.Node) *graph.Node {
	labels = graph.ConvertDType(labels, output.DType())
	if labels.Rank() == output.Rank()-1 {
		labels = graph.InsertAxes(labels, -1)
	}
	return labels
}

// ClassNumbers returns labels that are class numbers as int32, without the axis
// of size 1 that they may end with: [batch, 1] becomes [batch].
func ClassNumbers(labels, output *graph.Node) *graph.Node {
	if labels.Rank() == output.Rank() {
		labels = graph.Squeeze(labels, -1)
	}
	return graph.ConvertDType(labels, dtypes.Int32)
}
