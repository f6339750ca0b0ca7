package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

func slice(c *call) *graph.Node {
	x := c.x(0)
	from, okFrom := c.intsOr(1, "starts")
	to, okTo := c.intsOr(2, "ends")
	axes, ok := c.intsOr(3, "axes")
	if !okFrom || !okTo || len(from) != len(to) {
		panic(fmt.Errorf("expected as many starts as ends, got %v and %v", from, to))
	}
	if !ok {
		for i := range from {
			axes = append(axes, i)
		}
	}
	axes = axesOf(axes, x.Rank())
	steps := slices.Repeat([]int{1}, len(from))
	if c.has(4) {
		steps = c.ints(4)
	}
	if len(axes) != len(from) || len(steps) != len(from) {
		panic(fmt.Errorf("expected %d axes and steps, got %v and %v", len(from), axes, steps))
	}
	for i, axis := range axes {
		x = sliced(x, axis, from[i], to[i], steps[i])
	}
	return x
}

// sliced takes from an axis what Python's x[from:to:step] would.
func sliced(x *graph.Node, axis, from, to, step int) *graph.Node {
	size := x.Shape().Dimensions[axis]
	clamp := func(v, low, high int) int {
		if v < 0 {
			v += size
		}
		return min(max(v, low), high)
	}
	switch {
	case step == 0:
		panic(fmt.Errorf("expected steps other than 0"))
	case step < 0:
		a, b := clamp(from, -1, size-1), clamp(to, -1, size-1)
		if from < -size {
			a = -1
		}
		step = max(step, -size-1)
		return part(ops.Reverse(x, axis), axis, size-1-a, size-1-b, -step)
	}
	return part(x, axis, clamp(from, 0, size), clamp(to, 0, size), min(step, size+1))
}

// part is a slice that may be empty.
func part(x *graph.Node, axis, from, to, step int) *graph.Node {
	if from >= to {
		dims := slices.Clone(x.Shape().Dimensions)
		dims[axis] = 0
		return graph.Zeros(x.Graph(), sized(x.DType(), dims))
	}
	if from == 0 && to == x.Shape().Dimensions[axis] && step == 1 {
		return x
	}
	return graph.SliceAxis(x, axis, graph.AxisRange(from, to).Stride(step))
}

func split(c *call) []*value {
	v := c.value(0)
	rank := v.shape().Rank()
	axis := c.axis(0, rank)
	size := v.shape().Dimensions[axis]
	sizes, ok := c.intsOr(1, "split")
	if !ok {
		parts := c.int("num_outputs", len(c.Out))
		if parts < 1 || parts != len(c.Out) {
			panic(fmt.Errorf("expected at least one output, and num_outputs as many as there are, got %d and %d", len(c.Out), parts))
		}
		if c.opset < 18 && size%parts != 0 {
			panic(fmt.Errorf("an axis of %d cannot be split into %d equal parts", size, parts))
		}
		each := (size + parts - 1) / parts
		for left := size; len(sizes) < parts; left -= each {
			sizes = append(sizes, max(0, min(each, left)))
		}
	}
	sum := 0
	for _, s := range sizes {
		sum += s
	}
	if sum != size || slices.ContainsFunc(sizes, func(s int) bool { return s < 0 }) {
		panic(fmt.Errorf("expected parts that are %d together, got %v", size, sizes))
	}
	x, last := v.node, v.last
	if !last {
		x = c.node(v)
	} else {
		axis = atLast(axis, rank)
	}
	var out []*value
	at := 0
	for _, s := range sizes {
		out = append(out, &value{node: part(x, axis, at, at+s, 1), last: last})
		at += s
	}
	return out
}
