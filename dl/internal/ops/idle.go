package ops

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// idle is an axis of space in which there is one place, and a window of one; −1 if there is
// none, or no other axis. XLA's CPU needs three times as long with it.
func idle(x, kernel *graph.Node, pads [][2]int) int {
	for i := range pads {
		if len(pads) > 1 && pads[i] == [2]int{} && x.Shape().Dimensions[1+i] == 1 && kernel.Shape().Dimensions[i] == 1 {
			return i
		}
	}
	return -1
}

type convolution func(x, kernel *graph.Node, strides, dilation []int, pads [][2]int, groups int) *graph.Node

// without convolves without an axis of space that is idle.
func without(i int, convolve convolution, x, kernel *graph.Node, strides, dilation []int, pads [][2]int, groups int) *graph.Node {
	rest := func(n []int) []int { return slices.Delete(slices.Clone(n), i, i+1) }
	y := convolve(graph.Squeeze(x, 1+i), graph.Squeeze(kernel, i), rest(strides), rest(dilation), slices.Delete(slices.Clone(pads), i, i+1), groups)
	return graph.InsertAxes(y, 1+i)
}
