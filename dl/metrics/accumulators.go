package metrics

import (
	"github.com/gradbook/gradbook/dl/tensor"
)

// Accumulator is a Metric that is no mean over examples: it is computed from sums
// over all of them.
type Accumulator interface {
	Metric
	// Size is how many sums there are.
	Size(labels, output []int) int
	// Sums returns those of a batch, of shape [Size]. weights has the shape of
	// the labels' batch, or of the output without its last axis; nil is 1.
	Sums(labels, output, weights *tensor.Node) *tensor.Node
	// Result computes the metric from the sums over all examples.
	Result(sums []float64) float64
}
