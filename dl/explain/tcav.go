package explain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TCAV asks whether a concept, which is given by examples of it, moves a target: in a layer's
// output it finds the direction that tells the examples from others, and counts for how many
// inputs the target goes up in it.
//
// A direction can always be found, for nonsense, too: believe Accuracy and P, not the score
// alone; and a concept may be there along with another. Source: Kim et al. (2018),
// https://arxiv.org/abs/1711.11279.
type TCAV struct {
	// Layer is the name of the layer.
	Layer string
	// Concept are examples of it, Others are inputs without it, of which there must be twice as
	// many at least: half of them stand for concepts of chance.
	Concept, Others *tensor.Tensor
	// Runs is how many directions are found, each of other Others; 0 means 10.
	Runs int
	// Penalty keeps the classifier's weights small (L2, of a mean loss); 0 means 0.01.
	Penalty float64
	Seed    uint64
}

// ConceptScore is what a concept does.
type ConceptScore struct {
	// Score is the part of the inputs for which the target goes up, the mean over runs, and
	// Deviation how much it differs from run to run.
	Score, Deviation float64
	// Chance is the same of directions between Others.
	Chance float64
	// P is how probable so large a difference from Chance is if there is none (Welch's test
	// over runs, which takes them for independent).
	P float64
	// Accuracy is how well the concept is told from what was kept out, the mean over runs: near
	// 0.5, the layer does not know it.
	Accuracy float64
	// Directions are unit vectors of each run, in the layer's output, flattened.
	Directions [][]float64
}

// Score says what the concept does to the target of x, [batch, …].
func (c TCAV) Score(m *dl.Model, x *tensor.Tensor, t Target) (*ConceptScore, error) {
	if c.Runs < 0 || c.Runs == 1 || !(c.Penalty >= 0) {
		return nil, fmt.Errorf("explain: expected Runs of at least 2 (or 0 for the default) and a Penalty of at least 0, got %d and %g", c.Runs, c.Penalty)
	}
	for _, given := range []**tensor.Tensor{&c.Concept, &c.Others} {
		flat, err := wanted(m, *given)
		if err != nil {
			return nil, fmt.Errorf("examples of a concept, and others: %w", err)
		}
		*given = tensor.New(flat, (*given).Shape().Dimensions...)
	}
	at, err := outputOf(train.Of(m), c.Layer)
	if err != nil {
		return nil, err
	}
	slopes, err := c.slopes(m, x, t, at)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(slices.Concat(slopes...), func(v float64) bool { return v != 0 }) {
		return nil, fmt.Errorf("explain: expected a layer that the target depends on, got %q, by which all its gradients are 0: take an earlier one, or set Probability", c.Layer)
	}
	concept, err := activationsOf(m, at, c.Concept)
	if err != nil {
		return nil, err
	}
	others, err := activationsOf(m, at, c.Others)
	if err != nil {
		return nil, err
	}
	if len(concept) < 4 || len(others) < 2*len(concept) {
		return nil, fmt.Errorf("explain: expected four examples of a concept at least and twice as many others, got %d and %d", len(concept), len(others))
	}
	return c.compare(slopes, concept, others)
}

// compare scores directions of the concept, and directions of chance.
func (c TCAV) compare(slopes, concept, others [][]float64) (*ConceptScore, error) {
	runs, n := cmp.Or(c.Runs, 10), len(concept)
	r := rand.New(rand.NewPCG(c.Seed, 3))
	s := new(ConceptScore)
	var own, chance []float64
	for range runs {
		order := r.Perm(len(others))
		pick := func(from int) (all [][]float64) {
			for _, i := range order[from : from+n] {
				all = append(all, others[i])
			}
			return all
		}
		shuffled := make([][]float64, n)
		for i, k := range r.Perm(n) {
			shuffled[i] = concept[k]
		}
		d, accuracy, err := c.direction(shuffled, pick(0))
		if err != nil {
			return nil, err
		}
		s.Directions = append(s.Directions, d)
		s.Accuracy += accuracy / float64(runs)
		own = append(own, upward(slopes, d))
		if d, _, err = c.direction(pick(0), pick(n)); err != nil {
			return nil, err
		}
		chance = append(chance, upward(slopes, d))
	}
	s.Score, s.Deviation = stat.MeanStdDev(own, nil)
	s.Chance = stat.Mean(chance, nil)
	s.P = welch(own, chance)
	return s, nil
}

// upward is for how many slopes the target goes up.
func upward(slopes [][]float64, d []float64) float64 {
	n := 0.0
	for _, g := range slopes {
		sum := 0.0
		for i, v := range g {
			sum += v * d[i]
		}
		n += truth(sum > 0)
	}
	return n / float64(len(slopes))
}

// welch is the p-value of the difference of two means.
func welch(a, b []float64) float64 {
	ma, va := stat.MeanVariance(a, nil)
	mb, vb := stat.MeanVariance(b, nil)
	va, vb = va/float64(len(a)), vb/float64(len(b))
	if va+vb == 0 {
		return 1 - truth(ma != mb)
	}
	free := (va + vb) * (va + vb) / (va*va/float64(len(a)-1) + vb*vb/float64(len(b)-1))
	return 2 * distuv.StudentsT{Sigma: 1, Nu: free}.Survival(math.Abs(ma-mb)/math.Sqrt(va+vb))
}

// direction tells a from b: found with three of four of each, tried on the others.
func (c TCAV) direction(a, b [][]float64) (d []float64, accuracy float64, err error) {
	cut := 3 * len(a) / 4
	w, bias, err := logistic(a[:cut], b[:cut], cmp.Or(c.Penalty, 0.01))
	if err != nil {
		return nil, 0, err
	}
	score := func(x []float64) (z float64) {
		for i, v := range x {
			z += w[i] * v
		}
		return z + bias
	}
	for i := cut; i < len(a); i++ {
		accuracy += (truth(score(a[i]) > 0) + truth(score(b[i]) < 0)) / float64(2*(len(a)-cut))
	}
	length := 0.0
	for _, v := range w {
		length = math.Hypot(length, v)
	}
	if length == 0 {
		return nil, 0, fmt.Errorf("explain: expected examples that the layer %q tells apart, got such that are the same to it", c.Layer)
	}
	for i := range w {
		w[i] /= length
	}
	return w, accuracy, nil
}

// logistic is a logistic regression, which says yes to a and no to b.
func logistic(a, b [][]float64, penalty float64) (w []float64, bias float64, err error) {
	n := len(a[0])
	// each goes through the rows: their loss, and its slope, are added to grad
	loss := func(at, grad []float64) float64 {
		sum := 0.0
		for i, v := range at[:n] {
			sum += penalty / 2 * v * v
			if grad != nil {
				grad[i] = penalty * v
			}
		}
		if grad != nil {
			grad[n] = 0
		}
		total := float64(len(a) + len(b))
		for k, rows := range [][][]float64{a, b} {
			sign := 1 - 2*float64(k)
			for _, x := range rows {
				z := at[n]
				for i, v := range x {
					z += at[i] * v
				}
				sum += (math.Log1p(math.Exp(-math.Abs(z))) + max(-sign*z, 0)) / total
				if grad == nil {
					continue
				}
				slope := -sign / (1 + math.Exp(sign*z)) / total
				for i, v := range x {
					grad[i] += slope * v
				}
				grad[n] += slope
			}
		}
		return sum
	}
	found, err := optimize.Minimize(optimize.Problem{
		Func: func(at []float64) float64 { return loss(at, nil) },
		Grad: func(grad, at []float64) { loss(at, grad) },
	}, make([]float64, n+1), &optimize.Settings{GradientThreshold: 1e-8, MajorIterations: 1000}, &optimize.LBFGS{})
	if found == nil {
		return nil, 0, fmt.Errorf("explain: a direction for a concept: %w", err)
	}
	return found.X[:n], found.X[n], nil // err says that a line search could not go below rounding
}

// outputOf is the output of the layer with a name.
func outputOf(m *train.Model, name string) (*network.Symbol, error) {
	var names []string
	for _, call := range m.Calls {
		if call.Layer.Name == name {
			return call.Out[0], nil
		}
		names = append(names, call.Layer.Name)
	}
	return nil, fmt.Errorf("explain: expected a layer among %q, got %q", names, name)
}

// slopes are the gradients of the target by the layer's output.
func (c TCAV) slopes(m *dl.Model, x *tensor.Tensor, t Target, at *network.Symbol) ([][]float64, error) {
	q, err := ask(m, x, t, func() (*values, error) {
		return newValues(m, t, nil, nil, func(f *network.Flow, _, target *graph.Node) []*graph.Node {
			return []*graph.Node{graph.Gradient(graph.ReduceAllSum(target), f.Values[at])[0]}
		})
	})
	if err != nil {
		return nil, err
	}
	out, err := q.call(q.flat, q.shape, q.units)
	if err != nil {
		return nil, err
	}
	return rowsOf(out[0])
}

// activationsOf are a layer's outputs.
func activationsOf(m *dl.Model, at *network.Symbol, x *tensor.Tensor) ([][]float64, error) {
	probe, err := train.Of(m).Probe(nil, func(f *network.Flow, _, _ []*graph.Node) []*graph.Node {
		return []*graph.Node{f.Values[at]}
	})
	if err != nil {
		return nil, err
	}
	out, err := probe.Call([]*tensor.Tensor{x})
	if err != nil {
		return nil, err
	}
	return rowsOf(out[0])
}

// rowsOf are the examples of a tensor.
func rowsOf(t *tensor.Tensor) ([][]float64, error) {
	flat, err := tensor.Flat[float32](t)
	if err != nil {
		return nil, err
	}
	rows := make([][]float64, t.Shape().Dimensions[0])
	for i, v := range flat {
		k := i / (len(flat) / len(rows))
		rows[k] = append(rows[k], float64(v))
	}
	return rows, nil
}
