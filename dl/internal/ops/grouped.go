package ops

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// The gradient of graph.Convolve with groups is a convolution by x and one by the
// kernel for each group, which XLA compiles for a second where there are fifty. So
// with more than groupsApart groups the gradient is one of its own: by x it is one
// convolution, and by the kernel groupsApart ones of neighbouring groups taken
// together, of whose results those between two groups are thrown away. Of 4, 8, 16
// and 32 pieces, 8 were the fastest, or close to it, from 32 groups of 4 channels to
// 960 of one.
const groupsApart = 8

// The most places of a window whose products are added one by one, where each
// channel has one filter: XLA fuses them into one loop, twice as fast as its
// convolution is. With more places the loop has too much to read, for the gradient.
// Where none is wanted, windows of 5×5 are four times as fast that way, too.
const (
	placesApart        = 9
	placesApartForward = 25
)

// grouped is a convolution whose channels are in groups with filters of their own.
type grouped struct {
	strides, dilation []int
	pads              [][2]int
	groups            int
	most              int // places that are added one by one
}

// convolve is the convolution with its gradient.
func (g grouped) convolve(x, kernel *graph.Node) *graph.Node {
	y := g.forward(x, kernel, nil)
	return WithGradient([]*graph.Node{y}, []*graph.Node{x, kernel}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{g.byInput(x, kernel, d[0]), g.byKernel(x, kernel, d[0])}
	})[0]
}

// forward convolves x, between whose values spread − 1 zeros are, or nil for none.
func (g grouped) forward(x, kernel *graph.Node, spread []int) *graph.Node {
	window := kernel.Shape().Dimensions[:len(g.strides)]
	places := 1
	for _, n := range window {
		places *= n
	}
	each := x.Shape().Dimensions[x.Rank()-1] == g.groups && kernel.Shape().Dimensions[kernel.Rank()-1] == g.groups
	if each && places <= g.most && AllOnes(spread) {
		return g.byPlaces(x, kernel)
	}
	return graph.ConvGeneral(x, kernel, channelsLast(len(window)), g.strides, g.pads, spread, g.dilation, g.groups, 1)
}

// byPlaces adds, for each place of the window, what lies under it times its weight.
func (g grouped) byPlaces(x, kernel *graph.Node) *graph.Node {
	window := kernel.Shape().Dimensions[:len(g.strides)]
	for i, p := range g.pads {
		x = Pad(x, 1+i, [2]int{max(p[0], 0), max(p[1], 0)}, 0)
		x = Crop(x, 1+i, [2]int{max(-p[0], 0), max(-p[1], 0)})
	}
	var sum *graph.Node
	at := make([]int, len(window))
	for {
		under, weight := []graph.SliceAxisSpec{graph.AxisRange()}, []graph.SliceAxisSpec{}
		for i, n := range window {
			from := at[i] * g.dilation[i]
			last := x.Shape().Dimensions[1+i] - (n-1-at[i])*g.dilation[i]
			under = append(under, graph.AxisRange(from, last).Stride(g.strides[i]))
			weight = append(weight, graph.AxisElem(at[i]))
		}
		part := graph.Slice(x, append(under, graph.AxisRange())...)
		w := graph.Reshape(graph.Slice(kernel, append(weight, graph.AxisRange(), graph.AxisRange())...), g.groups)
		part = graph.Mul(part, graph.ExpandLeftToRank(w, part.Rank()))
		if sum == nil {
			sum = part
		} else {
			sum = graph.Add(sum, part)
		}
		if !next(at, window) {
			return sum
		}
	}
}

// byInput is the gradient by x: dy spread by the strides, convolved with each
// group's kernel turned round.
func (g grouped) byInput(x, kernel, dy *graph.Node) *graph.Node {
	space := len(g.strides)
	dims := kernel.Shape().Dimensions
	in, out := dims[space], dims[space+1]/g.groups
	window := upTo(space)
	back := grouped{slices.Repeat([]int{1}, space), g.dilation, make([][2]int, space), g.groups, g.most}
	for i, p := range g.pads {
		back.pads[i] = [2]int{
			(dims[i]-1)*g.dilation[i] - p[0],
			x.Shape().Dimensions[1+i] - (dy.Shape().Dimensions[1+i]-1)*g.strides[i] - 1 + p[0],
		}
	}
	kernel = graph.Reshape(graph.Reverse(kernel, window...), append(slices.Clone(dims[:space+1]), g.groups, out)...)
	kernel = graph.TransposeAllAxes(kernel, append(window, space+2, space+1, space)...)
	kernel = graph.Reshape(kernel, append(slices.Clone(dims[:space]), out, g.groups*in)...)
	return back.forward(dy, kernel, g.strides)
}

// byKernel is the gradient by the kernel: x convolved with dy, spread by the strides,
// as the kernel, and images as the channels that are added.
func (g grouped) byKernel(x, kernel, dy *graph.Node) *graph.Node {
	space := len(g.strides)
	dims := kernel.Shape().Dimensions
	in, out := dims[space], dims[space+1]/g.groups
	axes := channelsLast(space)
	axes.InputBatch, axes.InputChannels = axes.InputChannels, axes.InputBatch
	axes.KernelInputChannels, axes.KernelOutputChannels, axes.KernelSpatial = axes.OutputBatch, axes.OutputChannels, axes.OutputSpatial
	axes.OutputBatch, axes.OutputChannels, axes.OutputSpatial = space, space+1, upTo(space)
	pads := slices.Clone(g.pads)
	for i := range pads {
		reach := (dims[i]-1)*g.dilation[i] + (dy.Shape().Dimensions[1+i]-1)*g.strides[i] + 1
		pads[i][1] = reach - x.Shape().Dimensions[1+i] - pads[i][0]
	}
	var parts []*graph.Node
	for k := range groupsApart {
		from, to := k*g.groups/groupsApart, (k+1)*g.groups/groupsApart
		n := to - from
		xk := graph.SliceAxis(x, -1, graph.AxisRange(from*in, to*in))
		dk := graph.SliceAxis(dy, -1, graph.AxisRange(from*out, to*out))
		// A spread of 1 keeps GoMLX from a gradient of this one, which would be
		// wrong for windows of even size; it refuses.
		w := graph.ConvGeneral(xk, dk, axes, g.dilation, pads, slices.Repeat([]int{1}, space), g.strides, 1, 1)
		w = graph.Reshape(w, append(slices.Clone(dims[:space]), n, in, n, out)...)
		same := graph.Reshape(graph.Diagonal(x.Graph(), n), n, 1, n, 1)
		same = graph.BroadcastToDims(graph.ExpandLeftToRank(same, w.Rank()), w.Shape().Dimensions...)
		w = graph.ReduceSum(graph.Where(same, w, graph.ZerosLike(w)), space)
		parts = append(parts, graph.Reshape(w, append(slices.Clone(dims[:space]), in, n*out)...))
	}
	return graph.Concatenate(parts, -1)
}

// channelsLast are the axes of a convolution of images [batch, space…, channels] with
// a kernel [window…, channels, filters].
func channelsLast(space int) graph.ConvolveAxesConfig {
	inner := upTo(space + 1)[1:]
	return graph.ConvolveAxesConfig{
		InputBatch: 0, InputChannels: space + 1, InputSpatial: inner,
		KernelInputChannels: space, KernelOutputChannels: space + 1, KernelSpatial: upTo(space),
		OutputBatch: 0, OutputChannels: space + 1, OutputSpatial: slices.Clone(inner),
	}
}

// next counts at up, its last place first, and says whether it is still below size.
func next(at, size []int) bool {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] < size[i] {
			return true
		}
		at[i] = 0
	}
	return false
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// AllOnes says whether strides, dilations and the like change nothing.
func AllOnes(v []int) bool {
	return !slices.ContainsFunc(v, func(n int) bool { return n != 1 })
}
