package build

import "slices"

// Array is a weight, to be laid out for ONNX.
type Array struct {
	// Name is the weight's in its layer: "kernel".
	Name   string
	Dims   []int
	Values []float32
}

// Permuted is the array with its axes in another order.
func (a Array) Permuted(axes ...int) Array {
	out := Array{a.Name, make([]int, len(axes)), make([]float32, len(a.Values))}
	strides := make([]int, len(a.Dims))
	step := 1
	for i := len(a.Dims) - 1; i >= 0; i-- {
		strides[i] = step
		step *= a.Dims[i]
	}
	for i, axis := range axes {
		out.Dims[i] = a.Dims[axis]
	}
	at := make([]int, len(axes))
	for i := range out.Values {
		from := 0
		for j, axis := range axes {
			from += at[j] * strides[axis]
		}
		out.Values[i] = a.Values[from]
		for j := len(axes) - 1; j >= 0; j-- {
			if at[j]++; at[j] < out.Dims[j] {
				break
			}
			at[j] = 0
		}
	}
	return out
}

// Reshaped is the array with other dimensions, of the same size.
func (a Array) Reshaped(dims ...int) Array { return Array{a.Name, dims, a.Values} }

// Blocks cuts the last axis into len(order) equal parts and puts them into another order.
func (a Array) Blocks(order ...int) Array {
	columns := a.Dims[len(a.Dims)-1]
	width := columns / len(order)
	out := Array{a.Name, slices.Clone(a.Dims), make([]float32, len(a.Values))}
	for row := 0; row < len(a.Values); row += columns {
		for i, from := range order {
			copy(out.Values[row+i*width:row+(i+1)*width], a.Values[row+from*width:row+(from+1)*width])
		}
	}
	return out
}
