package losses

import "github.com/gomlx/gomlx/core/graph"

// MeanSquaredError is the mean over the last axis of (output − label)².
//
// Labels and output: [batch, n], or labels [batch] and output [batch, 1].
//
// Source: https://keras.io/api/losses/regression_losses/
type MeanSquaredError struct{}

// Name implements Loss.
func (MeanSquaredError) Name() string { return "mean_squared_error" }

// Check implements Loss.
func (MeanSquaredError) Check(labels, output []int) error { return checkSame(labels, output) }

// Compute implements Loss.
func (MeanSquaredError) Compute(labels, output *graph.Node) *graph.Node {
	d := graph.Square(graph.Sub(output, Align(labels, output)))
	if d.Rank() == 1 {
		return d
	}
	return graph.ReduceMean(d, -1)
}
