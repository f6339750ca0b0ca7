package ops

import (
	"errors"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/native"
)

// Quantized is a convolution over one axis of space or two whose weights are whole numbers of 8 bits. Its input
// becomes whole numbers q from 0 to 255, of which (q − Zero) · Scale is about what it was.
type Quantized struct {
	// Kernel is the shape of the weights: [window…, channels, filters].
	Kernel            []int
	Strides, Dilation []int
	Pads              [][2]int
	Scale             float32
	Zero              int
}

// Runs are how the weights lie in the kernels: as so many runs of numbers that are next to each other in an
// image, which are rows of the window, or with a dilation places of it.
func (q Quantized) Runs() (runs, length int) {
	n := len(q.Strides)
	window, channels := q.Kernel[:n], q.Kernel[n]
	last := window[n-1]
	if q.Dilation[n-1] > 1 {
		return product(window), channels
	}
	return product(window) / last, last * channels
}

// Takes says whether w is weights as native.Pack makes them.
func (q Quantized) Takes(w *graph.Node) bool {
	runs, length := q.Runs()
	return w.DType() == dtypes.Int8 && slices.Equal(w.Shape().Dimensions, native.PackedShape(runs, length, q.Kernel[len(q.Kernel)-1]))
}

func product(n []int) int {
	p := 1
	for _, d := range n {
		p *= d
	}
	return p
}

// Apply convolves x, [batch, space…, channels], with weights as native.Pack makes them. scale is the weights',
// [filters], bias may be nil. It has no gradient. Scaled, Added and Then can follow.
func (q Quantized) Apply(x, w, scale, bias *graph.Node) *graph.Node {
	x = graph.ConvertDType(x, dtypes.Float32)
	t := tail{factor: graph.MulScalar(scale, float64(q.Scale)), shift: bias}
	if bias == nil {
		t.shift = graph.ZerosLike(scale)
	}
	if native.For(x.Graph()) == 0 || len(q.Strides) > 2 || x.Shape().Size() == 0 {
		return q.fixed(t.of(q.graph(x, w), t.nodes()), x)
	}
	return opened(t, func(t tail) *graph.Node {
		if t.also != nil {
			return q.fixed(q.native(x, w, t), x, t.also)
		}
		return q.fixed(q.native(x, w, t), x)
	})
}

// fixed is y, which has no gradient by what it is made of.
func (q Quantized) fixed(y *graph.Node, of ...*graph.Node) *graph.Node {
	return WithGradient([]*graph.Node{y}, of, func([]*graph.Node) []*graph.Node {
		panic(errors.New("a quantized layer has no gradient: its weights and its input are whole numbers; use the model that it was made of"))
	})[0]
}

func (q Quantized) native(x, w *graph.Node, t tail) *graph.Node {
	n, in := len(q.Strides), x.Shape().Dimensions
	d := []int{in[0]}
	before := make([]int, n)
	for i, p := range q.Pads {
		before[i] = p[0]
		d = append(d, (in[1+i]+p[0]+p[1]-(q.Kernel[i]-1)*q.Dilation[i]-1)/q.Strides[i]+1)
	}
	d = append(d, q.Kernel[n+1])
	two := func(v []int, missing int) []int { return append(slices.Repeat([]int{missing}, 2-n), v...) }
	runs, _ := q.Runs()
	settings := slices.Concat(two(q.Kernel[:n], 1), two(q.Strides, 1), two(q.Dilation, 1), two(before, 0),
		[]int{int(t.after), q.Zero, int(math.Float32bits(1 / q.Scale)), runs})
	ins := []*graph.Node{x, w, t.factor, t.shift}
	if t.also != nil {
		ins = append(ins, t.also)
	}
	if n == 2 {
		return native.Call("quant", settings, ins, shapes.Make(dtypes.Float32, d...))[0]
	}
	for _, i := range []int{0, 4} { // of one axis
		if i < len(ins) {
			ins[i] = graph.InsertAxes(ins[i], 1)
		}
	}
	return graph.Squeeze(native.Call("quant", settings, ins, shapes.Make(dtypes.Float32, slices.Insert(d, 1, 1)...))[0], 1)
}

// graph is the sums of products by floats, which hold the whole numbers.
func (q Quantized) graph(x, w *graph.Node) *graph.Node {
	runs, length := q.Runs()
	n := len(q.Strides)
	filters := q.Kernel[n+1]
	d := w.Shape().Dimensions
	quads, panels := (d[0]-1)/runs, d[1]
	w = graph.Slice(w, graph.AxisRange(0, d[0]-1))
	w = graph.TransposeAllAxes(graph.Reshape(w, runs, quads, panels, d[2]), 0, 1, 3, 2)
	w = graph.Slice(graph.Reshape(w, runs, quads*d[2], panels), graph.AxisRange(), graph.AxisRange(0, length), graph.AxisRange(0, filters))
	w = graph.ConvertDType(graph.Reshape(w, q.Kernel...), dtypes.Float32)
	zero := float64(q.Zero)
	whole := graph.Round(graph.ClipScalar(graph.AddScalar(graph.MulScalar(x, float64(1/q.Scale)), zero), 0, 255))
	return Convolve(graph.AddScalar(whole, -zero), w, q.Strides, q.Dilation, q.Pads, 1)
}
