package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// MixUp blends each example with another one of its batch, inputs and labels alike:
//
//	x = λx + (1 − λ)x′, y = λy + (1 − λ)y′
//
// λ is drawn for each example, with seed, from a beta distribution whose parameters are both
// alpha; 0.2 is Keras's. x′ is the example before it, so that Fit, which shuffles, makes other
// pairs in each epoch. A batch of one stays as it is. Labels must be vectors, such as OneHot
// makes of class numbers, with a loss to match, such as losses.CategoricalCrossentropy:
//
//	train.Map(data.OneHot(10)).MixUp(0.2, 1)
//
// Source: Zhang et al., 2018 (arXiv:1710.09412);
// https://keras.io/api/layers/preprocessing_layers/image_augmentation/mix_up/
func (d *Dataset) MixUp(alpha float64, seed uint64) *Dataset {
	if d.err != nil {
		return d
	}
	if !(alpha > 0) {
		return d.broken("expected an alpha above 0 for MixUp, got %g", alpha)
	}
	if d.source.Stream != nil || d.source.W != nil {
		return d.broken("expected a table without weights to MixUp, got a stream or weights; Cache makes a table of a stream")
	}
	rng := rand.New(rand.NewPCG(seed, 0x6d697875))
	lambda := make([]float32, d.Len())
	for i := range lambda {
		lambda[i] = float32(beta(alpha, rng))
	}
	weights, err := FromSlices(lambda, nil)
	if err != nil {
		return d.broken("MixUp: %v", err)
	}
	return Zip(d, weights).MapAll(func(b Nodes) Nodes {
		n := len(b.X) - 1
		lambda := b.X[n]
		mixed := Nodes{W: b.W}
		for _, x := range b.X[:n] {
			mixed.X = append(mixed.X, blend(x, lambda))
		}
		for _, y := range b.Y {
			if y.Rank() < 2 {
				panic(fmt.Errorf("MixUp: expected labels that are vectors, got class numbers or the like of shape %v; Map data.OneHot first", y.Shape().Dimensions))
			}
			mixed.Y = append(mixed.Y, blend(y, lambda))
		}
		return mixed
	})
}

// blend is λx + (1 − λ)x′ with x′ the row before.
func blend(x, lambda *tensor.Node) *tensor.Node {
	if !x.DType().IsFloat() {
		x = graph.ConvertDType(x, dtypes.Float32)
	}
	n := x.Shape().Dimensions[0]
	if n == 1 {
		return x
	}
	before := graph.Concatenate([]*tensor.Node{graph.Slice(x, graph.AxisRange(n-1, n)), graph.Slice(x, graph.AxisRange(0, n-1))}, 0)
	for lambda.Rank() < x.Rank() {
		lambda = graph.InsertAxes(lambda, -1)
	}
	lambda = graph.ConvertDType(lambda, x.DType())
	return graph.Add(before, graph.Mul(lambda, graph.Sub(x, before)))
}

// beta draws from a beta distribution whose parameters are both alpha: x/(x + y) for two of a
// gamma distribution. They are drawn as logarithms, as for small alphas they are close to 0.
func beta(alpha float64, rng *rand.Rand) float64 {
	return 1 / (1 + math.Exp(logGamma(alpha, rng)-logGamma(alpha, rng)))
}

// logGamma is the logarithm of a number of a gamma distribution (Marsaglia and Tsang, 2000): of a
// shape above 1, which u^(1/alpha) makes smaller.
func logGamma(alpha float64, rng *rand.Rand) float64 {
	d := alpha + 1 - 1.0/3
	for {
		x := rng.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-rng.Float64()) < x*x/2+d*(1-v+math.Log(v)) {
			return math.Log(d*v) + math.Log(1-rng.Float64())/alpha
		}
	}
}
