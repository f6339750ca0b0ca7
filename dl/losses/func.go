package losses

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Func makes a Loss of a function of labels and output, whose first axis is the batch. It
// returns the loss of each example, [batch] or [batch, …]. Labels come in the type of the
// output and, where that is [batch, …, 1], with that axis too, as in Keras.
//
//	absolute := losses.Func("absolute", func(labels, output *dl.Node) *dl.Node {
//		return ops.Mean(ops.Absolute(ops.Subtract(labels, output)), -1)
//	})
//
// A model that is compiled with it can be saved if dl.Register has been called with the same
// value.
//
// Source: https://keras.io/api/losses/, on losses of one's own.
func Func(name string, compute func(labels, output *tensor.Node) *tensor.Node) Loss {
	return &function{config.NewNamed(name), compute}
}

type function struct {
	config.Named
	compute func(labels, output *tensor.Node) *tensor.Node
}

// Check implements Loss.
func (f *function) Check([]int, []int) error { return nil }

// Compute implements Loss.
func (f *function) Compute(labels, output *tensor.Node) *tensor.Node {
	labels = graph.ConvertDType(labels, output.DType())
	if d := output.Shape().Dimensions; labels.Rank() == len(d)-1 && d[len(d)-1] == 1 {
		labels = graph.InsertAxes(labels, -1)
	}
	y := f.compute(labels, output)
	if batch := output.Shape().Dimensions[0]; y == nil || y.Rank() == 0 || y.Shape().Dimensions[0] != batch {
		panic(fmt.Errorf("expected %s to return a value for each example, of shape [%d] or [%[2]d, …], got %v", f.Name(), batch, y))
	}
	return y
}
