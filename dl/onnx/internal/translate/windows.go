package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// col2im adds columns of windows back into an image.
func col2im(c *call) *graph.Node {
	x, image, block := c.x(0), c.ints(1), c.ints(2)
	n := len(image)
	f := frame{size: block, strides: c.list("strides", ones(n)...), dilation: c.list("dilations", ones(n)...), pads: make([][2]int, n)}
	pads := c.list("pads", make([]int, 2*n)...)
	if x.Rank() != 3 || len(block) != n || len(f.strides) != n || len(f.dilation) != n || len(pads) != 2*n {
		panic(fmt.Errorf("expected [batch, numbers, windows] and sizes of %d axes, got shape %v", n, x.Shape().Dimensions))
	}
	for i := range n {
		f.pads[i] = [2]int{pads[i], pads[n+i]}
	}
	count := f.out(image)
	d := x.Shape().Dimensions
	size, windows := 1, 1
	for i := range n {
		size *= block[i]
		windows *= count[i]
	}
	if d[1]%size != 0 || d[2] != windows {
		panic(fmt.Errorf("an input of shape %v does not fit windows of %v over %v", d, block, image))
	}
	channels := d[1] / size
	x = graph.Reshape(x, slices.Concat([]int{d[0], channels, size}, count)...)
	var sum *graph.Node
	place := 0
	f.places(func(at []int) {
		y := graph.Squeeze(graph.SliceAxis(x, 2, graph.AxisElem(place)), 2)
		place++
		for i, a := range at {
			axis := 2 + i
			y = spreadAxis(y, axis, f.strides[i])
			before := a*f.dilation[i] - f.pads[i][0]
			y = part(y, axis, max(0, -before), y.Shape().Dimensions[axis], 1)
			before = max(before, 0)
			left := image[i] - before
			y = part(y, axis, 0, min(left, y.Shape().Dimensions[axis]), 1)
			y = padded(y, axis, [2]int{before, left - y.Shape().Dimensions[axis]}, scalar0(y))
		}
		sum = plus(sum, y)
	})
	return sum
}

// spreadAxis puts by − 1 zeros between the numbers of an axis.
func spreadAxis(x *graph.Node, axis, by int) *graph.Node {
	if by == 1 {
		return x
	}
	d := slices.Clone(x.Shape().Dimensions)
	y := padded(graph.InsertAxes(x, axis+1), axis+1, [2]int{0, by - 1}, scalar0(x))
	size := d[axis]
	d[axis] *= by
	return part(graph.Reshape(y, d...), axis, 0, (size-1)*by+1, 1)
}

// deformConv is a convolution each of whose windows has places of its own.
//
// Source: https://arxiv.org/abs/1811.11168
func deformConv(c *call) *graph.Node {
	in, k := c.images(), c.value(1).shape().Dimensions
	if len(in) != 4 || len(k) != 4 {
		panic(fmt.Errorf("expected images, got shape %v", in))
	}
	f := c.frame(in[2:], k[2:])
	out := f.out(in[2:])
	groups, apart := c.int("group", 1), c.int("offset_group", 1)
	size := k[2] * k[3]
	if groups < 1 || apart < 1 || in[1] != k[1]*groups || in[1]%apart != 0 || k[0]%groups != 0 {
		panic(fmt.Errorf("%d channels in %d groups do not fit a kernel of shape %v", in[1], groups, k))
	}
	points := out[0] * out[1]
	offset := graph.Reshape(c.x(2), in[0], apart, size, 2, points)
	var mask *graph.Node
	if c.has(4) {
		mask = graph.Reshape(c.x(4), in[0], apart, size, points)
	}
	x := c.last()
	each := in[1] / apart
	start := sized(x.DType(), []int{in[0], out[0], out[1]})
	var columns []*graph.Node // by place of the window: [batch, points, channels]
	place := 0
	f.places(func(at []int) {
		var parts []*graph.Node
		for g := range apart {
			var places []*graph.Node
			for axis := range 2 {
				first := graph.Mul(graph.Iota(c.g, start, 1+axis), graph.Scalar(c.g, x.DType(), f.strides[axis]))
				first = graph.Add(first, graph.Scalar(c.g, x.DType(), at[axis]*f.dilation[axis]-f.pads[axis][0]))
				o := graph.Slice(offset, graph.AxisRange(), graph.AxisElem(g), graph.AxisElem(place), graph.AxisElem(axis), graph.AxisRange())
				places = append(places, graph.Add(graph.Reshape(first, in[0], points), graph.Reshape(o, in[0], points)))
			}
			y := sampler{x: part(x, 3, g*each, (g+1)*each, 1), mode: "linear", padding: "zeros", align: true}.at(places)
			if mask != nil {
				m := graph.Slice(mask, graph.AxisRange(), graph.AxisElem(g), graph.AxisElem(place), graph.AxisRange())
				y = graph.Mul(y, graph.Reshape(m, in[0], points, 1))
			}
			parts = append(parts, y)
		}
		columns = append(columns, graph.Concatenate(parts, 2))
		place++
	})
	y := graph.TransposeAllAxes(c.byGroups(columns, groups), 0, 2, 1)
	y = graph.Reshape(y, in[0], k[0], out[0], out[1])
	if c.has(3) {
		y = graph.Add(y, channels(c.x(3), 4))
	}
	return y
}

// byGroups multiplies what lies under each place of the windows, [batch, points, channels],
// by the kernel's numbers for it.
func (c *call) byGroups(columns []*graph.Node, groups int) *graph.Node {
	k := c.value(1).shape().Dimensions
	w := c.x(1)
	var results []*graph.Node
	for g := range groups {
		var sum *graph.Node
		for p, col := range columns {
			wg := graph.Slice(w, graph.AxisRange(g*k[0]/groups, (g+1)*k[0]/groups), graph.AxisRange(), graph.AxisElem(p/k[3]), graph.AxisElem(p%k[3]))
			y := dot(part(col, 2, g*k[1], (g+1)*k[1], 1), []int{2}, nil, graph.Reshape(wg, k[0]/groups, k[1]), []int{1}, nil)
			sum = plus(sum, y)
		}
		results = append(results, sum)
	}
	return graph.Concatenate(results, 2)
}
