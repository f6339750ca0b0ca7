package onnx

import (
	"slices"

	"github.com/gradbook/gradbook/dl/layers"
)

// first puts the channels first, last puts them last again.
func (e *exporter) first(x string, rank int) string {
	perm := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		perm = append(perm, i)
	}
	return e.op("Transpose", []string{x}, intsAttr("perm", perm...))
}

func (e *exporter) last(x string, rank int) string {
	perm := []int{0}
	for i := 2; i < rank; i++ {
		perm = append(perm, i)
	}
	return e.op("Transpose", []string{x}, intsAttr("perm", append(perm, 1)...))
}

// pads is what a window has before and behind each axis, first all before.
func pads(p layers.Padding, shape, window, strides, dilation []int) []int {
	n := len(window)
	out := make([]int, 2*n)
	for i := range n {
		size := (window[i]-1)*dilation[i] + 1
		switch p {
		case layers.Same:
			total := max(((shape[i]+strides[i]-1)/strides[i]-1)*strides[i]+size-shape[i], 0)
			out[i], out[n+i] = total/2, total-total/2
		case layers.Causal:
			out[i] = size - 1
		}
	}
	return out
}

func (e *exporter) conv(x string, shape []int, w []array, strides, dilation []int, p layers.Padding, groups int) string {
	kernel := w[0]
	n := len(kernel.dims) - 2
	window := kernel.dims[:n]
	strides, dilation = orEach(strides, 1), orEach(dilation, 1)
	axes := []int{n + 1, n}
	for i := range n {
		axes = append(axes, i)
	}
	in := []string{e.first(x, n+2), e.constant(kernel.permuted(axes...))}
	if len(w) > 1 {
		in = append(in, e.constant(w[1]))
	}
	y := e.op("Conv", in, intsAttr("kernel_shape", window...), intsAttr("strides", strides...), intsAttr("dilations", dilation...),
		intAttr("group", groups), intsAttr("pads", pads(p, shape, window, strides, dilation)...))
	return e.last(y, n+2)
}

// depthwise makes of a kernel for each channel one of as many groups.
func depthwise(k array) array {
	n := len(k.dims)
	dims := append(slices.Clone(k.dims[:n-2]), 1, k.dims[n-2]*k.dims[n-1])
	return k.reshaped(dims...)
}

func (e *exporter) separable(x string, shape []int, w []array, strides, dilation []int, p layers.Padding) string {
	y := e.conv(x, shape, []array{depthwise(w[0])}, strides, dilation, p, shape[len(shape)-1])
	d := w[1].dims
	y = e.op("MatMul", []string{y, e.constant(w[1].reshaped(d[len(d)-2], d[len(d)-1]))})
	return e.bias(y, w[2:])
}

func (e *exporter) convTranspose(x string, rank int, w []array, strides, dilation []int, p layers.Padding) string {
	n := rank - 2
	strides, dilation = orEach(strides, 1), orEach(dilation, 1)
	axes := []int{n + 1, n}
	around, more := make([]int, 2*n), make([]int, n)
	for i := range n {
		axes = append(axes, i)
		size := (w[0].dims[i]-1)*dilation[i] + 1
		if p == layers.Same {
			total := max(size-strides[i], 0)
			around[i], around[n+i] = total/2, total-total/2
		}
		more[i] = max(strides[i]-size, 0)
	}
	in := []string{e.first(x, rank), e.constant(w[0].permuted(axes...))}
	if len(w) > 1 {
		in = append(in, e.constant(w[1]))
	}
	y := e.op("ConvTranspose", in, intsAttr("strides", strides...), intsAttr("dilations", dilation...),
		intsAttr("pads", around...), intsAttr("output_padding", more...))
	return e.last(y, rank)
}

func (e *exporter) pool(op, x string, shape, size, strides []int, p layers.Padding) string {
	size = orEach(size, 2)
	for i := range size {
		if strides[i] == 0 {
			strides = slices.Clone(strides)
			strides[i] = size[i]
		}
	}
	rank := len(size) + 2
	y := e.op(op, []string{e.first(x, rank)}, intsAttr("kernel_shape", size...), intsAttr("strides", strides...),
		intsAttr("pads", pads(p, shape, size, strides, orEach(make([]int, len(size)), 1))...))
	return e.last(y, rank)
}

func (e *exporter) global(op, x string, rank int, keep bool) string {
	var axes []int
	for i := 1; i < rank-1; i++ {
		axes = append(axes, i)
	}
	dims := 0
	if keep {
		dims = 1
	}
	return e.op(op, []string{x, e.ints(axes...)}, intAttr("keepdims", dims))
}

func (e *exporter) resize(x string, rank int, size []int, how string) string {
	scales := []float32{1, 1}
	for _, s := range orEach(size, 2) {
		scales = append(scales, float32(s))
	}
	attrs := []attr{textAttr("mode", how), textAttr("coordinate_transformation_mode", "half_pixel")}
	if how == "nearest" {
		attrs = []attr{textAttr("mode", how), textAttr("coordinate_transformation_mode", "asymmetric"), textAttr("nearest_mode", "floor")}
	}
	return e.last(e.op("Resize", []string{e.first(x, rank), "", e.floats(scales, len(scales))}, attrs...), rank)
}

func (e *exporter) pad(x string, amounts [][2]int) string {
	before, behind := []int{0}, []int{0}
	for _, a := range amounts {
		before, behind = append(before, a[0]), append(behind, a[1])
	}
	return e.op("Pad", []string{x, e.ints(append(append(before, 0), append(behind, 0)...)...)})
}

func (e *exporter) crop(x string, shape []int, amounts [][2]int) string {
	var from, to, axes []int
	for i, a := range amounts {
		from, to, axes = append(from, a[0]), append(to, shape[i]-a[1]), append(axes, i+1)
	}
	return e.op("Slice", []string{x, e.ints(from...), e.ints(to...), e.ints(axes...)})
}
