package dl

import (
	"fmt"

	"github.com/gomlx/compute"
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
	run, err := prepared(d, build, in)
	if err != nil {
		return nil, err
	}
	return run(in)
}

// prepared compiles a graph for tensors like these.
func prepared(d *device.Device, build func(in []*graph.Node) []*graph.Node, like []*tensors.Tensor) (func(in []*tensors.Tensor) ([]*tensors.Tensor, error), error) {
	var params []engine.Param
	for i, x := range like {
		if x == nil {
			return nil, fmt.Errorf("expected a tensor as argument %d, got nil", i)
		}
		params = append(params, engine.Param{Name: fmt.Sprintf("x%d", i), Shape: x.Shape()})
	}
	p, err := engine.Compile(d, "function", params, build)
	if err != nil {
		return nil, err
	}
	return func(in []*tensors.Tensor) (out []*tensors.Tensor, err error) {
		var buffers []compute.Buffer
		for i, x := range in {
			var b compute.Buffer
			if e := x.ConstFlatData(func(flat any) { b, err = engine.Upload(d, flat, params[i].Shape) }); e != nil {
				err = e
			}
			if err != nil {
				return nil, err
			}
			buffers = append(buffers, b)
		}
		defer engine.Free(buffers...)
		results, err := p.Run(buffers)
		if err != nil {
			return nil, err
		}
		for _, b := range results {
			t, err := engine.Tensor(b)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		return out, nil
	}, nil
}
