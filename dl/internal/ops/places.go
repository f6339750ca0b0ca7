package ops

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Repeat gives each place of an axis n times, one behind the other.
func Repeat(x *graph.Node, axis, n int) *graph.Node { return longer(x, axis, axis+1, n) }

// Tile gives a whole axis n times.
func Tile(x *graph.Node, axis, n int) *graph.Node { return longer(x, axis, axis, n) }

// longer makes an axis n times as long, by another one of n at a place.
func longer(x *graph.Node, axis, at, n int) *graph.Node {
	if n == 1 {
		return x
	}
	dims := slices.Clone(x.Shape().Dimensions)
	wide := slices.Insert(slices.Clone(dims), at, n)
	dims[axis] *= n
	return graph.Reshape(graph.BroadcastToDims(graph.InsertAxes(x, at), wide...), dims...)
}

// Take gathers places of an axis; the axes of index, whole numbers from 0 on, stand where it was.
func Take(x, index *graph.Node, axis int) *graph.Node {
	index = graph.ConvertDType(index, dtypes.Int32)
	if axis == 0 {
		return graph.Gather(x, graph.InsertAxes(index, -1))
	}
	first := []int{axis} // and then the others
	for i := range x.Rank() {
		if i != axis {
			first = append(first, i)
		}
	}
	y := graph.Gather(graph.TransposeAllAxes(x, first...), graph.InsertAxes(index, -1)) // [index…, others…]
	var back []int
	for i := range axis {
		back = append(back, index.Rank()+i)
	}
	for i := range index.Rank() {
		back = append(back, i)
	}
	for i := axis; i < x.Rank()-1; i++ {
		back = append(back, index.Rank()+i)
	}
	return graph.TransposeAllAxes(y, back...)
}
