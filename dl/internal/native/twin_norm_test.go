//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"fmt"
	"math"
)

// normTwins is batch normalization in training with what comes after it, and its gradients.
func normTwins(c *chance) error {
	rows, channels, after := c.from(1, 60), c.from(1, 4*lanes[c.set]), c.IntN(3)
	if c.IntN(10) == 0 {
		rows = c.from(500, 1500)
	}
	finite := func(dims ...int) Array {
		a := c.filled(dims...)
		for i, v := range a.Values {
			if v-v != 0 {
				a.Values[i] = 1
			}
		}
		return a
	}
	x, dy, gamma, beta := finite(rows, channels), finite(rows, channels), finite(channels), finite(channels)
	level := float32(c.IntN(3) * 50) // far from 0, where sums of squares would lose the variance
	for i := range x.Values {
		x.Values[i] = 3*x.Values[i] + level
	}
	const epsilon = 1e-3
	eps := Array{Values: []float32{epsilon}}
	y, mean, variance := Make(rows, channels), Make(channels), Make(channels)
	settings := []int{after}
	what := fmt.Sprintf("%v, after %d: ", x.Dims, after)
	if err := Run(c.set, false, "norm_moments", nil, []Array{x}, []Array{mean, variance}); err != nil {
		return err
	}
	if err := Run(c.set, false, "norm_apply", settings, []Array{x, mean, variance, gamma, beta, eps}, []Array{y}); err != nil {
		return err
	}
	near := func(name string, i int, got float32, want, scale float64) error {
		if math.Abs(float64(got)-want) <= 2e-5*(scale+1) {
			return nil
		}
		return fmt.Errorf("%s%s[%d]: expected %g, got %g", what, name, i, want, got)
	}
	dx, dgamma, dbeta := Make(rows, channels), Make(channels), Make(channels)
	if err := Run(c.set, false, "norm_back", settings, []Array{x, y, dy, gamma, mean, variance, eps}, []Array{dx, dgamma, dbeta}); err != nil {
		return err
	}
	for ch := range channels {
		var sum, squares, plain, times, size float64
		at := func(a Array, r int) float64 { return float64(a.Values[r*channels+ch]) }
		for r := range rows {
			sum += at(x, r)
		}
		m := sum / float64(rows)
		for r := range rows {
			squares += (at(x, r) - m) * (at(x, r) - m)
		}
		v := squares / float64(rows)
		scale := 1 / math.Sqrt(v+epsilon)
		g := float64(gamma.Values[ch])
		through := make([]float64, rows)
		for r := range rows {
			z := (at(x, r)-m)*scale*g + float64(beta.Values[ch])
			want := z
			if after > 0 {
				want = max(want, 0)
			}
			if after > 1 {
				want = min(want, 6)
			}
			if err := near("y", r*channels+ch, y.Values[r*channels+ch], want, math.Abs(z)+scale*math.Abs(g)*float64(level)); err != nil {
				return err
			}
			if got := y.Values[r*channels+ch]; after == 0 || got > 0 && (after == 1 || got < 6) {
				through[r] = at(dy, r)
			}
			plain += through[r]
			times += through[r] * (at(x, r) - m) * scale
			size += math.Abs(through[r]) * (1 + (math.Abs(at(x, r)-m)+float64(level)/10)*scale)
		}
		for _, err := range []error{
			near("mean", ch, mean.Values[ch], m, math.Abs(m)+1), near("variance", ch, variance.Values[ch], v, v+float64(level)/10),
			near("dbeta", ch, dbeta.Values[ch], plain, size), near("dgamma", ch, dgamma.Values[ch], times, size),
		} {
			if err != nil {
				return err
			}
		}
		for r := range rows {
			n, hat := float64(rows), (at(x, r)-m)*scale
			want := g * scale * (through[r] - plain/n - hat*times/n)
			if err := near("dx", r*channels+ch, dx.Values[r*channels+ch], want, math.Abs(g)*scale*(math.Abs(through[r])+size/n*(1+math.Abs(hat)+float64(level)*scale/10))); err != nil {
				return err
			}
		}
	}
	return nil
}
