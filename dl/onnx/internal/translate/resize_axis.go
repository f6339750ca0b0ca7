package translate

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

// origin is the place in the input of a place in the output, and whether it is outside of
// what a crop may show.
func (s scaling) origin(o int) (x float64, outside bool) {
	y, in, width := float64(o), float64(s.in), s.scale*float64(s.in)
	switch s.transform {
	case "align_corners":
		if width != 1 {
			x = y * (in - 1) / (width - 1)
		}
	case "asymmetric":
		x = y / s.scale
	case "tf_half_pixel_for_nn":
		x = (y + 0.5) / s.scale
	case "tf_crop_and_resize":
		if s.out == 1 {
			x = (s.roi[1] - s.roi[0]) * (in - 1) / 2
		} else {
			x = y * (s.roi[1] - s.roi[0]) * (in - 1) / float64(s.out-1)
		}
		x += s.roi[0] * (in - 1)
		return x, x < 0 || x > in-1
	case "pytorch_half_pixel":
		x = -0.5
		if s.out != 1 {
			x = (y+0.5)/s.scale - 0.5
		}
	case "half_pixel_symmetric":
		x = in/2*(1-float64(s.out)/width) + (y+0.5)/s.scale - 0.5
	default:
		x = (y+0.5)/s.scale - 0.5
	}
	return x, false
}

// taps are the places of the input that a place of the output is made of, and their
// shares.
func (s scaling) taps(x float64) (at []int, share []float64) {
	if s.mode == "nearest" {
		return []int{s.near(x)}, []float64{1}
	}
	low := int(math.Floor(x))
	ratio := x - float64(low)
	if ratio == 0 { // the place itself counts as the right one of two
		low, ratio = low-1, 1
	}
	scale := 1.0
	if s.antialias {
		scale = math.Min(s.scale, 1)
	}
	reach, kernel := 1.0, func(d float64) float64 { return math.Max(0, 1-math.Abs(d)) }
	if s.mode == "cubic" {
		reach, kernel = 2, func(d float64) float64 { return keys(d, s.cubic) }
	}
	start := int(math.Floor(-reach/scale) + 1)
	counted(-start * s.out)
	sum := 0.0
	for i := start; i < 2-start; i++ {
		w := kernel(scale * (float64(i) - ratio))
		at = append(at, low+i)
		if s.inside && (low+i < 0 || low+i >= s.in) {
			w = 0
		}
		share = append(share, w)
		sum += w
	}
	if (s.antialias || s.inside) && sum != 0 {
		for i := range share {
			share[i] /= sum
		}
	}
	return at, share
}

// keys is Keys' cubic kernel.
//
// Source: https://ieeexplore.ieee.org/document/1163711
func keys(d, a float64) float64 {
	d = math.Abs(d)
	switch {
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return ((a*d-5*a)*d+8*a)*d - 4*a
	}
	return 0
}

func (s scaling) near(x float64) int {
	low := math.Floor(x)
	switch f := x - low; {
	case s.nearest == "floor":
	case s.nearest == "ceil":
		low = math.Ceil(x)
	case f > 0.5 || f == 0.5 && s.nearest == "round_prefer_ceil":
		low++
	}
	return int(low)
}

// along resizes an axis.
func (s scaling) along(x *graph.Node, axis int) (y *graph.Node, outside []bool) {
	if s.out == 0 {
		return part(x, axis, 0, 0, 1), nil
	}
	counted(s.out)
	counted(s.in)
	var at [][]int
	var shares [][]float64
	for o := range s.out {
		place, out := s.origin(o)
		p, w := s.taps(place)
		for i := range p {
			p[i] = min(max(p[i], 0), s.in-1)
		}
		at, shares, outside = append(at, p), append(shares, w), append(outside, out)
	}
	for tap := range at[0] {
		var places []int
		weights := make([]float64, s.out)
		used := false
		for o := range s.out {
			places = append(places, at[o][tap])
			weights[o] = shares[o][tap]
			used = used || weights[o] != 0
		}
		if !used && tap > 0 {
			continue
		}
		one := chosen(x, axis, places)
		if s.mode != "nearest" {
			d := ones(x.Rank())
			d[axis] = s.out
			w := graph.Reshape(graph.ConstAsDType(x.Graph(), x.DType(), weights), d...)
			one = graph.Mul(one, w)
		}
		y = plus(y, one)
	}
	return y, outside
}

// chosen are places of an axis: repeats of all, or a slice, where they are such.
func chosen(x *graph.Node, axis int, at []int) *graph.Node {
	size := x.Shape().Dimensions[axis]
	if times := len(at) / size; times > 0 && len(at)%size == 0 {
		repeats := true
		for i, p := range at {
			repeats = repeats && p == i/times
		}
		if repeats {
			return ops.Repeat(x, axis, times)
		}
	}
	if len(at) > 1 && at[1] > at[0] {
		step, even := at[1]-at[0], true
		for i, p := range at {
			even = even && p == at[0]+i*step
		}
		if even {
			return part(x, axis, at[0], at[len(at)-1]+1, step)
		}
	}
	return taken(x, axis, at)
}

// upsample is Resize as it was before opset 10.
func upsample(c *call) []*value {
	in := c.value(0).shape().Dimensions
	var scales []float64
	if c.has(1) {
		scales = Reals(c.known(1))
	} else if a, ok := c.attribute("scales"); ok {
		for _, f := range a.Floats {
			scales = append(scales, float64(f))
		}
	}
	if len(scales) != len(in) {
		panic(fmt.Errorf("expected %d scales, got %v", len(in), scales))
	}
	all := make(map[int]scaling)
	for axis, s := range scales {
		if !(s >= 1) || s*float64(in[axis]) > 1<<40 {
			panic(fmt.Errorf("expected scales of at least 1, got %v", scales))
		}
		if s != 1 {
			all[axis] = scaling{mode: c.text("mode", "nearest", "linear"), transform: "asymmetric", nearest: "floor", in: in[axis], out: int(float32(in[axis]) * float32(s)), scale: s}
		}
	}
	return c.resized(all)
}
