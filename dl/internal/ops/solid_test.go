package ops_test

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/ops"
)

// TestSolid: a product with a matrix of equal numbers is right, which XLA's CPU gets wrong
// (jaxlib 0.11). Each product is computed several times, since garbage may look right once.
func TestSolid(t *testing.T) {
	const rows, in, out = 1280, 128, 64
	values := make([]float32, rows*in)
	for i := range values {
		values[i] = float32(i % 5)
	}
	x := tensors.FromFlatDataAndDimensions(values, rows, in)
	shape := shapes.Make(dtypes.Float32, in, out)
	kernels := map[string]func(x *graph.Node) *graph.Node{
		"constant": func(x *graph.Node) *graph.Node { return graph.Ones(x.Graph(), shape) },
		"computed": func(x *graph.Node) *graph.Node {
			one := graph.Slice(x, graph.AxisElem(0), graph.AxisElem(1)) // it is 1
			return graph.BroadcastToDims(graph.Reshape(one), in, out)
		},
		"a row": func(x *graph.Node) *graph.Node {
			row := graph.SliceAxis(graph.Slice(x, graph.AxisElem(0)), 1, graph.AxisRange(0, out))
			row = graph.Add(graph.Mul(row, graph.ZerosLike(row)), graph.OnesLike(row))
			return graph.BroadcastToDims(row, in, out)
		},
		"of two": func(x *graph.Node) *graph.Node {
			one := graph.Reshape(graph.Slice(x, graph.AxisElem(0), graph.AxisElem(1)))
			wide := graph.BroadcastToDims(one, in, out)
			return graph.Mul(wide, graph.Add(wide, graph.ZerosLike(wide)))
		},
	}
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	for name, kernel := range kernels {
		p, err := engine.Function(d, func(n []*graph.Node) []*graph.Node {
			k := kernel(n[0])
			y := graph.DotGeneral(n[0], []int{1}, nil, ops.Solid(k, n[0]), []int{0}, nil)
			pairs := graph.ReduceSum(graph.Reshape(y, rows/2, 2, out), 1)
			return []*graph.Node{pairs}
		}, []*tensors.Tensor{x})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			results, err := p.Call([]*tensors.Tensor{x})
			if err != nil {
				t.Fatal(err)
			}
			got, err := tensors.CopyFlatData[float32](results[0])
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				var want float32
				for _, w := range values[i/out*2*in : (i/out+1)*2*in] {
					want += w
				}
				if v != want {
					t.Fatalf("%s: number %d: got %v, want %v", name, i, v, want)
				}
			}
		}
	}
}
