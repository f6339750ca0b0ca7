package optimizers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Adam scales each weight's step by running means of its gradient and of the
// gradient's square:
//
//	m ← m + (g − m)(1 − β₁),  v ← v + (g² − v)(1 − β₂)
//	w ← w − η √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)
//
// Source: Kingma and Ba, 2014 (arXiv:1412.6980), in the form of
// https://keras.io/api/optimizers/adam/, where ε is the paper's ε̂.
type Adam struct {
	// LearningRate is η; 0 means 0.001.
	LearningRate float64
	// Beta1 and Beta2 are β₁ and β₂; 0 means 0.9 and 0.999.
	Beta1, Beta2 float64
	// Epsilon is ε; 0 means 1e-7.
	Epsilon float64
}

// Name implements Optimizer.
func (Adam) Name() string { return "adam" }

// Rate implements Optimizer.
func (o Adam) Rate() float64 { return orDefault(o.LearningRate, 0.001) }

// Check implements Optimizer.
func (o Adam) Check() error {
	if err := checkRate(o.LearningRate); err != nil {
		return fmt.Errorf("optimizers.Adam: %w", err)
	}
	if err := checkFraction("Beta1", o.Beta1); err != nil {
		return fmt.Errorf("optimizers.Adam: %w", err)
	}
	if err := checkFraction("Beta2", o.Beta2); err != nil {
		return fmt.Errorf("optimizers.Adam: %w", err)
	}
	if o.Epsilon < 0 {
		return fmt.Errorf("optimizers.Adam: expected an Epsilon above 0 (or 0 for the default), got %g", o.Epsilon)
	}
	return nil
}

// Slots implements Optimizer.
func (Adam) Slots() []string { return []string{"momentum", "velocity"} }

// Apply implements Optimizer.
func (o Adam) Apply(s Step, w, g *graph.Node, slots []*graph.Node) (*graph.Node, []*graph.Node) {
	beta1, beta2 := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999)
	left := func(beta float64) *graph.Node { // 1 − βᵗ
		return graph.OneMinus(graph.Pow(graph.Scalar(w.Graph(), w.DType(), beta), s.Iteration))
	}
	alpha := graph.Mul(s.LearningRate, graph.Div(graph.Sqrt(left(beta2)), left(beta1)))
	m := graph.Add(slots[0], graph.MulScalar(graph.Sub(g, slots[0]), 1-beta1))
	v := graph.Add(slots[1], graph.MulScalar(graph.Sub(graph.Square(g), slots[1]), 1-beta2))
	step := graph.Div(graph.Mul(m, alpha), graph.AddScalar(graph.Sqrt(v), orDefault(o.Epsilon, 1e-7)))
	return graph.Sub(w, step), []*graph.Node{m, v}
}
