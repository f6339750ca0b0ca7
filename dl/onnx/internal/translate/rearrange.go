package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

func trilu(c *call) *graph.Node {
	x, k := c.x(0), 0
	if c.has(1) {
		k = c.one(1)
	}
	k = min(max(k, -1<<30), 1<<30)
	s := x.Shape().Clone()
	if s.Rank() < 2 {
		panic(fmt.Errorf("expected matrices, got shape %v", s.Dimensions))
	}
	s.DType = dtypes.Int32
	d := graph.Sub(graph.Iota(c.g, s, s.Rank()-1), graph.Iota(c.g, s, s.Rank()-2))
	edge := graph.BroadcastToDims(graph.Scalar(c.g, dtypes.Int32, k), s.Dimensions...)
	keep := graph.LessOrEqual(d, edge)
	if c.int("upper", 1) != 0 {
		keep = graph.GreaterOrEqual(d, edge)
	}
	return graph.Where(keep, x, graph.ZerosLike(x))
}

func (c *call) blocks(x *graph.Node) (block int, dims []int) {
	if x.Rank() != 4 || c.int("blocksize", 0) < 1 {
		panic(fmt.Errorf("expected images and a blocksize, got shape %v and %d", x.Shape().Dimensions, c.int("blocksize", 0)))
	}
	return c.int("blocksize", 0), x.Shape().Dimensions
}

func depthToSpace(c *call) *graph.Node {
	x := c.x(0)
	b, d := c.blocks(x)
	depth := d[1] / (b * b)
	if c.text("mode", "DCR", "CRD") == "DCR" {
		x = graph.TransposeAllAxes(graph.Reshape(x, d[0], b, b, depth, d[2], d[3]), 0, 3, 4, 1, 5, 2)
	} else {
		x = graph.TransposeAllAxes(graph.Reshape(x, d[0], depth, b, b, d[2], d[3]), 0, 1, 4, 2, 5, 3)
	}
	return graph.Reshape(x, d[0], depth, d[2]*b, d[3]*b)
}

func spaceToDepth(c *call) *graph.Node {
	x := c.x(0)
	b, d := c.blocks(x)
	perm := []int{0, 3, 5, 1, 2, 4}
	if c.text("mode", "DCR", "CRD") == "CRD" {
		perm = []int{0, 1, 3, 5, 2, 4}
	}
	x = graph.TransposeAllAxes(graph.Reshape(x, d[0], d[1], d[2]/b, b, d[3]/b, b), perm...)
	return graph.Reshape(x, d[0], d[1]*b*b, d[2]/b, d[3]/b)
}

func centerCropPad(c *call) *graph.Node {
	x, to := c.x(0), c.ints(1)
	axes := c.list("axes")
	if axes == nil {
		for i := range x.Rank() {
			axes = append(axes, i)
		}
	}
	axes = axesOf(axes, x.Rank())
	if len(axes) != len(to) {
		panic(fmt.Errorf("expected %d sizes, got %v", len(axes), to))
	}
	for i, axis := range axes {
		d := to[i] - x.Shape().Dimensions[axis]
		if d < 0 {
			x = part(x, axis, -d/2, -d/2+to[i], 1)
		} else {
			x = padded(x, axis, [2]int{d / 2, d - d/2}, scalar0(x))
		}
	}
	return x
}

func scalar0(x *graph.Node) *graph.Node { return graph.ScalarZero(x.Graph(), x.DType()) }

// reverseSequence turns the first numbers of each example round, as many as lengths say.
func reverseSequence(x, lengths *graph.Node, _, batch, time int) *graph.Node {
	s := x.Shape().Clone()
	s.DType = dtypes.Int32
	at := graph.Iota(x.Graph(), s, time)
	dims := slices.Repeat([]int{1}, x.Rank())
	dims[batch] = s.Dimensions[batch]
	n := graph.BroadcastToDims(graph.Reshape(lengths, dims...), s.Dimensions...)
	at = graph.Where(graph.LessThan(at, n), graph.Sub(graph.Sub(n, graph.OnesLike(n)), at), at)
	return gatherElements(x, at, time)
}
