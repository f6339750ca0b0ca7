package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Convolutions and what else has axes in space. ONNX has channels behind the batch; here
// they are moved to the end and back, which XLA does not carry out as such.

func channelsLast(x *tensor.Node) *tensor.Node {
	perm := []int{0}
	for i := 2; i < x.Rank(); i++ {
		perm = append(perm, i)
	}
	return graph.TransposeAllAxes(x, append(perm, 1)...)
}

func channelsFirst(x *tensor.Node) *tensor.Node {
	perm := []int{0, x.Rank() - 1}
	for i := 1; i < x.Rank()-1; i++ {
		perm = append(perm, i)
	}
	return graph.TransposeAllAxes(x, perm...)
}

func reversed(x *tensor.Node, axis int) *tensor.Node { return ops.Reverse(x, axis) }

// padsOf are the zeros before and behind each axis that a node asks for.
func (n nodeProto) padsOf(shape, window, strides, dilation []int) [][2]int {
	out := make([][2]int, len(window))
	switch auto := n.text("auto_pad", "NOTSET"); auto {
	case "NOTSET", "VALID", "":
		pads := n.list("pads", make([]int, 2*len(window))...)
		for i := range out {
			out[i] = [2]int{pads[i], pads[len(window)+i]}
		}
	case "SAME_UPPER", "SAME_LOWER":
		for i := range out {
			total := max(((shape[i]+strides[i]-1)/strides[i]-1)*strides[i]+(window[i]-1)*dilation[i]+1-shape[i], 0)
			less, more := total/2, total-total/2
			if auto == "SAME_LOWER" {
				less, more = more, less
			}
			out[i] = [2]int{less, more}
		}
	}
	return out
}

func ones(n int) []int { return slices.Repeat([]int{1}, n) }

func addChannels(m *machine, n nodeProto, y *tensor.Node) *tensor.Node {
	if _, ok := m.input(n, 2); !ok {
		return y
	}
	return graph.Add(y, graph.ExpandLeftToRank(m.in(n, 2), y.Rank()))
}

// windowFirst turns a kernel [a, b, window…] into [window…, b, a].
func windowFirst(w *tensor.Node) *tensor.Node {
	var perm []int
	for axis := 2; axis < w.Rank(); axis++ {
		perm = append(perm, axis)
	}
	return graph.TransposeAllAxes(w, append(perm, 1, 0)...)
}

func conv(m *machine, n nodeProto) []value {
	x, w := channelsLast(m.in(n, 0)), m.in(n, 1) // [filters, channels, window…]
	d := w.Shape().Dimensions
	space := len(d) - 2
	kernel := windowFirst(w)
	strides, dilation := n.list("strides", ones(space)...), n.list("dilations", ones(space)...)
	pads := n.padsOf(x.Shape().Dimensions[1:], d[2:], strides, dilation)
	y := ops.Convolve(x, kernel, strides, dilation, pads, n.int("group", 1))
	return single(channelsFirst(addChannels(m, n, y)))
}

func convTranspose(m *machine, n nodeProto) []value {
	if n.int("group", 1) != 1 || n.text("auto_pad", "NOTSET") != "NOTSET" {
		panic(fmt.Errorf("node %q (ConvTranspose): groups and auto_pad are not supported", n.name))
	}
	x, w := channelsLast(m.in(n, 0)), m.in(n, 1) // [channels, filters, window…]
	d := w.Shape().Dimensions
	space := len(d) - 2
	kernel := windowFirst(w)
	strides, dilation := n.list("strides", ones(space)...), n.list("dilations", ones(space)...)
	pads, more := n.list("pads", make([]int, 2*space)...), n.list("output_padding", make([]int, space)...)
	out := make([]int, space)
	for i := range out {
		out[i] = (x.Shape().Dimensions[1+i]-1)*strides[i] + (d[2+i]-1)*dilation[i] + 1 + more[i] - pads[i] - pads[space+i]
	}
	y := ops.Transposed(x, kernel, strides, dilation, pads[:space], out)
	return single(channelsFirst(addChannels(m, n, y)))
}

func pool(largest bool) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		x := channelsLast(m.in(n, 0))
		window := n.list("kernel_shape")
		strides, dilation := n.list("strides", ones(len(window))...), n.list("dilations", ones(len(window))...)
		if n.int("ceil_mode", 0) != 0 || slices.ContainsFunc(dilation, func(d int) bool { return d != 1 }) {
			panic(fmt.Errorf("node %q (%s): ceil_mode and dilations are not supported", n.name, n.op))
		}
		pads := n.padsOf(x.Shape().Dimensions[1:], window, strides, dilation)
		pad := func(x *tensor.Node, v float64) *tensor.Node {
			for i, p := range pads {
				x = ops.Pad(x, 1+i, p, v)
			}
			return x
		}
		if largest {
			return single(channelsFirst(pooled(pad(x, math.Inf(-1)), window, strides, true)))
		}
		y := pooled(pad(x, 0), window, strides, false)
		if n.int("count_include_pad", 0) == 0 {
			y = graph.Div(y, graph.StopGradient(pooled(pad(graph.OnesLike(x), 0), window, strides, false)))
		}
		return single(channelsFirst(y))
	}
}

func pooled(x *tensor.Node, window, strides []int, largest bool) *tensor.Node {
	var l layers.Layer
	pick := func(a, b layers.Layer) {
		if l = b; largest {
			l = a
		}
	}
	switch len(window) {
	case 1:
		pick(layers.MaxPooling1D{PoolSize: window[0], Strides: strides[0]}, layers.AveragePooling1D{PoolSize: window[0], Strides: strides[0]})
	case 2:
		pick(layers.MaxPooling2D{PoolSize: [2]int(window), Strides: [2]int(strides)}, layers.AveragePooling2D{PoolSize: [2]int(window), Strides: [2]int(strides)})
	default:
		pick(layers.MaxPooling3D{PoolSize: [3]int(window), Strides: [3]int(strides)}, layers.AveragePooling3D{PoolSize: [3]int(window), Strides: [3]int(strides)})
	}
	return l.Call(nil, x)
}

func globalPool(f func(x *tensor.Node, axes ...int) *tensor.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		x := m.in(n, 0)
		var axes []int
		for i := 2; i < x.Rank(); i++ {
			axes = append(axes, i)
		}
		return single(graph.ReduceAndKeep(x, f, axes...))
	}
}

// channels gives a vector the shape of channels behind the batch.
func channels(v *tensor.Node, rank int) *tensor.Node {
	dims := ones(rank)
	dims[1] = v.Shape().Size()
	return graph.Reshape(v, dims...)
}

func batchNormalization(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	at := func(i int) *tensor.Node { return channels(m.in(n, i), x.Rank()) }
	y := graph.Mul(graph.Sub(x, at(3)), ops.Rsqrt(graph.AddScalar(at(4), n.float("epsilon", 1e-5))))
	return single(graph.Add(graph.Mul(y, at(1)), at(2)))
}

func normalized(x *tensor.Node, epsilon float64, axes ...int) *tensor.Node {
	centred := graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, axes...))
	variance := graph.ReduceAndKeep(graph.Square(centred), graph.ReduceMean, axes...)
	return graph.Mul(centred, ops.Rsqrt(graph.AddScalar(variance, epsilon)))
}

func instanceNormalization(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	var axes []int
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	y := normalized(x, n.float("epsilon", 1e-5), axes...)
	return single(graph.Add(graph.Mul(y, channels(m.in(n, 1), x.Rank())), channels(m.in(n, 2), x.Rank())))
}

func layerNormalization(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	axis := n.int("axis", -1)
	if axis < 0 {
		axis += x.Rank()
	}
	var axes []int
	for i := axis; i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	y := graph.Mul(normalized(x, n.float("epsilon", 1e-5), axes...), graph.ExpandLeftToRank(m.in(n, 1), x.Rank()))
	if _, ok := m.input(n, 2); ok {
		y = graph.Add(y, graph.ExpandLeftToRank(m.in(n, 2), x.Rank()))
	}
	return single(y)
}

func pad(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	if mode := n.text("mode", "constant"); mode != "constant" {
		panic(fmt.Errorf("node %q (Pad): expected mode constant, got %q, which is not supported", n.name, mode))
	}
	amounts, _ := m.ints(n, 1, "pads")
	axes, ok := m.ints(n, 3, "")
	if !ok {
		for i := range len(amounts) / 2 {
			axes = append(axes, i)
		}
	}
	for i, axis := range axes {
		if axis < 0 {
			axis += x.Rank()
		}
		x = ops.Pad(x, axis, [2]int{amounts[i], amounts[len(axes)+i]}, n.float("value", 0))
	}
	return single(x)
}

func resize(m *machine, n nodeProto) []value {
	x := channelsLast(m.in(n, 0))
	if x.Rank() != 4 {
		panic(fmt.Errorf("node %q (Resize): expected images, got %v", n.name, x.Shape()))
	}
	how := layers.Nearest
	if n.text("mode", "nearest") == "linear" {
		how = layers.Bilinear
	}
	d := x.Shape().Dimensions
	var height, width int
	if size, ok := m.ints(n, 3, ""); ok {
		height, width = size[2], size[3]
	} else {
		scales, _ := m.input(n, 2)
		factors := m.scales(n, scales)
		height, width = int(float64(d[1])*factors[2]), int(float64(d[2])*factors[3])
	}
	return single(channelsFirst(layers.Resizing{Height: height, Width: width, Interpolation: how}.Call(nil, x)))
}
