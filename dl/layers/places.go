package layers

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/tensor"
)

var _ = []apart.Product{Dense{}, Conv1D{}, Conv2D{}, Conv3D{}, DepthwiseConv2D{}}

// Places is what single examples contribute to the kernel's gradient.
func (l Dense) Places(x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	n := d[len(d)-1]
	return graph.Reshape(x, d[0], x.Shape().Size()/(d[0]*n), 1, n)
}

// Places is what single examples contribute to the kernel's gradient.
func (l Conv1D) Places(x *tensor.Node) *tensor.Node { return l.conv().places(x) }

// Places is what single examples contribute to the kernel's gradient.
func (l Conv2D) Places(x *tensor.Node) *tensor.Node { return l.conv().places(x) }

// Places is what single examples contribute to the kernel's gradient.
func (l Conv3D) Places(x *tensor.Node) *tensor.Node { return l.conv().places(x) }

// Places is what single examples contribute to the kernel's gradient.
func (l DepthwiseConv2D) Places(x *tensor.Node) *tensor.Node {
	channels := x.Shape().Dimensions[3]
	return windows(x, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding, channels)
}

func (l conv) places(x *tensor.Node) *tensor.Node {
	return windows(x, l.size, l.strides, l.dilation, l.padding, max(l.groups, 1))
}

// windows are what a window sees at each of its places: [batch, places, groups, numbers],
// where numbers run over the window, and over the channels of a group within.
func windows(x *tensor.Node, size, strides, dilation []int, padding Padding, groups int) *tensor.Node {
	strides, dilation = ones(strides), ones(dilation)
	pads := padsOf(x, size, strides, dilation, padding)
	config := make([]graph.PadAxis, x.Rank())
	for i, p := range pads {
		config[1+i] = graph.PadAxis{Start: p[0], End: p[1]}
	}
	if slices.ContainsFunc(pads, func(p [2]int) bool { return p != [2]int{} }) {
		x = graph.Pad(x, graph.ScalarZero(x.Graph(), x.DType()), config...)
	}
	d := x.Shape().Dimensions
	batch, channels := d[0], d[len(d)-1]
	places, offsets := 1, 1
	for i, n := range size {
		places *= (d[1+i]-(n-1)*dilation[i]-1)/strides[i] + 1
		offsets *= n
	}
	var seen []*tensor.Node
	for o := range offsets {
		ranges := []graph.SliceAxisSpec{graph.AxisRange()}
		rest := o
		at := make([]int, len(size))
		for i := len(size) - 1; i >= 0; i-- {
			at[i], rest = rest%size[i]*dilation[i], rest/size[i]
		}
		for i, n := range size {
			last := at[i] + (d[1+i]-(n-1)*dilation[i]-1)/strides[i]*strides[i]
			ranges = append(ranges, graph.AxisRange(at[i], last+1).Stride(strides[i]))
		}
		seen = append(seen, graph.Reshape(graph.Slice(x, ranges...), batch, places, groups, 1, channels/groups))
	}
	return graph.Reshape(graph.Concatenate(seen, 3), batch, places, groups, offsets*channels/groups)
}
