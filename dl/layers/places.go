package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/internal/ops"
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
	for i, p := range pads {
		x = ops.Pad(x, 1+i, p, 0)
	}
	var seen []*tensor.Node
	for _, s := range sliced(x, size, strides, dilation) {
		d := s.Shape().Dimensions
		batch, channels := d[0], d[len(d)-1]
		seen = append(seen, graph.Reshape(s, batch, s.Shape().Size()/(batch*channels), groups, 1, channels/groups))
	}
	all := graph.Concatenate(seen, 3)
	d := all.Shape().Dimensions
	return graph.Reshape(all, d[0], d[1], groups, d[3]*d[4])
}
