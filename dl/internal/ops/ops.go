// Package ops is what GoMLX 0.28's graph lacks, or has without a gradient.
package ops

import (
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Pad puts values before and behind an axis. graph.Pad has no gradient.
func Pad(x *graph.Node, axis int, amounts [2]int, value float64) *graph.Node {
	var parts []*graph.Node
	part := func(n int) {
		if n > 0 {
			dims := slices.Clone(x.Shape().Dimensions)
			dims[axis] = n
			parts = append(parts, graph.BroadcastToDims(graph.Scalar(x.Graph(), x.DType(), value), dims...))
		}
	}
	part(amounts[0])
	parts = append(parts, x)
	part(amounts[1])
	if len(parts) == 1 {
		return x
	}
	return graph.Concatenate(parts, axis)
}

// Crop takes values off before and behind an axis.
func Crop(x *graph.Node, axis int, amounts [2]int) *graph.Node {
	if amounts == [2]int{} {
		return x
	}
	return graph.SliceAxis(x, axis, graph.AxisRange(amounts[0], x.Shape().Dimensions[axis]-amounts[1]))
}

// Spread puts by − 1 zeros behind each value along an axis.
func Spread(x *graph.Node, axis, by int) *graph.Node {
	if by == 1 {
		return x
	}
	dims := slices.Clone(x.Shape().Dimensions)
	x = Pad(graph.InsertAxes(x, axis+1), axis+1, [2]int{0, by - 1}, 0)
	dims[axis] *= by
	return graph.Reshape(x, dims...)
}

// Convolve slides a kernel, [window…, channels/groups, filters], over x, [batch,
// space…, channels], with zeros before and behind each axis in space.
func Convolve(x, kernel *graph.Node, strides, dilation []int, pads [][2]int, groups int) *graph.Node {
	if i := idle(x, kernel, pads); i >= 0 {
		return without(i, Convolve, x, kernel, strides, dilation, pads, groups)
	}
	if y := byKernels(x, kernel, strides, dilation, pads, groups); y != nil {
		return y
	}
	if groups > groupsApart {
		return grouped{strides, dilation, pads, groups, placesApart}.convolve(x, kernel)
	}
	pads = slices.Clone(pads)
	for i := range pads {
		if kernel.Shape().Dimensions[i]%2 == 0 {
			// GoMLX 0.28.2 takes the gradient of a window of even size by the
			// wrong places. One more row, of zeros, makes the window odd; it
			// reaches that much further.
			kernel = Pad(kernel, i, [2]int{0, 1}, 0)
			pads[i][1] += dilation[i]
		}
	}
	b := graph.Convolve(x, kernel).StridePerAxis(strides...).PaddingPerDim(pads)
	if !AllOnes(dilation) {
		b = b.DilationPerAxis(dilation...)
	}
	if groups > 1 {
		b = b.ChannelGroupCount(groups)
	}
	return b.Done()
}

// ConvolveForward is Convolve where no gradient is wanted: nothing is added for its sake.
// A window of one place is a product of matrices.
func ConvolveForward(x, kernel *graph.Node, strides, dilation []int, pads [][2]int, groups int) *graph.Node {
	if i := idle(x, kernel, pads); i >= 0 {
		return without(i, ConvolveForward, x, kernel, strides, dilation, pads, groups)
	}
	if y := byKernels(x, kernel, strides, dilation, pads, groups); y != nil {
		return y
	}
	window := kernel.Shape().Dimensions[:len(strides)]
	if groups > 1 {
		return grouped{strides, dilation, pads, groups, placesApartForward}.forward(x, kernel, nil)
	}
	if AllOnes(window) {
		for i, s := range strides {
			x = Pad(x, 1+i, [2]int{max(pads[i][0], 0), max(pads[i][1], 0)}, 0)
			x = Crop(x, 1+i, [2]int{max(-pads[i][0], 0), max(-pads[i][1], 0)})
			if s > 1 {
				x = graph.SliceAxis(x, 1+i, graph.AxisRange().Stride(s))
			}
		}
		d := kernel.Shape().Dimensions[len(window):]
		return graph.DotGeneral(x, []int{x.Rank() - 1}, nil, graph.Reshape(kernel, d...), []int{0}, nil)
	}
	return graph.ConvGeneral(x, kernel, channelsLast(len(window)), strides, pads, nil, dilation, 1, 1)
}

// Transposed goes the way of a convolution's gradient: it spreads each value of x,
// [batch, space…, channels], over a window of the kernel, [window…, filters,
// channels]. before is what is cut off before each axis, and out what is left.
func Transposed(x, kernel *graph.Node, strides, dilation, before, out []int) *graph.Node {
	n := len(strides)
	pads := make([][2]int, n)
	var window []int
	for i := range n {
		// Zeros between the values, and behind the last, make of a stride of the
		// output one of 1.
		size := x.Shape().Dimensions[1+i] * strides[i]
		x = Spread(x, 1+i, strides[i])
		reach := (kernel.Shape().Dimensions[i] - 1) * dilation[i]
		pads[i] = [2]int{reach - before[i], out[i] - size - (reach - before[i]) + reach}
		for j := range 2 {
			if pads[i][j] < 0 {
				var cut [2]int
				cut[j], pads[i][j] = -pads[i][j], 0
				x = Crop(x, 1+i, cut)
			}
		}
		window = append(window, i)
	}
	kernel = graph.Transpose(Reverse(kernel, window...), n, n+1)
	ones := slices.Repeat([]int{1}, n)
	return Convolve(x, kernel, ones, dilation, pads, 1)
}

// Abs is |x|, with a gradient of 0 at 0, where graph.Abs has 1.
func Abs(x *graph.Node) *graph.Node { return graph.Mul(x, graph.StopGradient(graph.Sign(x))) }

// Truth is x as true and false: what is not 0.
func Truth(x *graph.Node) *graph.Node {
	if x.DType() == dtypes.Bool {
		return x
	}
	return graph.NotEqual(x, graph.ZerosLike(x))
}

// GELUByTanh is GELU with an approximation of Φ by tanh (Hendrycks and Gimpel, 2016,
// arXiv:1606.08415).
func GELUByTanh(x *graph.Node) *graph.Node {
	cubic := graph.Add(x, graph.MulScalar(graph.Mul(x, graph.Square(x)), 0.044715))
	inner := graph.Tanh(graph.MulScalar(cubic, math.Sqrt(2/math.Pi)))
	return graph.Mul(graph.MulScalar(x, 0.5), graph.OnePlus(inner))
}

// Rsqrt is 1/√x. graph.Rsqrt has no gradient.
func Rsqrt(x *graph.Node) *graph.Node { return graph.Reciprocal(graph.Sqrt(x)) }

// Reverse turns axes round. graph.Reverse has no gradient.
func Reverse(x *graph.Node, axes ...int) *graph.Node {
	return WithGradient([]*graph.Node{graph.Reverse(x, axes...)}, []*graph.Node{x}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Reverse(d[0], axes...)}
	})[0]
}

// WithGradient gives outs, computed from ins in whatever way, a gradient of its own:
// vjp gets the gradient of the loss by each of outs, nil where the loss does not
// depend on it, and returns that by each of ins.
//
// GoMLX has a hook for the gradient of one node by itself, and goes through nodes
// from the last to the first. The outputs' hooks collect what comes back to them;
// zeros that are made of the inputs, and added to the outputs, make the inputs' hooks
// run after those.
func WithGradient(outs, ins []*graph.Node, vjp func(douts []*graph.Node) []*graph.Node) []*graph.Node {
	g := outs[0].Graph()
	douts := make([]*graph.Node, len(outs))
	var dins []*graph.Node
	never, zero := graph.Const(g, false), graph.ConvertDType(graph.Const(g, float32(0)), outs[0].DType())
	link := zero
	for i, in := range ins {
		hooked := graph.IdentityWithCustomGradient(in, func(_, _ *graph.Node) *graph.Node {
			if dins == nil {
				dins = vjp(slices.Clone(douts))
			}
			return dins[i]
		})
		first := make([]graph.SliceAxisSpec, in.Rank())
		for k := range first {
			first[k] = graph.AxisElem(0)
		}
		link = graph.Add(link, graph.Where(never, graph.Reshape(graph.Slice(hooked, first...)), zero))
	}
	results := make([]*graph.Node, len(outs))
	for k, out := range outs {
		results[k] = graph.IdentityWithCustomGradient(graph.Add(graph.StopGradient(out), link), func(_, d *graph.Node) *graph.Node {
			if dins != nil { // of another gradient, which may have come back by other outputs
				clear(douts)
				dins = nil
			}
			douts[k] = d
			return d
		})
	}
	return results
}
