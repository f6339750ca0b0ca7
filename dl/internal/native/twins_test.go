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
		for name, twin := range map[string]func(*chance) error{"conv": convTwins, "pool": poolTwins, "relu": reluTwins, "norm": normTwins, "lstm": lstmTwins, "simple": simpleTwins, "gru": gruTwins, "quant": quantTwins} {
			t.Run(set+" "+name, func(t *testing.T) {
				t.Parallel()
				share := n / 2
				if name == "lstm" || name == "gru" || name == "simple" {
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
