package layers_test

import (
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Double doubles each value.
type Double struct{ layers.Base }

// Call implements layers.Layer.
func (Double) Call(_ *layers.Context, x *tensor.Node) *tensor.Node { return ops.Multiply(x, 2) }

func ExampleBase() {
	output(Double{}, [][]float32{{1, 2}})
	// Output: [[2 4]]
}
