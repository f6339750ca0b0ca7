package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

// pad puts values around, or takes some off where a number is negative.
func pad(c *call) *graph.Node {
	x := c.x(0)
	amounts, ok := c.intsOr(1, "pads")
	if !ok {
		amounts = c.list("paddings")
	}
	axes := make([]int, x.Rank())
	for i := range axes {
		axes[i] = i
	}
	if c.has(3) {
		axes = axesOf(c.ints(3), x.Rank())
	}
	if len(amounts) != 2*len(axes) {
		panic(fmt.Errorf("expected %d pads, two for each axis, got %v", 2*len(axes), amounts))
	}
	fill := scalar0(x)
	if v := c.float("value", 0); v != 0 {
		fill = scalar(x, v)
	}
	if c.has(2) {
		fill = graph.Reshape(c.x(2))
	}
	mode := c.text("mode", "constant", "reflect", "edge", "wrap")
	for i, axis := range axes {
		p := [2]int{amounts[i], amounts[len(axes)+i]}
		size := x.Shape().Dimensions[axis]
		low, high := max(-p[0], 0), min(size, size+p[1])
		x = part(x, axis, low, high, 1)
		p = [2]int{max(p[0], 0), max(p[1], 0)}
		dims := slices.Clone(x.Shape().Dimensions)
		dims[axis] += p[0] + p[1]
		c.fits(sized(x.DType(), dims))
		switch mode {
		case "constant":
			x = padded(x, axis, p, fill)
		default:
			x = mirrored(x, axis, p, mode)
		}
	}
	return x
}

// padded puts a value before and behind an axis.
func padded(x *graph.Node, axis int, p [2]int, fill *graph.Node) *graph.Node {
	if p == [2]int{} {
		return x
	}
	config := make([]compute.PadAxis, x.Rank())
	config[axis] = compute.PadAxis{Start: p[0], End: p[1]}
	out := graph.Pad(x, fill, config...)
	if !x.DType().IsFloat() {
		return out
	}
	return ops.WithGradient([]*graph.Node{out}, []*graph.Node{x}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{ops.Crop(d[0], axis, p)}
	})[0]
}

// mirrored continues an axis by its own values.
func mirrored(x *graph.Node, axis int, p [2]int, mode string) *graph.Node {
	size := x.Shape().Dimensions[axis]
	if size == 0 || p == [2]int{} {
		return x
	}
	counted(size + p[0] + p[1])
	at := make([]int, 0, size+p[0]+p[1])
	for i := -p[0]; i < size+p[1]; i++ {
		switch mode {
		case "edge":
			at = append(at, min(max(i, 0), size-1))
		case "wrap":
			at = append(at, ((i%size)+size)%size)
		default:
			period := max(2*(size-1), 1)
			j := ((i % period) + period) % period
			at = append(at, min(j, period-j))
			if size == 1 {
				at[len(at)-1] = 0
			}
		}
	}
	return taken(x, axis, at)
}

// taken are places of an axis, in any order.
func taken(x *graph.Node, axis int, at []int) *graph.Node {
	ids := make([]int32, len(at))
	for i, v := range at {
		ids[i] = int32(v)
	}
	return gatherAxis(x, graph.Const(x.Graph(), ids), axis)
}
