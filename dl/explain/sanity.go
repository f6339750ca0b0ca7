package explain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Verdict is what becomes of a method's attributions when a model forgets what it has learned.
type Verdict struct {
	Method Method
	// Similarity is the rank correlation (Spearman's) between what is attributed of the model
	// and of one with other first weights, the mean over examples, of absolute values: near 0
	// for a method that looks at the model.
	Similarity float64
	// Fails says that Similarity is above the limit: the method shows the input, not the model.
	Fails bool
}

// Randomization tries methods on a model and on another of the same layers with fresh weights,
// whose attributions should have nothing in common. A method whose similarity is above limit,
// usually 0.5, fails. random must not have been trained; Model.Clone makes one.
//
// Passing says that the method sees the model, not that it is right; LabelRandomization asks
// whether it sees what was learned. Source: Adebayo et al. (2018), Sanity checks for saliency
// maps, https://arxiv.org/abs/1810.03292.
func Randomization(m, random *dl.Model, x *tensor.Tensor, t Target, limit float64, methods ...Method) ([]Verdict, error) {
	if !(limit > 0 && limit < 1) {
		return nil, fmt.Errorf("explain: expected a limit in (0, 1), got %g", limit)
	}
	if len(methods) == 0 {
		return nil, fmt.Errorf("explain: expected at least one method, got none")
	}
	var all []Verdict
	for _, method := range methods {
		own, err := attributed(method, m, x, t)
		if err != nil {
			return nil, err
		}
		other, err := attributed(method, random, x, t)
		if err != nil {
			return nil, fmt.Errorf("the model with random weights: %w", err)
		}
		n := x.Shape().Dimensions[0]
		size, sum, counted := len(own)/n, 0.0, 0
		for i := range n {
			s := stat.Correlation(ranks(own[i*size:(i+1)*size]), ranks(other[i*size:(i+1)*size]), nil)
			if !math.IsNaN(s) { // all the same
				sum += s
				counted++
			}
		}
		if counted == 0 {
			return nil, fmt.Errorf("explain: %T: expected attributions that differ from place to place, got all the same", method)
		}
		v := Verdict{Method: method, Similarity: sum / float64(counted)}
		v.Fails = v.Similarity > limit
		all = append(all, v)
	}
	return all, nil
}

// LabelRandomization is Randomization with a model of the same layers that has learned labels
// in random order, [examples, …], by heart. train gets it with fresh weights, and compiles and
// fits it to the labels as m was to those in order.
func LabelRandomization(m *dl.Model, labels *tensor.Tensor, seed uint64, train func(fresh *dl.Model, labels *tensor.Tensor) error, x *tensor.Tensor, t Target, limit float64, methods ...Method) ([]Verdict, error) {
	if m == nil || labels == nil || labels.Shape().Rank() == 0 || labels.Shape().Dimensions[0] < 2 {
		return nil, fmt.Errorf("explain: expected a model, and labels of two examples at least")
	}
	fresh, err := m.Clone()
	if err != nil {
		return nil, err
	}
	shuffled, err := shuffle(labels, rand.New(rand.NewPCG(seed, 4)))
	if err != nil {
		return nil, err
	}
	if err := train(fresh, shuffled); err != nil {
		return nil, fmt.Errorf("the model of random labels: %w", err)
	}
	return Randomization(m, fresh, x, t, limit, methods...)
}

// shuffle puts examples into random order.
func shuffle(labels *tensor.Tensor, r *rand.Rand) (*tensor.Tensor, error) {
	flat, err := tensor.Flat[float32](labels)
	if err != nil {
		return nil, fmt.Errorf("explain: expected labels of float32, got %v", labels.Shape())
	}
	d := labels.Shape().Dimensions
	size := len(flat) / d[0]
	out := make([]float32, 0, len(flat))
	for _, i := range r.Perm(d[0]) {
		out = append(out, flat[i*size:(i+1)*size]...)
	}
	return tensor.New(out, d...), nil
}

func attributed(method Method, m *dl.Model, x *tensor.Tensor, t Target) ([]float64, error) {
	a, err := method.Attribute(m, x, t)
	if err != nil {
		return nil, fmt.Errorf("%T: %w", method, err)
	}
	flat, err := tensor.Flat[float32](a)
	if err != nil {
		return nil, err
	}
	if !finite(flat) {
		return nil, fmt.Errorf("explain: %T: expected finite attributions; the model's weights may not be", method)
	}
	out := make([]float64, len(flat))
	for i, v := range flat {
		out[i] = math.Abs(float64(v))
	}
	return out, nil
}

// ranks are the places in order, of equal values their mean.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	out := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to-1) / 2
		}
		from = to
	}
	return out
}
