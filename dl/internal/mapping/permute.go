package mapping

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// Permuted is a tensor with its axes in another order.
func Permuted(t *tensors.Tensor, axes []int) *tensors.Tensor {
	dims := t.Shape().Dimensions
	steps := make([]int, len(dims)) // between numbers of an axis, in bytes
	step := t.DType().Size()
	width := step
	for i := len(dims) - 1; i >= 0; i-- {
		steps[i] = step
		step *= dims[i]
	}
	to := make([]int, len(axes))
	by := make([]int, len(axes))
	for i, a := range axes {
		to[i], by[i] = dims[a], steps[a]
	}
	out := tensors.FromShape(shapes.Make(t.DType(), to...))
	err := t.ConstBytes(func(from []byte) {
		if err := out.MutableBytes(func(b []byte) { permute(b, from, to, by, width) }); err != nil {
			panic(err)
		}
	})
	if err != nil {
		panic(err)
	}
	return out
}

// permute fills to, of the given dimensions, from places that are by apart along each.
func permute(to, from []byte, dims, by []int, width int) {
	at, place := make([]int, len(dims)), 0
	for k := 0; k < len(to); k += width {
		copy(to[k:k+width], from[place:place+width])
		for i := len(dims) - 1; i >= 0; i-- {
			at[i]++
			place += by[i]
			if at[i] < dims[i] {
				break
			}
			place -= by[i] * dims[i]
			at[i] = 0
		}
	}
}
