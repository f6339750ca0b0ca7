// Package initializers chooses the weights that a model starts with.
//
// The zero value of each is Keras's default. All values are drawn on the host,
// from the generator that the model hands in, so a seed fixes them on every device.
//
// Source: https://keras.io/api/layers/initializers/
package initializers

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Initializer fills a new weight.
type Initializer interface {
	// Init returns the values of a weight of the given shape, in row-major order.
	Init(shape []int, rng *rand.Rand) []float32
}

// Zeros fills with 0.
type Zeros struct{}

// Init implements Initializer.
func (Zeros) Init(shape []int, _ *rand.Rand) []float32 { return make([]float32, size(shape)) }

// Ones fills with 1.
type Ones struct{}

// Init implements Initializer.
func (Ones) Init(shape []int, rng *rand.Rand) []float32 { return Constant{1}.Init(shape, rng) }

// Constant fills with Value.
type Constant struct{ Value float64 }

// Init implements Initializer.
func (c Constant) Init(shape []int, _ *rand.Rand) []float32 {
	return fill(shape, func() float64 { return c.Value })
}

// RandomUniform draws evenly from [Min, Max). With both 0: [−0.05, 0.05).
type RandomUniform struct{ Min, Max float64 }

// Init implements Initializer.
func (u RandomUniform) Init(shape []int, rng *rand.Rand) []float32 {
	if u.Min == 0 && u.Max == 0 {
		u = RandomUniform{-0.05, 0.05}
	}
	return fill(shape, func() float64 { return u.Min + rng.Float64()*(u.Max-u.Min) })
}

// RandomNormal draws from the normal distribution. With Stddev 0: 0.05.
type RandomNormal struct{ Mean, Stddev float64 }

// Init implements Initializer.
func (n RandomNormal) Init(shape []int, rng *rand.Rand) []float32 {
	stddev := orDefault(n.Stddev, 0.05)
	return fill(shape, func() float64 { return n.Mean + stddev*rng.NormFloat64() })
}

// TruncatedNormal draws from the normal distribution, and again what falls
// more than two standard deviations from the mean. With Stddev 0: 0.05.
type TruncatedNormal struct{ Mean, Stddev float64 }

// Init implements Initializer.
func (n TruncatedNormal) Init(shape []int, rng *rand.Rand) []float32 {
	stddev := orDefault(n.Stddev, 0.05)
	return fill(shape, func() float64 {
		for {
			if z := rng.NormFloat64(); math.Abs(z) <= 2 {
				return n.Mean + stddev*z
			}
		}
	})
}

// Mode says by which of a weight's fans VarianceScaling divides.
type Mode int

// The modes of VarianceScaling.
const (
	FanIn Mode = iota
	FanOut
	FanAvg
)

// VarianceScaling draws values of variance Scale / fan, where fan is the number
// of a unit's inputs, of its outputs, or their mean. With Scale 0: 1.
type VarianceScaling struct {
	Scale float64
	Mode  Mode
	// Uniform draws evenly from [−l, l) with l = √(3 Scale/fan); otherwise from
	// a truncated normal distribution.
	Uniform bool
}

// truncatedStddev is the standard deviation of a standard normal distribution
// cut off at ±2, by which TruncatedNormal would fall short.
const truncatedStddev = 0.87962566103423978

// Init implements Initializer.
func (v VarianceScaling) Init(shape []int, rng *rand.Rand) []float32 {
	in, out := fans(shape)
	fan := map[Mode]float64{FanIn: in, FanOut: out, FanAvg: (in + out) / 2}[v.Mode]
	variance := orDefault(v.Scale, 1) / math.Max(1, fan)
	if v.Uniform {
		limit := math.Sqrt(3 * variance)
		return RandomUniform{-limit, limit}.Init(shape, rng)
	}
	return TruncatedNormal{Stddev: math.Sqrt(variance) / truncatedStddev}.Init(shape, rng)
}

// GlorotUniform draws from ±√(6 / (fan in + fan out)); it is the default of
// Dense and Conv2D. Source: Glorot and Bengio, 2010.
type GlorotUniform struct{}

// Init implements Initializer.
func (GlorotUniform) Init(shape []int, rng *rand.Rand) []float32 {
	return VarianceScaling{Mode: FanAvg, Uniform: true}.Init(shape, rng)
}

// GlorotNormal is GlorotUniform's variance, from a truncated normal distribution.
type GlorotNormal struct{}

// Init implements Initializer.
func (GlorotNormal) Init(shape []int, rng *rand.Rand) []float32 {
	return VarianceScaling{Mode: FanAvg}.Init(shape, rng)
}

// HeUniform draws from ±√(6 / fan in), for layers followed by ReLU.
// Source: He et al., 2015 (arXiv:1502.01852).
type HeUniform struct{}

// Init implements Initializer.
func (HeUniform) Init(shape []int, rng *rand.Rand) []float32 {
	return VarianceScaling{Scale: 2, Uniform: true}.Init(shape, rng)
}

// HeNormal is HeUniform's variance, from a truncated normal distribution.
type HeNormal struct{}

// Init implements Initializer.
func (HeNormal) Init(shape []int, rng *rand.Rand) []float32 {
	return VarianceScaling{Scale: 2}.Init(shape, rng)
}

// fans counts the inputs and outputs of one unit. The last two axes are
// channels in and out; those before them are a convolution's window.
func fans(shape []int) (in, out float64) {
	switch n := len(shape); n {
	case 0:
		return 1, 1
	case 1:
		return float64(shape[0]), float64(shape[0])
	default:
		window := float64(size(shape[:n-2]))
		return window * float64(shape[n-2]), window * float64(shape[n-1])
	}
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 {
			panic(fmt.Sprintf("initializers: expected a shape without unknown axes, got %v", shape))
		}
		n *= d
	}
	return n
}

func fill(shape []int, next func() float64) []float32 {
	values := make([]float32, size(shape))
	for i := range values {
		values[i] = float32(next())
	}
	return values
}

func orDefault(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}
