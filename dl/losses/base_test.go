package losses_test

import (
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Cubic is |y − p|³, averaged over the last axis.
type Cubic struct{ losses.Base }

// Name implements losses.Loss.
func (Cubic) Name() string { return "cubic" }

// Compute implements losses.Loss.
func (Cubic) Compute(labels, output *tensor.Node) *tensor.Node {
	return ops.Mean(ops.Power(ops.Absolute(ops.Subtract(labels, output)), 3), -1)
}

func ExampleBase() {
	lossOf(Cubic{}, [][]float32{{1, 2}}, [][]float32{{3, 2}})
	// Output: cubic 4.0000
}
