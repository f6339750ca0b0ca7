package explain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/integrate/quad"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Saliency is the gradient of the target by the input; absolute unless Signed.
//
// It says where a small change would matter, not what the output consists of; where units are
// saturated it is small though the input is decisive. Source: Simonyan, Vedaldi, Zisserman
// (2013), https://arxiv.org/abs/1312.6034.
type Saliency struct{ Signed bool }

// Attribute implements Method.
func (s Saliency) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	q, g, err := askSlope(m, x, t, nil)
	if err != nil {
		return nil, err
	}
	if !s.Signed {
		return q.strength(g), nil
	}
	if q.words != nil {
		return nil, fmt.Errorf("explain: expected Saliency without Signed of words, whose numbers have gradients of either sign; InputXGradient has a sign")
	}
	return q.answer(g), nil
}

// InputXGradient is the input times the gradient of the target by it: what each part would
// contribute if the model were linear. Parts that are 0 get 0, whatever they say.
//
// Source: Shrikumar et al. (2016), https://arxiv.org/abs/1605.01713.
type InputXGradient struct{}

// Attribute implements Method.
func (InputXGradient) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	q, g, err := askSlope(m, x, t, nil)
	if err != nil {
		return nil, err
	}
	for i := range g {
		g[i] *= q.flat[i]
	}
	return q.answer(g), nil
}

// slope computes the gradient of a target, and the target.
func slope(m *dl.Model, t Target, tap pass.Tap) func() (*values, error) {
	return func() (*values, error) {
		return gradients(m, t, tap, func(_ *network.Flow, x, target *graph.Node) []*graph.Node {
			return []*graph.Node{graph.Gradient(graph.ReduceAllSum(target), x)[0], target}
		})
	}
}

// askSlope is a question with its gradient.
func askSlope(m *dl.Model, x *tensor.Tensor, t Target, tap pass.Tap) (*question, []float32, error) {
	q, err := ask(m, x, t, slope(m, t, tap))
	if err != nil {
		return nil, nil, err
	}
	g, _, err := q.gradient(q.flat)
	return q, g, err
}

// SmoothGrad is the mean gradient over inputs to which noise is added, which takes away what
// changes from one pixel to the next.
//
// Source: Smilkov et al. (2017), https://arxiv.org/abs/1706.03825.
type SmoothGrad struct {
	// Samples is how many inputs; 0 means 25.
	Samples int
	// Noise is its standard deviation, as a part of the range of each example; 0 means 0.15.
	Noise float64
	Seed  uint64
}

// Attribute implements Method.
func (s SmoothGrad) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	if s.Samples < 0 || !(s.Noise >= 0) {
		return nil, fmt.Errorf("explain: expected Samples and Noise of at least 0, got %d and %g", s.Samples, s.Noise)
	}
	q, err := ask(m, x, t, slope(m, t, nil))
	if err != nil {
		return nil, err
	}
	flat := q.flat
	samples, noise := cmp.Or(s.Samples, 25), cmp.Or(s.Noise, 0.15)
	r := rand.New(rand.NewPCG(s.Seed, 1))
	size := q.size()
	sum, moved := make([]float32, len(flat)), make([]float32, len(flat))
	for range samples {
		for i := range q.shape[0] {
			low, high := math.Inf(1), math.Inf(-1)
			for _, f := range q.example(i) {
				low, high = min(low, float64(f)), max(high, float64(f))
			}
			for k := i * size; k < (i+1)*size; k++ {
				moved[k] = flat[k] + float32(noise*(high-low)*r.NormFloat64())
			}
		}
		g, _, err := q.gradient(moved)
		if err != nil {
			return nil, err
		}
		for i := range g {
			sum[i] += g[i] / float32(samples)
		}
	}
	if q.words != nil {
		return q.strength(sum), nil
	}
	return q.answer(sum), nil
}

// IntegratedGradients adds up gradients on the way from a baseline to the input. What it
// attributes adds up to the difference of the target between the two, but for an error of
// the sum; see Completeness.
//
// Everything depends on the baseline: parts of the input that are as there get nothing.
// Source: Sundararajan, Taly, Yan (2017), https://arxiv.org/abs/1703.01365.
type IntegratedGradients struct {
	// Baseline is one example, of the input's shape without the batch; nil means zeros.
	Baseline *tensor.Tensor
	// Steps is how many gradients, at the places of Gauss and Legendre; 0 means 50.
	Steps int
}

// Attribute implements Method.
func (g IntegratedGradients) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	a, _, err := g.Completeness(m, x, t)
	return a, err
}

// Completeness is Attribute, with what the attributions of each example lack to add up to the
// difference of the target between input and baseline: 0 if Steps are enough.
func (g IntegratedGradients) Completeness(m *dl.Model, x *tensor.Tensor, t Target) (attributions *tensor.Tensor, lacks []float64, err error) {
	q, err := ask(m, x, t, slope(m, t, nil))
	if err != nil {
		return nil, nil, err
	}
	if g.Steps < 0 {
		return nil, nil, fmt.Errorf("explain: expected Steps of at least 1 (or 0 for the default), got %d", g.Steps)
	}
	flat, size := q.flat, q.size()
	base, err := q.baseline(g.Baseline)
	if err != nil {
		return nil, nil, err
	}
	at := func(part float64) ([]float32, []float32, error) {
		moved := make([]float32, len(flat))
		for i, f := range flat {
			moved[i] = base[i%size] + float32(part)*(f-base[i%size])
		}
		return q.gradient(moved)
	}
	sum := make([]float64, len(flat))
	places := make([]float64, cmp.Or(g.Steps, 50))
	weights := make([]float64, len(places))
	quad.Legendre{}.FixedLocations(places, weights, 0, 1)
	for k, place := range places {
		slope, _, err := at(place)
		if err != nil {
			return nil, nil, err
		}
		for i := range sum {
			sum[i] += weights[k] * float64(slope[i])
		}
	}
	_, first, err := at(0)
	if err != nil {
		return nil, nil, err
	}
	_, last, err := at(1)
	if err != nil {
		return nil, nil, err
	}
	out := make([]float32, len(flat))
	lacks = make([]float64, q.shape[0])
	for i := range lacks {
		lacks[i] = float64(last[i]) - float64(first[i])
	}
	for i := range out {
		a := sum[i] * float64(flat[i]-base[i%size])
		out[i] = float32(a)
		lacks[i/size] -= a
	}
	return q.answer(out), lacks, nil
}
