package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

// Convolutions and poolings want channels at the end, where XLA's CPU is fast. They leave
// them there for what comes next.

const window = "kernel_shape strides pads dilations auto_pad"

func init() {
	add(map[string]operator{
		"Conv":                {Attributes: window + " group", Inputs: 3, Types: floating, Rule: conv},
		"ConvTranspose":       {Attributes: window + " group output_padding output_shape", Inputs: 3, Types: floating, Rule: convTranspose},
		"CausalConvWithState": {Attributes: "activation", Inputs: 4, Outputs: 2, Types: floating, Rule: causalConv},
		"DeformConv":          {Attributes: "dilations group kernel_shape offset_group pads strides", Inputs: 5, Types: floating, Rule: rule(deformConv)},
	})
}

func channelsLast(x *graph.Node) *graph.Node {
	if x.Rank() < 3 {
		return x
	}
	return graph.TransposeAllAxes(x, append(append([]int{0}, from(2, x.Rank())...), 1)...)
}

func channelsFirst(x *graph.Node) *graph.Node {
	if x.Rank() < 3 {
		return x
	}
	return graph.TransposeAllAxes(x, toFirst(x.Rank())...)
}

// toFirst is the order of axes that brings channels from the end to behind the batch.
func toFirst(rank int) []int { return append([]int{0, rank - 1}, from(1, rank-1)...) }

// atLast is where an axis is when channels are at the end.
func atLast(axis, rank int) int {
	switch axis {
	case 0:
		return 0
	case 1:
		return rank - 1
	}
	return axis - 1
}

// last is the first input with its channels at the end.
func (c *call) last() *graph.Node {
	v := c.value(0)
	if v.last {
		return v.node
	}
	return channelsLast(c.node(v))
}

// channels gives a vector the shape of channels behind the batch.
func channels(v *graph.Node, rank int) *graph.Node {
	dims := ones(rank)
	dims[1] = v.Shape().Size()
	return graph.Reshape(v, dims...)
}

func ones(n int) []int { return slices.Repeat([]int{1}, n) }

// frame is how a window goes over axes in space.
type frame struct {
	size, strides, dilation []int
	pads                    [][2]int
}

// frame reads a node's window over axes of the given sizes.
func (c *call) frame(space, size []int) frame {
	n := len(space)
	if n == 0 || len(size) != n {
		panic(fmt.Errorf("expected a window of %d axes, got %v", n, size))
	}
	f := frame{size: size, strides: c.list("strides", ones(n)...), dilation: c.list("dilations", ones(n)...), pads: make([][2]int, n)}
	if k := c.list("kernel_shape", size...); !slices.Equal(k, size) {
		panic(fmt.Errorf("expected kernel_shape %v, got %v", size, k))
	}
	pads := c.list("pads", make([]int, 2*n)...)
	if len(f.strides) != n || len(f.dilation) != n || len(pads) != 2*n {
		panic(fmt.Errorf("expected strides, dilations and pads for %d axes, got %v, %v and %v", n, f.strides, f.dilation, pads))
	}
	for i := range n {
		if f.size[i] < 1 || f.strides[i] < 1 || f.dilation[i] < 1 {
			panic(fmt.Errorf("expected a window, strides and dilations of at least 1, got %v, %v and %v", f.size, f.strides, f.dilation))
		}
	}
	auto := c.autoPad()
	for i := range f.pads {
		switch auto {
		case "NOTSET":
			f.pads[i] = [2]int{pads[i], pads[n+i]}
		case "SAME_UPPER", "SAME_LOWER":
			steps := (space[i] + f.strides[i] - 1) / f.strides[i]
			f.pads[i] = halves((steps-1)*f.strides[i]+f.reach(i)-space[i], auto == "SAME_LOWER")
		}
	}
	return f
}

func (c *call) autoPad() string {
	return c.text("auto_pad", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
}

// halves are pads that are total together, with the odd one behind, or before.
func halves(total int, before bool) [2]int {
	total = max(total, 0)
	less, more := total/2, total-total/2
	if before {
		return [2]int{more, less}
	}
	return [2]int{less, more}
}

// reach is how many places a window spans.
func (f frame) reach(i int) int { return (f.size[i]-1)*f.dilation[i] + 1 }

// out is how many windows there are.
func (f frame) out(space []int) []int {
	out := make([]int, len(space))
	for i, d := range space {
		out[i] = (d+f.pads[i][0]+f.pads[i][1]-f.reach(i))/f.strides[i] + 1
		if d+f.pads[i][0]+f.pads[i][1] < f.reach(i) {
			panic(fmt.Errorf("the window of %v with dilations %v is larger than the input of %v with pads %v", f.size, f.dilation, space, f.pads))
		}
	}
	return out
}

// windowFirst is the order of axes that turns [a, b, window…] into [window…, b, a].
func windowFirst(rank int) []int { return append(from(2, rank), 1, 0) }

// kernel is a weight [a, b, window…] as [window…, b, a].
func (c *call) kernel(i int) *graph.Node {
	v := c.value(i)
	rank := v.shape().Rank()
	if rank < 3 {
		panic(fmt.Errorf("expected a kernel of at least 3 axes, got shape %v", v.shape().Dimensions))
	}
	perm := windowFirst(rank)
	if v.weight != "" && v.known == nil && v.node == nil {
		if n := c.weightNode(v.weight, perm); n != nil {
			return n
		}
	}
	return graph.TransposeAllAxes(c.node(v), perm...)
}

func (c *call) images() []int {
	d := c.value(0).shape().Dimensions
	if len(d) < 3 {
		panic(fmt.Errorf("expected [batch, channels, …], got shape %v", d))
	}
	return d
}

func conv(c *call) []*value {
	in := c.images()
	k := c.value(1).shape().Dimensions
	if len(k) != len(in) {
		panic(fmt.Errorf("expected a kernel of %d axes, got shape %v", len(in), k))
	}
	groups := c.int("group", 1)
	if groups < 1 || in[1] != k[1]*groups || k[0]%groups != 0 {
		panic(fmt.Errorf("%d channels in %d groups do not fit a kernel of shape %v", in[1], groups, k))
	}
	f := c.frame(in[2:], k[2:])
	f.out(in[2:])
	x, kernel := c.last(), c.kernel(1)
	var bias *graph.Node
	if c.has(2) {
		bias = c.x(2)
	}
	if !c.Trained && x.DType() == kernel.DType() {
		if y := ops.ConvolveOpen(x, kernel, bias, f.strides, f.dilation, f.pads, groups); y != nil {
			return []*value{{node: y, last: true}}
		}
	}
	y := c.convolve(x, kernel, f, groups)
	if bias != nil {
		y = graph.Add(y, graph.ExpandLeftToRank(bias, y.Rank()))
	}
	return []*value{{node: y, last: true}}
}

// convolve is a convolution of channels at the end.
func (c *call) convolve(x, kernel *graph.Node, f frame, groups int) *graph.Node {
	way := ops.ConvolveForward
	if c.Trained {
		way = ops.Convolve
	}
	return wider(x, kernel, func(x, kernel *graph.Node) *graph.Node {
		return way(x, kernel, f.strides, f.dilation, f.pads, groups)
	})
}

// spread are the settings of a transposed convolution.
func (c *call) spread(in, k []int) (f frame, out []int) {
	n := len(in) - 2
	f = c.frame(slices.Repeat([]int{1 << 20}, n), k[2:])
	auto := c.autoPad()
	if auto != "NOTSET" {
		f.pads = make([][2]int, n)
	}
	more := c.list("output_padding", make([]int, n)...)
	wanted, ok := c.attribute("output_shape")
	same := auto == "SAME_UPPER" || auto == "SAME_LOWER"
	shape := narrow(wanted.Ints)
	if len(shape) > n {
		shape = shape[len(shape)-n:]
	}
	if ok && len(shape) != n || len(more) != n {
		panic(fmt.Errorf("expected output_shape and output_padding of %d axes, got %v and %v", n, shape, more))
	}
	out = make([]int, n)
	for i := range out {
		whole := (in[2+i]-1)*f.strides[i] + f.reach(i) + more[i]
		switch {
		case ok:
			out[i] = shape[i]
			f.pads[i] = halves(whole-shape[i], auto != "SAME_UPPER")
			if whole < shape[i] {
				f.pads[i] = [2]int{0, 0}
			}
		case same:
			out[i] = in[2+i] * f.strides[i]
			f.pads[i] = halves(whole-out[i], auto != "SAME_UPPER")
		default:
			out[i] = whole - f.pads[i][0] - f.pads[i][1]
		}
		if out[i] < 1 {
			panic(fmt.Errorf("its pads leave nothing of axis %d", 2+i))
		}
	}
	return f, out
}

func convTranspose(c *call) []*value {
	in := c.images()
	k := c.value(1).shape().Dimensions
	groups := c.int("group", 1)
	if len(k) != len(in) || groups < 1 || k[0] != in[1] || k[0]%groups != 0 {
		panic(fmt.Errorf("%d channels in %d groups do not fit a kernel of shape %v", in[1], groups, k))
	}
	f, out := c.spread(in, k)
	x, kernel := c.last(), c.kernel(1) // [window…, filters, channels]
	var before []int
	for _, p := range f.pads {
		before = append(before, p[0])
	}
	var parts []*graph.Node
	each := in[1] / groups
	for g := range groups {
		xg := part(x, x.Rank()-1, g*each, (g+1)*each, 1)
		kg := part(kernel, kernel.Rank()-1, g*each, (g+1)*each, 1)
		parts = append(parts, ops.Transposed(xg, kg, f.strides, f.dilation, before, out))
	}
	y := parts[0]
	if groups > 1 {
		y = graph.Concatenate(parts, -1)
	}
	if c.has(2) {
		y = graph.Add(y, graph.ExpandLeftToRank(c.x(2), y.Rank()))
	}
	return []*value{{node: y, last: true}}
}

// causalConv is a depthwise convolution of a sequence whose beginning comes from the last
// call.
func causalConv(c *call) []*value {
	x, k := c.x(0), c.value(1).shape().Dimensions
	if x.Rank() != 3 || len(k) != 3 {
		panic(fmt.Errorf("expected [batch, channels, length] and a kernel of 3 axes, got shapes %v and %v", x.Shape().Dimensions, k))
	}
	d := x.Shape().Dimensions
	var before *graph.Node
	if c.has(3) {
		before = c.x(3)
	} else {
		before = c.fill(x.DType(), 0, d[0], d[1], k[2]-1)
	}
	if k[2] > 1 {
		x = graph.Concatenate([]*graph.Node{before, x}, 2)
	}
	f := frame{size: k[2:], strides: []int{1}, dilation: []int{1}, pads: make([][2]int, 1)}
	y := channelsFirst(c.convolve(channelsLast(x), c.kernel(1), f, d[1]))
	if c.has(2) {
		y = graph.Add(y, channels(c.x(2), 3))
	}
	if c.text("activation", "none", "silu", "swish") != "none" {
		y = graph.Mul(y, graph.Sigmoid(y))
	}
	n := x.Shape().Dimensions[2]
	return several(y, part(x, 2, n-(k[2]-1), n, 1))
}
