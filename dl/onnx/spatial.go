package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/internal/pass"
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

// recurrent reads RNN, LSTM and GRU as the layers of those names.
func recurrent(m *machine, n nodeProto) []value {
	gates := map[string]int{"RNN": 1, "LSTM": 4, "GRU": 3}[n.op]
	order := map[string][]int{"RNN": {0}, "LSTM": {0, 2, 3, 1}, "GRU": {0, 1, 2}}[n.op] // of Keras's gates among ONNX's
	units := n.int("hidden_size", 0)
	x := graph.TransposeAllAxes(m.in(n, 0), 1, 0, 2) // [batch, steps, features]
	if v, ok := m.input(n, 4); ok && v.node != nil {
		panic(fmt.Errorf("node %q (%s): sequences of different lengths are not supported", n.name, n.op))
	}
	directions := 1
	direction := n.text("direction", "forward")
	if direction == "bidirectional" {
		directions = 2
	}
	acts := n.attributes["activations"].strings
	after := n.int("linear_before_reset", 0) == 1
	part := func(w *tensor.Node, k int) *tensor.Node {
		return graph.Squeeze(graph.SliceAxis(w, 0, graph.AxisElem(k)), 0)
	}
	sorted := func(w *tensor.Node) *tensor.Node {
		var all []*tensor.Node
		for _, g := range order {
			all = append(all, graph.SliceAxis(w, 0, graph.AxisRange(g*units, (g+1)*units)))
		}
		return graph.Concatenate(all, 0)
	}
	var ys, hs, cs []*tensor.Node
	for k := range directions {
		weights := map[string]*tensor.Node{
			"kernel":           graph.Transpose(sorted(part(m.in(n, 1), k)), 0, 1),
			"recurrent_kernel": graph.Transpose(sorted(part(m.in(n, 2), k)), 0, 1),
		}
		biased := false
		if _, ok := m.input(n, 3); ok {
			biased = true
			b := part(m.in(n, 3), k)
			bx := sorted(graph.SliceAxis(b, 0, graph.AxisRange(0, gates*units)))
			bh := sorted(graph.SliceAxis(b, 0, graph.AxisRangeToEnd(gates*units)))
			if n.op == "GRU" && after {
				weights["bias"] = graph.Stack([]*tensor.Node{bx, bh}, 0)
			} else {
				weights["bias"] = graph.Add(bx, bh)
			}
		}
		backwards := direction == "reverse" || k == 1
		l := cellLayer(n, units, acts, k, backwards, !biased, after)
		in := []*tensor.Node{x}
		for i, state := range []int{5, 6}[:map[bool]int{true: 2, false: 1}[n.op == "LSTM"]] {
			if _, ok := m.input(n, state); ok {
				in = append(in, part(m.in(n, state), k))
			} else if _, ok := m.input(n, 5); ok && i > 0 {
				in = append(in, graph.ZerosLike(in[1]))
			}
		}
		spec, err := l.BuildAll(shapesOf(in))
		if err != nil {
			panic(fmt.Errorf("node %q (%s): %w", n.name, n.op, err))
		}
		out, _, _ := pass.Call(pass.New(false, nil, dtypes.InvalidDType), pass.Layer{Layer: l, Spec: spec, Name: n.name, Weights: weights}, in, make([]*tensor.Node, len(in)))
		y := out[0]
		if backwards {
			y = ops.Reverse(y, 1) // ONNX returns it in the order of the input
		}
		ys = append(ys, graph.TransposeAllAxes(y, 1, 0, 2))
		hs = append(hs, out[1])
		if len(out) > 2 {
			cs = append(cs, out[2])
		}
	}
	values := []value{{node: graph.Stack(ys, 1)}, {node: graph.Stack(hs, 0)}}
	if cs != nil {
		values = append(values, value{node: graph.Stack(cs, 0)})
	}
	return values
}

// cellLayer is the layer that computes what a node does in one direction.
func cellLayer(n nodeProto, units int, acts []string, k int, backwards, noBias, after bool) layers.Multi {
	per := map[string]int{"RNN": 1, "LSTM": 3, "GRU": 2}[n.op]
	act := func(i int) activations.Activation {
		if len(acts) <= k*per+i {
			return nil
		}
		name := map[string]string{"Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Softsign": "softsign", "Softplus": "softplus"}[acts[k*per+i]]
		a, err := activations.Get(name)
		if err != nil {
			panic(fmt.Errorf("node %q (%s): the activation %s is not supported", n.name, n.op, acts[k*per+i]))
		}
		return a
	}
	switch n.op {
	case "LSTM":
		return layers.LSTM{Units: units, RecurrentActivation: act(0), Activation: act(1), NoBias: noBias, GoBackwards: backwards, ReturnSequences: true, ReturnState: true}
	case "GRU":
		return layers.GRU{Units: units, RecurrentActivation: act(0), Activation: act(1), NoBias: noBias, ResetBefore: !after, GoBackwards: backwards, ReturnSequences: true, ReturnState: true}
	}
	return layers.SimpleRNN{Units: units, Activation: act(0), NoBias: noBias, GoBackwards: backwards, ReturnSequences: true, ReturnState: true}
}

func shapesOf(in []*tensor.Node) (all []layers.Shape) {
	for _, x := range in {
		all = append(all, x.Shape().Dimensions[1:])
	}
	return all
}
