package dl

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/train"
)

// Gradient returns the value of a function of tensors, and its gradient by each of
// them: what Keras users get from a GradientTape. The function adds itself to a graph
// and must return a scalar.
//
//	x := tensor.Of([]float32{1, 2, 3})
//	y, dx, err := dl.Gradient(func(x []*Node) *Node {
//		return ops.Sum(ops.Square(x[0]))
//	}, x) // 14 and [2 4 6]
func Gradient(f func(x []*Node) *Node, at ...*Tensor) (value *Tensor, gradients []*Tensor, err error) {
	d, err := device.Current()
	if err != nil {
		return nil, nil, edge(err)
	}
	out, err := train.RunOnce(d, func(in []*Node) []*Node {
		y := train.ScalarOf(f, in)
		return append([]*Node{y}, graph.Gradient(y, in...)...)
	}, at)
	if err != nil {
		return nil, nil, edge(err)
	}
	return out[0], out[1:], nil
}
