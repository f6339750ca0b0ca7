package layers

import (
	"errors"
	"slices"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
)

// What the forms of layers in ONNX have in common.

var errNoONNX = errors.New("it has no counterpart in ONNX")

func onnxInts(name string, values ...int) build.Attr {
	return build.Attr{Name: name, Value: slices.Clone(values)}
}

func onnxBias(g *build.Graph, y string, w []build.Array) string {
	if len(w) == 0 {
		return y
	}
	return g.Op("Add", []string{y, g.Array(w[0])})
}

func onnxFold(g *build.Graph, c build.Call, op string) []string {
	y := c.In[0]
	for _, x := range c.In[1:] {
		y = g.Op(op, []string{y, x})
	}
	return []string{y}
}

// onnxActivated adds a layer's activation.
func onnxActivated(g *build.Graph, x string, a activations.Activation) ([]string, error) {
	if a == nil {
		return []string{x}, nil
	}
	if f, ok := config.As[build.Activation](a); ok {
		if y, ok := f.ONNX(g, x); ok {
			return []string{y}, nil
		}
	}
	return nil, errors.New("its activation " + a.Name() + " has no counterpart in ONNX")
}

// onnxFirst puts the channels first, onnxLast puts them last again.
func onnxFirst(g *build.Graph, x string, rank int) string {
	perm := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		perm = append(perm, i)
	}
	return g.Op("Transpose", []string{x}, onnxInts("perm", perm...))
}

func onnxLast(g *build.Graph, x string, rank int) string {
	perm := []int{0}
	for i := 2; i < rank; i++ {
		perm = append(perm, i)
	}
	return g.Op("Transpose", []string{x}, onnxInts("perm", append(perm, 1)...))
}

// onnxPads is what a window has before and behind each axis, first all before.
func onnxPads(p Padding, shape, window, strides, dilation []int) []int {
	n := len(window)
	out := make([]int, 2*n)
	for i := range n {
		a := p.amounts(shape[i], (window[i]-1)*dilation[i]+1, strides[i])
		out[i], out[n+i] = a[0], a[1]
	}
	return out
}

func (l conv) onnx(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, onnxConv(g, c, l.strides, l.dilation, l.padding, max(l.groups, 1)), l.activation)
}

func onnxConv(g *build.Graph, c build.Call, strides, dilation []int, p Padding, groups int) string {
	kernel := func(axes ...int) string { return g.Array(c.Weights[0].Permuted(axes...)) }
	return onnxConvBy(g, c, kernel, c.Weights[1:], strides, dilation, p, groups)
}

// onnxConvBy is a convolution with the kernel that comes of the first weight with its axes in another order.
func onnxConvBy(g *build.Graph, c build.Call, kernel func(axes ...int) string, bias []build.Array, strides, dilation []int, p Padding, groups int) string {
	dims := c.Weights[0].Dims
	n := len(dims) - 2
	window := dims[:n]
	strides, dilation = ones(strides), ones(dilation)
	axes := []int{n + 1, n}
	for i := range n {
		axes = append(axes, i)
	}
	in := []string{onnxFirst(g, c.In[0], n+2), kernel(axes...)}
	if len(bias) > 0 {
		in = append(in, g.Array(bias[0]))
	}
	y := g.Op("Conv", in, onnxInts("kernel_shape", window...), onnxInts("strides", strides...), onnxInts("dilations", dilation...),
		build.Attr{Name: "group", Value: groups}, onnxInts("pads", onnxPads(p, c.Shapes[0], window, strides, dilation)...))
	return onnxLast(g, y, n+2)
}

// onnxDepthwise makes of a kernel for each channel one of as many groups.
func onnxDepthwise(k build.Array) build.Array {
	n := len(k.Dims)
	dims := append(slices.Clone(k.Dims[:n-2]), 1, k.Dims[n-2]*k.Dims[n-1])
	return k.Reshaped(dims...)
}

func onnxSeparable(g *build.Graph, c build.Call, strides, dilation []int, p Padding) string {
	depth := c
	depth.Weights = []build.Array{onnxDepthwise(c.Weights[0])}
	shape := c.Shapes[0]
	y := onnxConv(g, depth, strides, dilation, p, shape[len(shape)-1])
	d := c.Weights[1].Dims
	y = g.Op("MatMul", []string{y, g.Array(c.Weights[1].Reshaped(d[len(d)-2], d[len(d)-1]))})
	return onnxBias(g, y, c.Weights[2:])
}

func onnxConvTranspose(g *build.Graph, c build.Call, strides, dilation []int, p Padding) string {
	w := c.Weights
	n := len(w[0].Dims) - 2
	strides, dilation = ones(strides), ones(dilation)
	axes := []int{n + 1, n}
	around, more := make([]int, 2*n), make([]int, n)
	for i := range n {
		axes = append(axes, i)
		size := (w[0].Dims[i]-1)*dilation[i] + 1
		if p == Same {
			total := max(size-strides[i], 0)
			around[i], around[n+i] = total/2, total-total/2
		}
		more[i] = max(strides[i]-size, 0)
	}
	in := []string{onnxFirst(g, c.In[0], n+2), g.Array(w[0].Permuted(axes...))}
	if len(w) > 1 {
		in = append(in, g.Array(w[1]))
	}
	y := g.Op("ConvTranspose", in, onnxInts("strides", strides...), onnxInts("dilations", dilation...),
		onnxInts("pads", around...), onnxInts("output_padding", more...))
	return onnxLast(g, y, n+2)
}

func (l pooling) onnx(g *build.Graph, c build.Call, op string) []string {
	rank := len(l.size) + 2
	y := g.Op(op, []string{onnxFirst(g, c.In[0], rank)}, onnxInts("kernel_shape", l.size...), onnxInts("strides", l.strides...),
		onnxInts("pads", onnxPads(l.padding, c.Shapes[0], l.size, l.strides, ones(make([]int, len(l.size))))...))
	return []string{onnxLast(g, y, rank)}
}

func onnxGlobal(g *build.Graph, c build.Call, op string, keep bool) []string {
	var axes []int
	for i := 1; i < len(c.Shapes[0]); i++ {
		axes = append(axes, i)
	}
	return []string{g.Op(op, []string{c.In[0], g.Ints(axes...)}, build.Attr{Name: "keepdims", Value: boolInt(keep)})}
}

func onnxResize(g *build.Graph, c build.Call, size []int, how Interpolation) []string {
	scales := []float32{1, 1}
	for _, s := range size {
		scales = append(scales, float32(orInt(s, 2)))
	}
	attrs := []build.Attr{{Name: "mode", Value: "nearest"}, {Name: "coordinate_transformation_mode", Value: "asymmetric"}, {Name: "nearest_mode", Value: "floor"}}
	if how == Bilinear {
		attrs = []build.Attr{{Name: "mode", Value: "linear"}, {Name: "coordinate_transformation_mode", Value: "half_pixel"}}
	}
	rank := len(size) + 2
	return []string{onnxLast(g, g.Op("Resize", []string{onnxFirst(g, c.In[0], rank), "", g.Floats(scales, len(scales))}, attrs...), rank)}
}

func onnxPad(g *build.Graph, c build.Call, amounts [][2]int) []string {
	before, behind := []int{0}, []int{0}
	for _, a := range amounts {
		before, behind = append(before, a[0]), append(behind, a[1])
	}
	return []string{g.Op("Pad", []string{c.In[0], g.Ints(append(append(before, 0), append(behind, 0)...)...)})}
}

func onnxCrop(g *build.Graph, c build.Call, amounts [][2]int) []string {
	var from, to, axes []int
	for i, a := range amounts {
		from, to, axes = append(from, a[0]), append(to, c.Shapes[0][i]-a[1]), append(axes, i+1)
	}
	return []string{g.Op("Slice", []string{c.In[0], g.Ints(from...), g.Ints(to...), g.Ints(axes...)})}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
