package losses

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Hinge is the mean of max(1 − label·output, 0), for labels of −1 and 1; 0 counts as
// −1.
//
// Labels and output: [batch, n], or labels [batch] and output [batch, 1].
//
// Source: https://keras.io/api/losses/hinge_losses/
type Hinge struct{}

// SquaredHinge is the mean of max(1 − label·output, 0)².
type SquaredHinge struct{}

// CategoricalHinge is max(n − p + 1, 0), with p the output for the label's class and n
// the largest for another. Labels are one-hot.
type CategoricalHinge struct{}

// Dice is 1 − 2·Σ y p / (Σ y + Σ p), over all of a batch: how little two masks overlap.
type Dice struct{}

// Tversky is Dice with a weight Alpha for what is wrongly 0 and Beta for what is
// wrongly 1: so in Keras, which calls them the other way round.
//
// Source: Salehi et al., 2017 (arXiv:1706.05721).
type Tversky struct {
	// Alpha and Beta: 0 means 0.5.
	Alpha float64 `zero:"0.5"`
	Beta  float64 `zero:"0.5"`
}

// KLDivergence is Σ label·log(label/output) over the last axis, for labels and outputs
// that are distributions.
type KLDivergence struct{}

// Name implements Loss.
func (Hinge) Name() string { return "hinge" }

// Name implements Loss.
func (SquaredHinge) Name() string { return "squared_hinge" }

// Name implements Loss.
func (CategoricalHinge) Name() string { return "categorical_hinge" }

// Name implements Loss.
func (Dice) Name() string { return "dice" }

// Name implements Loss.
func (Tversky) Name() string { return "tversky" }

// Name implements Loss.
func (KLDivergence) Name() string { return "kl_divergence" }

// Check implements Loss.
func (Hinge) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (SquaredHinge) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (CategoricalHinge) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (Dice) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (l Tversky) Check(labels, output []int) error {
	if !(l.Alpha >= 0 && l.Beta >= 0) {
		return fmt.Errorf("expected Alpha and Beta above 0 (or 0 for 0.5), got %g and %g", l.Alpha, l.Beta)
	}
	return checkSame(labels, output)
}

// Check implements Loss.
func (KLDivergence) Check(labels, output []int) error { return checkSame(labels, output) }

// sign makes −1 and 1 of labels of 0 and 1.
func sign(labels, output *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	return graph.Where(graph.Equal(y, graph.ZerosLike(y)), graph.Neg(graph.OnesLike(y)), y)
}

// Compute implements Loss.
func (Hinge) Compute(labels, output *tensor.Node) *tensor.Node {
	return mean(graph.MaxScalar(graph.OneMinus(graph.Mul(sign(labels, output), output)), 0.0))
}

// Compute implements Loss.
func (SquaredHinge) Compute(labels, output *tensor.Node) *tensor.Node {
	return mean(graph.Square(graph.MaxScalar(graph.OneMinus(graph.Mul(sign(labels, output), output)), 0.0)))
}

// Compute implements Loss.
func (CategoricalHinge) Compute(labels, output *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	p := graph.ReduceSum(graph.Mul(y, output), -1)
	n := graph.ReduceMax(graph.Mul(graph.OneMinus(y), output), -1)
	return graph.MaxScalar(graph.AddScalar(graph.Sub(n, p), 1.0), 0.0)
}

// Compute implements Loss.
func (Dice) Compute(labels, output *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	both := graph.ReduceAllSum(graph.Mul(y, output))
	sum := graph.Add(graph.ReduceAllSum(y), graph.ReduceAllSum(output))
	return perExample(output, graph.OneMinus(graph.Div(graph.MulScalar(both, 2.0), graph.AddScalar(sum, epsilon))))
}

// Compute implements Loss.
func (l Tversky) Compute(labels, output *tensor.Node) *tensor.Node {
	alpha, beta := l.Alpha, l.Beta
	if alpha == 0 {
		alpha = 0.5
	}
	if beta == 0 {
		beta = 0.5
	}
	y := ops.Align(labels, output)
	both := graph.ReduceAllSum(graph.Mul(y, output))
	more := graph.ReduceAllSum(graph.Mul(graph.OneMinus(y), output))
	less := graph.ReduceAllSum(graph.Mul(y, graph.OneMinus(output)))
	all := graph.Add(both, graph.Add(graph.MulScalar(less, alpha), graph.MulScalar(more, beta)))
	return perExample(output, graph.OneMinus(graph.Div(both, graph.AddScalar(all, epsilon))))
}

// perExample gives each example the loss of the whole batch.
func perExample(output, loss *tensor.Node) *tensor.Node {
	return graph.BroadcastToDims(loss, output.Shape().Dimensions[0])
}

// Compute implements Loss.
func (KLDivergence) Compute(labels, output *tensor.Node) *tensor.Node {
	y := graph.ClipScalar(ops.Align(labels, output), epsilon, 1)
	p := graph.ClipScalar(output, epsilon, 1)
	return graph.ReduceSum(graph.Mul(y, graph.Log(graph.Div(y, p))), -1)
}
