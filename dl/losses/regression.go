package losses

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// MeanSquaredError is the mean over the last axis of (output − label)².
//
// Labels and output: [batch, n], or labels [batch] and output [batch, 1]; so for
// all losses in this file.
//
// Source: https://keras.io/api/losses/regression_losses/
type MeanSquaredError struct{}

// MeanAbsoluteError is the mean over the last axis of |output − label|.
type MeanAbsoluteError struct{}

// MeanAbsolutePercentageError is the mean of 100·|output − label| / |label|.
type MeanAbsolutePercentageError struct{}

// MeanSquaredLogarithmicError is the mean of (log(output + 1) − log(label + 1))²,
// where what is below 0 counts as 0.
type MeanSquaredLogarithmicError struct{}

// Huber is half the square of a difference that is at most Delta, and goes on in a
// straight line for larger ones.
type Huber struct {
	// Delta 0 means 1.
	Delta float64 `zero:"1"`
}

// LogCosh is the mean of log cosh(output − label): close to half the square of a
// small difference, and to a large difference itself.
type LogCosh struct{}

// CosineSimilarity is minus the cosine of the angle between label and output along
// the last axis: −1 where they point the same way, 0 at right angles.
type CosineSimilarity struct{}

// Poisson is the mean of output − label·log(output).
type Poisson struct{}

// Name implements Loss.
func (MeanSquaredError) Name() string { return "mean_squared_error" }

// Name implements Loss.
func (MeanAbsoluteError) Name() string { return "mean_absolute_error" }

// Name implements Loss.
func (MeanAbsolutePercentageError) Name() string { return "mean_absolute_percentage_error" }

// Name implements Loss.
func (MeanSquaredLogarithmicError) Name() string { return "mean_squared_logarithmic_error" }

// Name implements Loss.
func (Huber) Name() string { return "huber_loss" }

// Name implements Loss.
func (LogCosh) Name() string { return "log_cosh" }

// Name implements Loss.
func (CosineSimilarity) Name() string { return "cosine_similarity" }

// Name implements Loss.
func (Poisson) Name() string { return "poisson" }

// Check implements Loss.
func (MeanSquaredError) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (MeanAbsoluteError) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (MeanAbsolutePercentageError) Check(labels, output []int) error {
	return checkSame(labels, output)
}

// Check implements Loss.
func (MeanSquaredLogarithmicError) Check(labels, output []int) error {
	return checkSame(labels, output)
}

// Check implements Loss.
func (l Huber) Check(labels, output []int) error {
	if !(l.Delta >= 0) {
		return fmt.Errorf("expected Delta above 0 (or 0 for 1), got %g", l.Delta)
	}
	return checkSame(labels, output)
}

// Check implements Loss.
func (LogCosh) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (CosineSimilarity) Check(labels, output []int) error { return checkSame(labels, output) }

// Check implements Loss.
func (Poisson) Check(labels, output []int) error { return checkSame(labels, output) }

// Compute implements Loss.
func (MeanSquaredError) Compute(labels, output *tensor.Node) *tensor.Node {
	return mean(graph.Square(graph.Sub(output, ops.Align(labels, output))))
}

// Compute implements Loss.
func (MeanAbsoluteError) Compute(labels, output *tensor.Node) *tensor.Node {
	return mean(ops.Abs(graph.Sub(output, ops.Align(labels, output))))
}

// Compute implements Loss.
func (MeanAbsolutePercentageError) Compute(labels, output *tensor.Node) *tensor.Node {
	y := ops.Align(labels, output)
	part := graph.Div(graph.Sub(y, output), graph.MaxScalar(ops.Abs(y), epsilon))
	return graph.MulScalar(mean(ops.Abs(part)), 100.0)
}

// Compute implements Loss.
func (MeanSquaredLogarithmicError) Compute(labels, output *tensor.Node) *tensor.Node {
	log := func(x *tensor.Node) *tensor.Node { return graph.Log(graph.AddScalar(graph.MaxScalar(x, epsilon), 1.0)) }
	return mean(graph.Square(graph.Sub(log(output), log(ops.Align(labels, output)))))
}

// Compute implements Loss.
func (l Huber) Compute(labels, output *tensor.Node) *tensor.Node {
	delta := l.Delta
	if delta == 0 {
		delta = 1
	}
	e := ops.Abs(graph.Sub(output, ops.Align(labels, output)))
	small := graph.MulScalar(graph.Square(e), 0.5)
	large := graph.AddScalar(graph.MulScalar(e, delta), -0.5*delta*delta)
	return mean(graph.Where(graph.LessOrEqual(e, graph.Scalar(e.Graph(), e.DType(), delta)), small, large))
}

// Compute implements Loss.
func (LogCosh) Compute(labels, output *tensor.Node) *tensor.Node {
	e := graph.Sub(output, ops.Align(labels, output)) // log cosh e = e + log(1 + e^−2e) − log 2
	return mean(graph.AddScalar(graph.Add(e, graph.Softplus(graph.MulScalar(e, -2.0))), -math.Ln2))
}

// Compute implements Loss.
func (CosineSimilarity) Compute(labels, output *tensor.Node) *tensor.Node {
	return graph.Neg(graph.ReduceSum(graph.Mul(unit(ops.Align(labels, output)), unit(output)), -1))
}

// Compute implements Loss.
func (Poisson) Compute(labels, output *tensor.Node) *tensor.Node {
	return mean(graph.Sub(output, graph.Mul(ops.Align(labels, output), graph.Log(graph.AddScalar(output, epsilon)))))
}

// mean is the mean over the last axis, if there is one beside the batch.
func mean(x *tensor.Node) *tensor.Node {
	if x.Rank() == 1 {
		return x
	}
	return graph.ReduceMean(x, -1)
}

// unit scales vectors to length 1.
func unit(x *tensor.Node) *tensor.Node {
	length := graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, -1)
	return graph.Mul(x, rsqrt(graph.MaxScalar(length, 1e-12)))
}
