package layers

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(RotaryEmbedding{}) }

// RotaryEmbedding turns pairs of features by an angle that grows with the step, so that
// products of queries and keys depend on how far they are apart. Feature i is paired with
// feature i + half of them.
//
// Input shape: (None, steps, …, features), with an even number of features. Output shape: the
// same.
//
// Source: Su et al., 2021 (arXiv:2104.09864);
// https://keras.io/keras_hub/api/modeling_layers/rotary_embedding/
type RotaryEmbedding struct {
	// MaxWavelength is that of the slowest pair, in steps over 2π; 0 means 10000.
	MaxWavelength float64
	// ScalingFactor divides the angles, for sequences that are longer than those of training; 0
	// means 1.
	ScalingFactor float64
	Name          string
}

// Build implements Layer.
func (l RotaryEmbedding) Build(in Shape) (Spec, error) {
	if len(in) < 2 || in[len(in)-1]%2 != 0 {
		return Spec{}, misfit(in, "expected input of shape (None, steps, …, features) with an even number of features, got %v", in)
	}
	for _, v := range []float64{l.MaxWavelength, l.ScalingFactor} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return Spec{}, fmt.Errorf("expected MaxWavelength and ScalingFactor above 0, got %v and %v", l.MaxWavelength, l.ScalingFactor)
		}
	}
	return Spec{Output: in, KeepsMask: true}, nil
}

// Call implements Layer.
func (l RotaryEmbedding) Call(_ *Context, x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	steps, features := d[1], d[len(d)-1]
	cos, sin := l.angles(steps, features)
	dims := slices.Repeat([]int{1}, len(d)) // 1, steps, 1…, features
	dims[1], dims[len(d)-1] = steps, features
	wide := func(values [][]float32) *tensor.Node {
		c := graph.ConvertDType(graph.Const(x.Graph(), values), x.DType())
		return graph.BroadcastToDims(graph.Reshape(c, dims...), d...)
	}
	last := len(d) - 1
	low := graph.SliceAxis(x, last, graph.AxisRange(0, features/2))
	high := graph.SliceAxis(x, last, graph.AxisRange(features/2))
	turned := graph.Concatenate([]*tensor.Node{graph.Neg(high), low}, last)
	return graph.Add(graph.Mul(x, wide(cos)), graph.Mul(turned, wide(sin)))
}

// angles are cosines and sines, each [steps, features].
func (l RotaryEmbedding) angles(steps, features int) (cos, sin [][]float32) {
	wavelength, scale := l.MaxWavelength, l.ScalingFactor
	if wavelength == 0 {
		wavelength = 10000
	}
	if scale == 0 {
		scale = 1
	}
	for step := range steps {
		c, s := make([]float32, features), make([]float32, features)
		for i := range features {
			pair := i % (features / 2)
			a := float64(step) / scale * math.Pow(wavelength, -2*float64(pair)/float64(features))
			c[i], s[i] = float32(math.Cos(a)), float32(math.Sin(a))
		}
		cos, sin = append(cos, c), append(sin, s)
	}
	return cos, sin
}
