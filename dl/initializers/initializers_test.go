package initializers_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gradbook/gradbook/dl/initializers"
)

// TestDistribution compares the moments and bounds of each initializer with
// those of its definition.
func TestDistribution(t *testing.T) {
	dense, conv := []int{300, 500}, []int{3, 3, 40, 60}
	for _, c := range []struct {
		name         string
		init         initializers.Initializer
		shape        []int
		stddev, most float64 // most 0: unbounded
	}{
		{"glorot uniform, dense", initializers.GlorotUniform{}, dense, math.Sqrt(2.0 / 800), math.Sqrt(6.0 / 800)},
		{"glorot uniform, conv", initializers.GlorotUniform{}, conv, math.Sqrt(2.0 / 900), math.Sqrt(6.0 / 900)},
		{"glorot normal", initializers.GlorotNormal{}, dense, math.Sqrt(2.0 / 800), 2 * math.Sqrt(2.0/800) / 0.8796},
		{"he uniform", initializers.HeUniform{}, dense, math.Sqrt(2.0 / 300), math.Sqrt(6.0 / 300)},
		{"he normal, conv", initializers.HeNormal{}, conv, math.Sqrt(2.0 / 360), 2 * math.Sqrt(2.0/360) / 0.8796},
		{"fan out", initializers.VarianceScaling{Mode: initializers.FanOut}, dense, math.Sqrt(1.0 / 500), 2 * math.Sqrt(1.0/500) / 0.8796},
		{"uniform", initializers.RandomUniform{}, dense, 0.05 / math.Sqrt(3), 0.05},
		{"normal", initializers.RandomNormal{}, dense, 0.05, 0},
		{"truncated normal", initializers.TruncatedNormal{Stddev: 1}, dense, 0.8796, 2},
	} {
		values := c.init.Init(c.shape, rand.New(rand.NewPCG(1, 2)))
		n := 1
		for _, d := range c.shape {
			n *= d
		}
		if len(values) != n {
			t.Fatalf("%s: expected %d values, got %d", c.name, n, len(values))
		}
		var sum, squares, most float64
		for _, v := range values {
			sum, squares, most = sum+float64(v), squares+float64(v)*float64(v), max(most, math.Abs(float64(v)))
		}
		mean, stddev := sum/float64(n), math.Sqrt(squares/float64(n))
		if math.Abs(mean) > 5*c.stddev/math.Sqrt(float64(n)) {
			t.Errorf("%s: expected mean 0, got %g", c.name, mean)
		}
		if math.Abs(stddev/c.stddev-1) > 0.02 {
			t.Errorf("%s: expected standard deviation %g, got %g", c.name, c.stddev, stddev)
		}
		if c.most > 0 && (most > c.most*1.0001 || most < c.most*0.97) {
			t.Errorf("%s: expected values up to %g, got %g", c.name, c.most, most)
		}
	}
}

func TestConstants(t *testing.T) {
	for want, i := range map[float32]initializers.Initializer{
		0: initializers.Zeros{}, 1: initializers.Ones{}, 2.5: initializers.Constant{Value: 2.5},
	} {
		for _, v := range i.Init([]int{3}, nil) {
			if v != want {
				t.Errorf("%T: expected %g, got %g", i, want, v)
			}
		}
	}
}
