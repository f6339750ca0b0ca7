//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"fmt"
	"math"
)

// convCase is a convolution of a shape by chance.
type convCase struct {
	batch, groups, in, out                           int // in, out: channels and filters of a group
	window, stride, dilation, before, length, result [2]int
}

func newConvCase(c *chance) convCase {
	lanes := lanes[c.set]
	s := convCase{batch: c.from(1, 3), groups: 1, in: c.from(1, 5), out: lanes * c.from(1, 5)}
	switch c.IntN(4) {
	case 0:
		s.in, s.out = lanes*c.from(1, 2), c.from(1, 3*lanes)
	case 1:
		s.groups, s.in, s.out = c.from(2, 4), c.from(1, lanes+3), c.from(1, lanes+3)
	case 2:
		s.groups, s.in, s.out = c.from(2, 5*lanes), 1, 1
	}
	few := c.IntN(8) == 0 // places, and many weights
	if few {
		s.groups, s.in, s.out = 1, lanes*c.from(2, 4), lanes*c.from(2, 3)
	}
	heavy := c.IntN(300) == 0 // more weights than a cache holds, for which images are computed together
	if heavy {
		s.batch, s.groups, s.in, s.out = c.from(4, 9), 1, 128+c.IntN(2), 240+c.from(0, 16)
	}
	for i := range 2 {
		s.window[i], s.stride[i], s.dilation[i] = c.from(1, 4), c.from(1, 3), c.from(1, 2)
		if few || heavy {
			s.window[i], s.stride[i] = 3, c.from(1, 2)
		}
		s.before[i] = c.from(0, 3)
		after := c.from(0, 3)
		reach := (s.window[i]-1)*s.dilation[i] + 1
		s.length[i] = max(1, reach-s.before[i]-after) + c.IntN(17)
		if few || heavy {
			s.length[i] = max(1, reach-s.before[i]-after) + c.IntN(4)
		}
		s.result[i] = (s.length[i]+s.before[i]+after-reach)/s.stride[i] + 1
	}
	return s
}

// convTwins is a convolution, perhaps with a bias and without what is negative, and its gradients.
func convTwins(c *chance) error {
	s := newConvCase(c)
	channels, filters := s.groups*s.in, s.groups*s.out
	x, w, dy := c.filled(s.batch, s.length[0], s.length[1], channels), c.filled(s.window[0], s.window[1], s.in, filters), c.filled(s.batch, s.result[0], s.result[1], filters)
	y, dx, dw := Make(dy.Dims...), Make(x.Dims...), Make(w.Dims...)
	ys, dxs, dws := newSums(len(y.Values)), newSums(len(dx.Values)), newSums(len(dw.Values))
	each(s.batch, s.result[0], s.result[1], s.window[0], s.window[1], func(b, r, q, k, l int) {
		i, j := r*s.stride[0]+k*s.dilation[0]-s.before[0], q*s.stride[1]+l*s.dilation[1]-s.before[1]
		outside := i < 0 || j < 0 || i >= s.length[0] || j >= s.length[1]
		for f := range filters {
			for ch := range s.in {
				at, of, out := ((b*s.length[0]+i)*s.length[1]+j)*channels+f/s.out*s.in+ch, ((k*s.window[1]+l)*s.in+ch)*filters+f, ((b*s.result[0]+r)*s.result[1]+q)*filters+f
				if outside { // zeros, which a weight that is no number still spoils
					ys.add(out, 0*float64(w.Values[of]))
					dws.add(of, 0*float64(dy.Values[out]))
					continue
				}
				ys.add(out, float64(x.Values[at])*float64(w.Values[of]))
				dws.add(of, float64(x.Values[at])*float64(dy.Values[out]))
				dxs.add(at, float64(dy.Values[out])*float64(w.Values[of]))
			}
		}
	})
	settings := []int{s.stride[0], s.stride[1], s.dilation[0], s.dilation[1], s.before[0], s.before[1], 0, s.groups}
	run := func(name string, in []Array, out Array, want sums) error {
		what := fmt.Sprintf("%v * %v, settings %v: %s", x.Dims, w.Dims, settings, name)
		if err := Run(c.set, false, name, settings, in, []Array{out}); err != nil {
			return err
		}
		return want.compare(what, out.Values)
	}
	if err := run("conv_window", []Array{x, dy}, dw, dws); err != nil {
		return err
	}
	if !hasNone(w.Values) { // zeros between and around may or may not be multiplied
		if err := run("conv_input", []Array{dy, w}, dx, dxs); err != nil {
			return err
		}
	}
	in, has := []Array{x, w}, c.IntN(8)
	bias, scale, also := c.filled(filters), c.filled(filters), c.filled(y.Dims...)
	for i, a := range []Array{bias, scale, also} {
		if has&(1<<i) != 0 {
			in = append(in, a)
		}
	}
	after := c.IntN(4)
	for i, v := range ys.values {
		if has&2 != 0 {
			v *= float64(scale.Values[i%filters])
			ys.sizes[i] *= math.Abs(float64(scale.Values[i%filters]))
		}
		if has&1 != 0 {
			v += float64(bias.Values[i%filters])
			ys.sizes[i] += math.Abs(float64(bias.Values[i%filters]))
		}
		if has&4 != 0 {
			v += float64(also.Values[i])
			ys.sizes[i] += math.Abs(float64(also.Values[i]))
		}
		ys.values[i] = follow(v, after)
	}
	settings[6] = after
	settings = append(settings, has)
	return run("conv_forward", in, y, ys)
}

// follow is what comes after: nothing, max(v, 0), min(max(v, 0), 6), or max(v, 0) where NaN becomes 0, too.
func follow(v float64, after int) float64 {
	if after == 3 {
		if v > 0 {
			return v
		}
		return 0
	}
	if after > 0 && v <= 0 {
		return 0
	}
	if after > 1 && v > 6 {
		return 6
	}
	return v
}

func hasNone(values []float32) bool {
	for _, v := range values {
		if v-v != 0 {
			return true
		}
	}
	return false
}

func each(a, b, c, d, e int, f func(a, b, c, d, e int)) {
	for i := range a * b * c * d * e {
		f(i/(b*c*d*e), i/(c*d*e)%b, i/(d*e)%c, i/e%d, i%e)
	}
}

// poolTwins is the largest of each window, and both of its gradients.
func poolTwins(c *chance) error {
	batch, channels := c.from(1, 3), c.from(1, 3*lanes[c.set])
	var window, stride, before, length, result [2]int
	for i := range 2 {
		window[i], stride[i] = c.from(1, 4), c.from(1, 4)
		before[i] = c.IntN(window[i])
		after := c.IntN(window[i])
		length[i] = max(1, window[i]-before[i]-after) + c.IntN(9)
		result[i] = (length[i]+before[i]+after-window[i])/stride[i] + 1
	}
	x, dy := c.filled(batch, length[0], length[1], channels), c.filled(batch, result[0], result[1], channels)
	rectified := c.IntN(2) == 0
	for i, v := range x.Values {
		if c.IntN(3) == 0 {
			x.Values[i] = float32(c.from(-2, 2)) // equal ones
		}
		if rectified && v <= 0 {
			x.Values[i] = 0
		}
	}
	y, dx, sum := Make(dy.Dims...), Make(x.Dims...), Make(channels)
	d, picked := c.filled(x.Dims...), Make(dy.Dims...)
	picks := newSums(len(dy.Values))
	dxs, biases := newSums(len(dx.Values)), newSums(channels)
	want := make([]float32, len(y.Values))
	each(batch, result[0], result[1], channels, 1, func(b, r, q, ch, _ int) {
		best, at := math.Inf(-1), -1
		for k := range window[0] {
			for l := range window[1] {
				i, j := r*stride[0]+k-before[0], q*stride[1]+l-before[1]
				if i < 0 || j < 0 || i >= length[0] || j >= length[1] {
					continue
				}
				n := ((b*length[0]+i)*length[1]+j)*channels + ch
				v := float64(x.Values[n])
				if at < 0 || v > best || math.IsNaN(v) && !math.IsNaN(best) {
					best, at = v, n
				}
			}
		}
		out := ((b*result[0]+r)*result[1]+q)*channels + ch
		want[out] = float32(best)
		if at >= 0 {
			picks.add(out, float64(d.Values[at]))
		}
		if at >= 0 && !(rectified && best <= 0) {
			dxs.add(at, float64(dy.Values[out]))
			biases.add(ch, float64(dy.Values[out]))
		}
	})
	settings := []int{window[0], window[1], stride[0], stride[1], before[0], before[1]}
	what := fmt.Sprintf("%v, settings %v, rectified %v: ", x.Dims, settings, rectified)
	if err := Run(c.set, false, "pool_max", settings, []Array{x}, []Array{y}); err != nil {
		return err
	}
	for i, v := range want {
		if y.Values[i] != v && !(v != v && y.Values[i] != y.Values[i]) {
			return fmt.Errorf("%sexpected %g at %d, got %g", what, v, i, y.Values[i])
		}
	}
	if err := Run(c.set, false, "pool_pick", settings, []Array{x, y, d}, []Array{picked}); err != nil {
		return err
	}
	if err := picks.compare(what+"picked", picked.Values); err != nil {
		return err
	}
	out := []Array{dx}
	if rectified {
		out = append(out, sum)
	}
	if err := Run(c.set, false, "pool_back", settings, []Array{x, y, dy}, out); err != nil {
		return err
	}
	if err := dxs.compare(what+"dx", dx.Values); err != nil || !rectified {
		return err
	}
	return biases.compare(what+"bias", sum.Values)
}

// reluTwins is the gradient of max(x + bias, 0).
func reluTwins(c *chance) error {
	rows, n := c.from(1, 40), c.from(1, 5*lanes[c.set])
	y, dy := c.filled(rows, n), c.filled(rows, n)
	dz, bias := Make(rows, n), Make(n)
	zs, biases := newSums(rows*n), newSums(n)
	for i, v := range y.Values {
		if !(v <= 0) {
			zs.add(i, float64(dy.Values[i]))
			biases.add(i%n, float64(dy.Values[i]))
		}
	}
	if err := Run(c.set, false, "relu_back", nil, []Array{y, dy}, []Array{dz, bias}); err != nil {
		return err
	}
	what := fmt.Sprintf("%v: ", y.Dims)
	if err := zs.compare(what+"dz", dz.Values); err != nil {
		return err
	}
	return biases.compare(what+"bias", bias.Values)
}
