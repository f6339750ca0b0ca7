//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"fmt"
	"math"
	"slices"
)

// quantTwins is a layer of whole numbers, of which not one bit may differ.
func quantTwins(c *chance) error {
	s := newConvCase(c)
	s.groups = 1
	if c.IntN(4) == 0 { // a dense layer
		s.window, s.stride, s.dilation, s.before = [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1}, [2]int{}
		s.length = [2]int{1, c.from(1, 20)}
		s.result, s.in = s.length, c.from(1, 100)
	}
	x := c.filled(s.batch, s.length[0], s.length[1], s.in)
	runs, length := s.window[0], s.window[1]*s.in // a row of the window
	if s.dilation[1] > 1 {
		runs, length = s.window[0]*s.window[1], s.in
	}
	w, scale, bias := Make(runs, length, s.out), c.filled(s.out), c.filled(s.out)
	for i := range w.Values {
		w.Values[i] = float32(c.from(-128, 127))
	}
	zero, per, after, also := c.IntN(256), float32(math.Exp(c.NormFloat64())*50), c.IntN(4), c.IntN(2) == 0
	q := make([]int, len(x.Values))
	for i, v := range x.Values {
		v = float32(math.FMA(float64(v), float64(per), float64(zero))) // exact in float64 but for the last rounding
		q[i] = int(math.RoundToEven(float64(min(max(v, 0), 255))))
	}
	want := Make(s.batch, s.result[0], s.result[1], s.out)
	more := c.filled(want.Dims...)
	each(s.batch, s.result[0], s.result[1], s.out, 1, func(b, r, p, f, _ int) {
		acc := 0
		for k := range s.window[0] {
			for l := range s.window[1] {
				i, j := r*s.stride[0]+k*s.dilation[0]-s.before[0], p*s.stride[1]+l*s.dilation[1]-s.before[1]
				if i < 0 || j < 0 || i >= s.length[0] || j >= s.length[1] {
					continue
				}
				for ch := range s.in {
					acc += (q[((b*s.length[0]+i)*s.length[1]+j)*s.in+ch] - zero) * int(w.Values[((k*s.window[1]+l)*s.in+ch)*s.out+f])
				}
			}
		}
		y := float32(math.FMA(float64(float32(acc)), float64(scale.Values[f]), float64(bias.Values[f])))
		at := ((b*s.result[0]+r)*s.result[1]+p)*s.out + f
		if also {
			y += more.Values[at]
		}
		want.Values[at] = float32(follow(float64(y), after))
	})
	settings := []int{s.window[0], s.window[1], s.stride[0], s.stride[1], s.dilation[0], s.dilation[1], s.before[0], s.before[1], after, zero, int(math.Float32bits(per)), runs}
	packed := Pack(w.Values, runs, length, s.out)
	for _, dots := range slices.Compact([]bool{false, hasDots(c.set)}) {
		got := Make(want.Dims...)
		in := []Array{x, {Dims: PackedShape(runs, length, s.out), Bytes: packed}, scale, bias}
		if also {
			in = append(in, more)
		}
		err := Run(c.set, dots, "quant", settings, in, []Array{got})
		if hasNaN(x.Values) {
			if err == nil && s.window == [2]int{1, 1} && s.stride == [2]int{1, 1} { // else it may be where no window looks
				return fmt.Errorf("%v: expected an error for what is no number", settings)
			}
			continue
		}
		if err != nil {
			return err
		}
		for i, v := range want.Values {
			if g := got.Values[i]; math.Float32bits(g) != math.Float32bits(v) && !(g != g && v != v) && g != v {
				return fmt.Errorf("%v * %v, settings %v, dots %v: y[%d]: expected %g, got %g", x.Dims, w.Dims, settings, dots, i, v, g)
			}
		}
	}
	return nil
}

func hasNaN(values []float32) bool {
	return slices.ContainsFunc(values, func(v float32) bool { return v != v })
}
