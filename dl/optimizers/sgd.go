package optimizers

import (
	"errors"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// SGD is gradient descent, w ← w − η g, or with momentum μ
//
//	v ← μ v − η g,  w ← w + v
//
// and with Nesterov's look-ahead w ← w + μ v − η g.
//
// Source: https://keras.io/api/optimizers/sgd/
type SGD struct {
	// LearningRate is η; 0 means 0.01.
	LearningRate float64
	// Momentum is μ, in [0, 1).
	Momentum float64
	// Nesterov looks ahead along the momentum; it needs a Momentum above 0.
	Nesterov bool
	Options
}

// Name implements Optimizer.
func (SGD) Name() string { return "sgd" }

// Rate implements Optimizer.
func (o SGD) Rate() float64 { return o.rate(o.LearningRate, 0.01) }

// Check implements Optimizer.
func (o SGD) Check() error {
	var err error
	if o.Nesterov && o.Momentum == 0 {
		err = errors.New("expected a Momentum above 0 with Nesterov, got 0")
	}
	return check("SGD", o.LearningRate, o.Options, checkFraction("Momentum", o.Momentum), err)
}

// Slots implements Optimizer.
func (o SGD) Slots() []Slot {
	if o.Momentum == 0 {
		return nil
	}
	return slots("momentum")
}

// Apply implements Optimizer.
func (o SGD) Apply(s Step, w, g *tensor.Node, slots []*tensor.Node) (*tensor.Node, []*tensor.Node) {
	step := graph.Mul(g, s.LearningRate)
	if o.Momentum == 0 {
		return graph.Sub(w, step), nil
	}
	v := graph.Sub(graph.MulScalar(slots[0], o.Momentum), step)
	if o.Nesterov {
		return graph.Add(w, graph.Sub(graph.MulScalar(v, o.Momentum), step)), []*tensor.Node{v}
	}
	return graph.Add(w, v), []*tensor.Node{v}
}
