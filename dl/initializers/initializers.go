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
	"slices"

	"github.com/gradbook/gradbook/dl/internal/config"
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
type RandomUniform struct {
	Min float64 `keras:"minval"`
	Max float64 `keras:"maxval"`
}

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

var modes = []string{"fan_in", "fan_out", "fan_avg"}

// String is Keras's word.
func (m Mode) String() string {
	if m >= 0 && int(m) < len(modes) {
		return modes[m]
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// UnmarshalText reads Keras's word.
func (m *Mode) UnmarshalText(text []byte) error {
	i := slices.Index(modes, string(text))
	if i < 0 {
		return fmt.Errorf("expected a mode of fan_in, fan_out or fan_avg, got %q", text)
	}
	*m = Mode(i)
	return nil
}

// VarianceScaling draws values of variance Scale / fan, where fan is the number
// of a unit's inputs, of its outputs, or their mean. With Scale 0: 1.
type VarianceScaling struct {
	Scale float64
	Mode  Mode
	// Uniform draws evenly from [−l, l) with l = √(3 Scale/fan); otherwise from
	// a truncated normal distribution.
	Uniform bool
}

// readVarianceScaling reads a configuration of Keras.
func readVarianceScaling(v *VarianceScaling, c map[string]any) error {
	switch d := c["distribution"]; d {
	case "uniform":
		v.Uniform = true
	case nil, "truncated_normal":
	default:
		return fmt.Errorf("expected a distribution of uniform or truncated_normal, got %v", d)
	}
	delete(c, "distribution")
	return nil
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

// LeCunUniform draws from ±√(3 / fan in).
type LeCunUniform struct{}

// Init implements Initializer.
func (LeCunUniform) Init(shape []int, rng *rand.Rand) []float32 {
	return VarianceScaling{Uniform: true}.Init(shape, rng)
}

// LeCunNormal is LeCunUniform's variance, from a truncated normal distribution.
type LeCunNormal struct{}

// Init implements Initializer.
func (LeCunNormal) Init(shape []int, rng *rand.Rand) []float32 {
	return VarianceScaling{}.Init(shape, rng)
}

// Orthogonal makes a matrix whose rows, or columns where there are fewer, are at right
// angles to each other and of length Gain. All axes but the last count as rows. It is
// the default of recurrent weights. Source: Saxe et al., 2013 (arXiv:1312.6120).
type Orthogonal struct {
	// Gain 0 means 1.
	Gain float64 `zero:"1"`
}

// Init implements Initializer.
func (o Orthogonal) Init(shape []int, rng *rand.Rand) []float32 {
	if len(shape) < 2 {
		panic(fmt.Sprintf("initializers: expected a shape of at least two axes for Orthogonal, got %v", shape))
	}
	columns := shape[len(shape)-1]
	rows := size(shape) / max(columns, 1)
	long, short := max(rows, columns), min(rows, columns)
	// Gram and Schmidt, twice over each vector, so that rounding does not add up.
	vectors := make([][]float64, short)
	for i := range vectors {
		v := make([]float64, long)
		for j := range v {
			v[j] = rng.NormFloat64()
		}
		for range 2 {
			for _, u := range vectors[:i] {
				var dot float64
				for j := range v {
					dot += u[j] * v[j]
				}
				for j := range v {
					v[j] -= dot * u[j]
				}
			}
		}
		var length float64
		for _, x := range v {
			length += x * x
		}
		for j := range v {
			v[j] /= math.Sqrt(length)
		}
		vectors[i] = v
	}
	gain := orDefault(o.Gain, 1)
	values := make([]float32, 0, rows*columns)
	for r := range rows {
		for c := range columns {
			if rows >= columns {
				values = append(values, float32(gain*vectors[c][r]))
			} else {
				values = append(values, float32(gain*vectors[r][c]))
			}
		}
	}
	return values
}

// Identity makes a matrix of Gain on the diagonal and 0 elsewhere.
type Identity struct {
	// Gain 0 means 1.
	Gain float64 `zero:"1"`
}

// Init implements Initializer.
func (d Identity) Init(shape []int, _ *rand.Rand) []float32 {
	if len(shape) != 2 {
		panic(fmt.Sprintf("initializers: expected a shape of two axes for Identity, got %v", shape))
	}
	values := make([]float32, size(shape))
	for i := range min(shape[0], shape[1]) {
		values[i*shape[1]+i] = float32(orDefault(d.Gain, 1))
	}
	return values
}

func init() {
	config.Register(
		Zeros{}, Ones{}, Constant{}, RandomUniform{}, RandomNormal{}, TruncatedNormal{}, VarianceScaling{},
		GlorotUniform{}, GlorotNormal{}, HeUniform{}, HeNormal{}, LeCunUniform{}, LeCunNormal{}, Orthogonal{}, Identity{},
	)
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

func init() {
	config.Reads(readVarianceScaling)
}
