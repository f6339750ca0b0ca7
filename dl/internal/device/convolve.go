package device

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// convolve has a device compute a small convolution, for which CUDA needs most of its
// libraries, and looks at the result.
func convolve(b compute.Backend) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	g := graph.NewGraph(b, "verify")
	x := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, 1, 4, 4, 1))
	kernel := graph.Ones(g, shapes.Make(dtypes.Float32, 3, 3, 1, 1))
	if err := g.Compile(graph.ReduceAllSum(graph.Convolve(x, kernel).NoPadding().Done())); err != nil {
		return err
	}
	values := make([]float32, 16)
	for i := range values {
		values[i] = float32(i)
	}
	in, err := b.BufferFromFlatData(0, values, x.Shape())
	if err != nil {
		return err
	}
	out, err := g.Executable().Execute([]compute.Buffer{in}, nil, 0)
	if err != nil {
		return err
	}
	var sum [1]float32
	if err := out[0].ToFlatData(sum[:]); err != nil {
		return err
	}
	// Four windows of nine numbers each, whose middles are 5, 6, 9 and 10.
	const want = 270
	if sum[0] != want {
		return fmt.Errorf("it computes %v where %v is expected", sum[0], want)
	}
	return nil
}
