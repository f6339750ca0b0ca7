//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// cases is how many shapes TestTwins tries: go test ./dl/internal/native -args -cases 1000000.
var cases = flag.Int("cases", 0, "how many shapes to compare with the twins; 0 is a few")

// TestTwins compares the kernels of all sets of instructions that this processor has with plain
// Go, on shapes by chance.
func TestTwins(t *testing.T) {
	n := *cases
	if n == 0 {
		n = 20000
		if testing.Short() {
			n = 2000
		}
	}
	for _, set := range sets() {
		for name, twin := range map[string]func(*chance) error{"conv": convTwins, "lstm": lstmTwins, "gru": gruTwins} {
			t.Run(set+" "+name, func(t *testing.T) {
				t.Parallel()
				share := n / 2
				if name != "conv" {
					share /= 20 // whose cases are larger
				}
				for i := range share {
					if err := twin(&chance{rand.New(rand.NewPCG(uint64(i), 7)), set}); err != nil {
						t.Fatalf("case %d: %v", i, err)
					}
				}
			})
		}
	}
}

type chance struct {
	*rand.Rand
	set string
}

func (c *chance) from(low, high int) int { return low + c.IntN(high-low+1) }

// filled is an array of numbers, one in a hundred of them 0, and now and then one that is none.
func (c *chance) filled(dims ...int) Array {
	a := Make(dims...)
	for i := range a.Values {
		a.Values[i] = float32(c.NormFloat64())
		if c.IntN(100) == 0 {
			a.Values[i] = 0
		}
	}
	if c.IntN(50) == 0 && len(a.Values) > 0 {
		a.Values[c.IntN(len(a.Values))] = float32([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}[c.IntN(3)])
	}
	return a
}

// sums are numbers with how large what was added up for each is.
type sums struct{ values, sizes []float64 }

func newSums(n int) sums { return sums{make([]float64, n), make([]float64, n)} }

func (s sums) add(i int, v float64) {
	s.values[i] += v
	s.sizes[i] += math.Abs(v)
}

// compare reports the first number that is further off than float32 explains.
func (s sums) compare(what string, got []float32) error {
	for i, want := range s.values {
		g := float64(got[i])
		if math.IsNaN(want) && math.IsNaN(g) || want == g {
			continue
		}
		if !(math.Abs(g-want) <= 1e-5*s.sizes[i]+1e-6) {
			return fmt.Errorf("%s[%d]: expected %g, got %g", what, i, want, g)
		}
	}
	return nil
}

// convTwins is a convolution and its gradients.
func convTwins(c *chance) error {
	lanes := lanes[c.set]
	batch, channels, filters := c.from(1, 3), c.from(1, 5), lanes*c.from(1, 5)
	whole := c.IntN(2) == 0 // the gradient by the images, too
	if whole {
		channels = lanes * c.from(1, 2)
	}
	var window, stride, dilation, before, length, result [2]int
	for i := range 2 {
		window[i], stride[i], dilation[i] = c.from(1, 4), c.from(1, 3), c.from(1, 2)
		before[i] = c.from(0, 3)
		after := c.from(0, 3)
		reach := (window[i]-1)*dilation[i] + 1
		length[i] = max(1, reach-before[i]-after) + c.IntN(17)
		result[i] = (length[i]+before[i]+after-reach)/stride[i] + 1
	}
	x, w, dy := c.filled(batch, length[0], length[1], channels), c.filled(window[0], window[1], channels, filters), c.filled(batch, result[0], result[1], filters)
	y, dx, dw := Make(dy.Dims...), Make(x.Dims...), Make(w.Dims...)
	settings := []int{stride[0], stride[1], dilation[0], dilation[1], before[0], before[1]}
	ys, dxs, dws := newSums(len(y.Values)), newSums(len(dx.Values)), newSums(len(dw.Values))
	each(batch, result[0], result[1], window[0], window[1], func(b, r, q, k, l int) {
		i, j := r*stride[0]+k*dilation[0]-before[0], q*stride[1]+l*dilation[1]-before[1]
		outside := i < 0 || j < 0 || i >= length[0] || j >= length[1]
		for ch := range channels {
			for f := range filters {
				at, of, out := ((b*length[0]+i)*length[1]+j)*channels+ch, ((k*window[1]+l)*channels+ch)*filters+f, ((b*result[0]+r)*result[1]+q)*filters+f
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
	what := fmt.Sprintf("%v * %v, settings %v: ", x.Dims, w.Dims, settings)
	run := func(name string, in []Array, out Array, want sums) error {
		if err := Run(c.set, name, settings, in, []Array{out}); err != nil {
			return err
		}
		return want.compare(what+name, out.Values)
	}
	if err := run("conv_forward", []Array{x, w}, y, ys); err != nil {
		return err
	}
	if err := run("conv_window", []Array{x, dy}, dw, dws); err != nil {
		return err
	}
	if !whole || hasNone(w.Values) { // zeros between and around may or may not be multiplied
		return nil
	}
	return run("conv_input", []Array{dy, w}, dx, dxs)
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
