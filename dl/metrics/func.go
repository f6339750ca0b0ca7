package metrics

import (
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Func makes a Metric of a function of labels and output, whose first axis is the batch. It
// returns its value for each example, [batch] or [batch, …]. Labels come in the type of the
// output and, where that is [batch, …, 1], with that axis too, as in Keras.
//
//	absolute := metrics.Func("absolute", func(labels, output *dl.Node) *dl.Node {
//		return ops.Mean(ops.Absolute(ops.Subtract(labels, output)), -1)
//	})
//
// A model that is compiled with it can be saved if dl.Register has been called with the same
// value.
//
// Source: https://keras.io/api/metrics/, on metrics of one's own.
func Func(name string, compute func(labels, output *tensor.Node) *tensor.Node) Metric {
	return &function{config.NewNamed(name), losses.Func(name, compute)}
}

// function measures for each example what a loss of the same function does.
type function struct {
	config.Named
	each losses.Loss
}

// Check implements Metric.
func (f *function) Check(labels, output []int) error { return f.each.Check(labels, output) }

// Compute implements Metric.
func (f *function) Compute(labels, output *tensor.Node) *tensor.Node {
	return f.each.Compute(labels, output)
}
