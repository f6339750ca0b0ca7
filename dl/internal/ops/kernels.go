package ops

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/native"
)

// kernels is a convolution over an axis of space or two by kernels of our own: forward, and the
// gradients, each of which is linear in both of its arguments, so that their gradients are the
// others again.
type kernels struct {
	strides, dilation []int
	pads              [][2]int
	groups            int
	x, w, y           shapes.Shape // of images, window and result
	settings          []int
}

// fills says whether so many numbers are worth a vector of so many lanes.
func fills(n, lanes int) bool { return 2*n >= lanes }

// newKernels is nil where kernels cannot be used.
func newKernels(x, w *graph.Node, strides, dilation []int, pads [][2]int, groups int) *kernels {
	groups = max(groups, 1)
	lanes := native.For(x.Graph())
	space := len(strides)
	d := w.Shape().Dimensions
	if lanes == 0 || space < 1 || space > 2 || x.DType() != dtypes.Float32 || w.DType() != dtypes.Float32 || x.Shape().Size() == 0 || w.Shape().Size() == 0 {
		return nil
	}
	k := &kernels{strides: strides, dilation: dilation, pads: pads, groups: groups, x: x.Shape(), w: w.Shape()}
	if !fills(d[space+1]/groups, lanes) && !k.deep(lanes) {
		return nil
	}
	y := []int{x.Shape().Dimensions[0]}
	for i, s := range strides {
		y = append(y, (x.Shape().Dimensions[1+i]+pads[i][0]+pads[i][1]-(d[i]-1)*dilation[i]-1)/s+1)
	}
	k.y = shapes.Make(dtypes.Float32, append(y, d[space+1])...)
	first := func(n []int) []int { return append(slices.Repeat([]int{1}, 2-space), n...) }
	before := make([]int, space)
	for i, p := range pads {
		before[i] = p[0]
	}
	k.settings = slices.Concat(first(strides), first(dilation), slices.Repeat([]int{0}, 2-space), before, []int{int(Nothing), groups, 0})
	if slices.ContainsFunc(k.settings, func(n int) bool { return n < 0 }) {
		return nil
	}
	return k
}

// byKernels is a convolution by kernels; nil where there are none.
func byKernels(x, w *graph.Node, strides, dilation []int, pads [][2]int, groups int) *graph.Node {
	if narrow(x) {
		return widened(func(in []*graph.Node) *graph.Node { return byKernels(in[0], in[1], strides, dilation, pads, groups) }, x, w)
	}
	if k := newKernels(x, w, strides, dilation, pads, groups); k != nil {
		return k.forward(x, w)
	}
	return nil
}

// deep says whether each channel has a filter of its own, and there are enough of them.
func (k *kernels) deep(lanes int) bool {
	d := k.w.Dimensions
	return k.groups > 1 && d[len(d)-2] == 1 && d[len(d)-1] == k.groups && fills(k.groups, lanes)
}

// behind is the convolution with something behind it.
func (k *kernels) behind(t tail) *kernels {
	other := *k
	other.settings = slices.Clone(k.settings)
	n := len(other.settings)
	other.settings[n-3], other.settings[n-1] = int(t.after), t.has()
	return &other
}

// call calls a kernel, for which there are two axes of space.
func (k *kernels) call(name string, out shapes.Shape, in ...*graph.Node) *graph.Node {
	if len(k.strides) == 2 {
		return native.Call(name, k.settings, in, out)[0]
	}
	wide := slices.Clone(in)
	for i, x := range in {
		at := 1
		if name != "conv_window" && i == 1 { // the window
			at = 0
		}
		if x.Rank() > 1 { // else it is a bias
			wide[i] = graph.InsertAxes(x, at)
		}
	}
	at := 1
	if name == "conv_window" {
		at = 0
	}
	d := slices.Insert(slices.Clone(out.Dimensions), at, 1)
	return graph.Squeeze(native.Call(name, k.settings, wide, shapes.Make(dtypes.Float32, d...))[0], at)
}

func (k *kernels) forward(x, w *graph.Node) *graph.Node {
	y := k.call("conv_forward", k.y, x, w)
	return WithGradient([]*graph.Node{y}, []*graph.Node{x, w}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{k.byInput(d[0], w), k.byWindow(x, d[0])}
	})[0]
}

// byInput is the gradient by the images. Too few channels for a vector are XLA's.
func (k *kernels) byInput(dy, w *graph.Node) *graph.Node {
	var dx *graph.Node
	if lanes := native.For(dy.Graph()); fills(k.w.Dimensions[k.w.Rank()-2], lanes) || k.deep(lanes) {
		dx = k.call("conv_input", k.x, dy, w)
	} else {
		g := grouped{k.strides, k.dilation, k.pads, k.groups, 0}
		dx = g.byInput(graph.Zeros(dy.Graph(), k.x), w, dy)
	}
	return WithGradient([]*graph.Node{dx}, []*graph.Node{dy, w}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{k.forward(d[0], w), k.byWindow(d[0], dy)}
	})[0]
}

// byWindow is the gradient by the window.
func (k *kernels) byWindow(x, dy *graph.Node) *graph.Node {
	dw := k.call("conv_window", k.w, x, dy)
	return WithGradient([]*graph.Node{dw}, []*graph.Node{x, dy}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{k.byInput(dy, d[0]), k.forward(x, d[0])}
	})[0]
}
