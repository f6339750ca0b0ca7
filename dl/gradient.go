package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// Gradient returns the value of a function of tensors, and its gradient by each of
// them: what Keras users get from a GradientTape. The function adds itself to a graph
// and must return a scalar.
//
//	x := tensors.FromValue([]float32{1, 2, 3})
//	y, dx, err := dl.Gradient(func(x []*graph.Node) *graph.Node {
//		return graph.ReduceAllSum(graph.Square(x[0]))
//	}, x) // 14 and [2 4 6]
func Gradient(f func(x []*graph.Node) *graph.Node, at ...*tensors.Tensor) (value *tensors.Tensor, gradients []*tensors.Tensor, err error) {
	defer edge(&err)
	d, err := device.Current()
	if err != nil {
		return nil, nil, err
	}
	out, err := runOnce(d, func(in []*graph.Node) []*graph.Node {
		y := scalarOf(f, in)
		return append([]*graph.Node{y}, graph.Gradient(y, in...)...)
	}, at)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1:], nil
}

func scalarOf(f func(x []*graph.Node) *graph.Node, in []*graph.Node) *graph.Node {
	y := f(in)
	if y == nil || !y.IsScalar() {
		panic(fmt.Errorf("expected a function that returns a scalar, got %v; a sum or a mean makes one", y))
	}
	return y
}

// runOnce runs a graph once.
func runOnce(d *device.Device, build func(in []*graph.Node) []*graph.Node, in []*tensors.Tensor) ([]*tensors.Tensor, error) {
	program, err := engine.Function(d, build, in)
	if err != nil {
		return nil, err
	}
	return program.Call(in)
}
