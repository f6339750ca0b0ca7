package translate

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

func init() {
	add(map[string]operator{
		"DFT":             {Attributes: "axis inverse onesided", Inputs: 3, Types: floating, Rule: rule(dft)},
		"STFT":            {Attributes: "onesided", Inputs: 4, Types: floating, Rule: rule(stft)},
		"HannWindow":      {Attributes: "output_datatype periodic", Inputs: 1, Types: integers, Rule: rule(windowOf(0.5, 0.5, 0))},
		"HammingWindow":   {Attributes: "output_datatype periodic", Inputs: 1, Types: integers, Rule: rule(windowOf(25.0/46, 21.0/46, 0))},
		"BlackmanWindow":  {Attributes: "output_datatype periodic", Inputs: 1, Types: integers, Rule: rule(windowOf(0.42, 0.5, 0.08))},
		"MelWeightMatrix": {Attributes: "output_datatype", Inputs: 5, Rule: rule(melWeightMatrix)},
	})
}

// longestDFT is the most numbers of a transform: it is a product with a matrix of that many
// rows and columns.
const longestDFT = 1 << 13

// fourier transforms an axis of [real, imaginary] parts by a product with waves. imaginary
// may be nil. keep is how many of the n frequencies are wanted.
func fourier(re, im *graph.Node, axis, n, keep int, inverse bool) (outRe, outIm *graph.Node) {
	if n > longestDFT {
		panic(fmt.Errorf("a transform of more than %d numbers is not supported, got %d", longestDFT, n))
	}
	size := re.Shape().Dimensions[axis]
	fit := func(x *graph.Node) *graph.Node {
		if x == nil || size == n {
			return x
		}
		return padded(part(x, axis, 0, min(size, n), 1), axis, [2]int{0, max(0, n-size)}, scalar0(x))
	}
	re, im = fit(re), fit(im)
	cos, sin := make([]float64, n*keep), make([]float64, n*keep)
	scale, way := 1.0, -1.0
	if inverse {
		scale, way = 1/float64(n), 1
	}
	for i := range n {
		for k := range keep {
			a := 2 * math.Pi * float64(i*k%n) / float64(n)
			cos[i*keep+k], sin[i*keep+k] = scale*math.Cos(a), way*scale*math.Sin(a)
		}
	}
	g := re.Graph()
	times := func(x *graph.Node, wave []float64) *graph.Node {
		w := graph.Reshape(graph.ConstAsDType(g, re.DType(), wave), n, keep)
		y := dot(x, []int{axis}, nil, w, []int{0}, nil)
		perm := from(0, axis)
		perm = append(perm, y.Rank()-1)
		perm = append(perm, from(axis, y.Rank()-1)...)
		return transposed(y, perm...)
	}
	outRe, outIm = times(re, cos), times(re, sin)
	if im != nil {
		outRe, outIm = graph.Sub(outRe, times(im, sin)), graph.Add(outIm, times(im, cos))
	}
	return outRe, outIm
}

// parts are the real and the imaginary part of a signal [batch, …, 1 or 2].
func complexParts(x *graph.Node) (re, im *graph.Node) {
	last := x.Rank() - 1
	at := func(i int) *graph.Node { return graph.Squeeze(graph.SliceAxis(x, last, graph.AxisElem(i)), last) }
	switch x.Shape().Dimensions[last] {
	case 1:
		return at(0), nil
	case 2:
		return at(0), at(1)
	}
	panic(fmt.Errorf("expected a last axis of 1 or 2, got shape %v", x.Shape().Dimensions))
}

// dft had its axis as an attribute before opset 20, and as an input since.
func dft(c *call) *graph.Node {
	x := c.x(0)
	axis := c.int("axis", 1)
	if c.opset >= 20 {
		axis = -2
	}
	if c.has(2) {
		axis = c.one(2)
	}
	axis = axisOf(axis, x.Rank())
	re, im := complexParts(x)
	if axis >= re.Rank() {
		panic(fmt.Errorf("expected an axis before the last, got %d", axis))
	}
	n := x.Shape().Dimensions[axis]
	inverse, onesided := c.flag("inverse"), c.flag("onesided")
	if inverse && onesided {
		n = 2 * (n - 1)
	}
	if c.has(1) {
		n = c.one(1)
	}
	if n < 1 {
		panic(fmt.Errorf("expected a length of at least 1, got %d", n))
	}
	if inverse && onesided {
		return graph.InsertAxes(fromHalf(re, im, axis, n), -1)
	}
	keep := n
	if onesided {
		keep = n/2 + 1
	}
	re, im = fourier(re, im, axis, n, keep, inverse)
	return graph.Stack([]*graph.Node{re, im}, re.Rank())
}

// fromHalf is the real signal whose transform has the given first half: the other half
// mirrors it.
func fromHalf(re, im *graph.Node, axis, n int) *graph.Node {
	half := n/2 + 1
	size := re.Shape().Dimensions[axis]
	fit := func(x *graph.Node) *graph.Node {
		return padded(part(x, axis, 0, min(size, half), 1), axis, [2]int{0, max(0, half-size)}, scalar0(x))
	}
	if im == nil {
		im = graph.ZerosLike(re)
	}
	re, im = fit(re), fit(im)
	var back []int
	for i := n - half; i > 0; i-- {
		back = append(back, i)
	}
	if len(back) > 0 {
		mirror := func(x *graph.Node) *graph.Node { return taken(x, axis, back) }
		re, im = graph.Concatenate([]*graph.Node{re, mirror(re)}, axis), graph.Concatenate([]*graph.Node{im, graph.Neg(mirror(im))}, axis)
	}
	// The first number, and the middle one of an even length, have no imaginary part.
	at := graph.Iota(re.Graph(), sized(dtypes.Int32, re.Shape().Dimensions), axis)
	alone := graph.Equal(at, scalar(at, 0))
	if n%2 == 0 {
		alone = graph.LogicalOr(alone, graph.Equal(at, scalar(at, float64(n/2))))
	}
	im = graph.Where(alone, graph.ZerosLike(im), im)
	re, _ = fourier(re, im, axis, n, n, true)
	return re
}

// stft transforms frames of a signal [batch, length, 1 or 2], each a step behind the last.
func stft(c *call) *graph.Node {
	x := c.x(0)
	step := c.one(1)
	if x.Rank() == 2 {
		x = graph.InsertAxes(x, -1)
	}
	if x.Rank() != 3 || step < 1 {
		panic(fmt.Errorf("expected a signal [batch, length, 1 or 2] and a step, got shape %v and %d", x.Shape().Dimensions, step))
	}
	length := x.Shape().Dimensions[1]
	size := length
	if c.has(2) {
		size = c.value(2).shape().Size()
	}
	if c.has(3) {
		size = c.one(3)
	}
	if size < 1 || size > length {
		panic(fmt.Errorf("expected a frame of at most %d, got %d", length, size))
	}
	frames := (length-size)/step + 1
	counted(frames * size)
	var at []int
	for f := range frames {
		for i := range size {
			at = append(at, f*step+i)
		}
	}
	re, im := complexParts(x)
	frame := func(x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		y := graph.Reshape(taken(x, 1, at), x.Shape().Dimensions[0], frames, size)
		if c.has(2) {
			y = graph.Mul(y, graph.ExpandLeftToRank(c.x(2), 3))
		}
		return y
	}
	keep := size
	if c.int("onesided", 1) != 0 {
		keep = size/2 + 1
	}
	re, im = fourier(frame(re), frame(im), 2, size, keep, false)
	return graph.Stack([]*graph.Node{re, im}, 3)
}

// windowOf is a − b·cos + c·cos of twice the angle.
func windowOf(a, b, c2 float64) func(c *call) *graph.Node {
	return func(c *call) *graph.Node {
		n := c.one(0)
		d := c.dtype("output_datatype", dtypes.Float32)
		counted(n)
		period := float64(n)
		if c.int("periodic", 1) == 0 {
			period--
		}
		out := make([]float64, n)
		for i := range out {
			angle := 2 * math.Pi * float64(i) / period
			out[i] = a - b*math.Cos(angle) + c2*math.Cos(2*angle)
		}
		return casted(graph.Const(c.g, out), d)
	}
}

func melWeightMatrix(c *call) *graph.Node {
	bins, length, rate := c.one(0), c.one(1), c.one(2)
	low, high := c.real(3), c.real(4)
	rows := length/2 + 1
	counted(bins)
	counted(rows)
	counted(sized(dtypes.Float64, []int{rows, bins}).Size())
	mel := func(hertz float64) float64 { return 2595 * math.Log10(1+hertz/700) }
	step := (mel(high) - mel(low)) / float64(bins+2)
	at := make([]int, bins+2)
	for i := range at {
		hertz := 700 * (math.Pow(10, (float64(i)*step+mel(low))/2595) - 1)
		at[i] = int(math.Floor(float64(length+1) * hertz / float64(rate)))
		if at[i] < 0 || at[i] >= rows {
			panic(fmt.Errorf("the frequencies do not fit a transform of %d", length))
		}
	}
	out := make([]float64, rows*bins)
	for i := range bins {
		left, middle, right := at[i], at[i+1], at[i+2]
		if left == middle {
			out[middle*bins+i] = 1
		}
		for j := left; j <= middle && middle > left; j++ {
			out[j*bins+i] = float64(j-left) / float64(middle-left)
		}
		for j := middle; j < right; j++ {
			out[j*bins+i] = float64(right-j) / float64(right-middle)
		}
	}
	return casted(graph.Reshape(graph.Const(c.g, out), rows, bins), c.dtype("output_datatype", dtypes.Float32))
}
