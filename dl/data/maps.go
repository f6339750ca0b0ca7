package data

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/gotype"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// Rescale returns a map that multiplies inputs by scale:
//
//	train.Map(data.Rescale(1 / 255.0))
func Rescale(scale float64) func(x, y *tensor.Node) (*tensor.Node, *tensor.Node) {
	return func(x, y *tensor.Node) (*tensor.Node, *tensor.Node) {
		return graph.MulScalar(graph.ConvertDType(x, dtypes.Float32), scale), y
	}
}

// OneHot returns a map that makes vectors of class numbers: 2 of 4 becomes
// [0, 0, 1, 0].
func OneHot(classes int) func(x, y *tensor.Node) (*tensor.Node, *tensor.Node) {
	return func(x, y *tensor.Node) (*tensor.Node, *tensor.Node) {
		if y == nil {
			return x, nil
		}
		return x, graph.OneHot(graph.ConvertDType(y, dtypes.Int32), classes, dtypes.Float32)
	}
}

func dtypeOf[T gotype.Supported]() dtypes.DType { return dtypes.FromGenericsType[T]() }
