package metrics_test

import (
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Worst is the largest mistake of each example, averaged.
type Worst struct{ metrics.Base }

// Name implements metrics.Metric.
func (Worst) Name() string { return "worst" }

// Compute implements metrics.Metric.
func (Worst) Compute(labels, output *tensor.Node) *tensor.Node {
	return ops.Max(ops.Absolute(ops.Subtract(labels, output)), -1)
}

func ExampleBase() {
	measure(Worst{}, [][]float32{{1, 2}, {0, 0}}, [][]float32{{1, 5}, {0, 1}})
	// Output: worst 2.0000
}
