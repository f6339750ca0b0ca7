package data

import (
	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/source"
)

// makeFlat returns a slice of n zeros of a type that a dataset can hold.
func makeFlat(t dtypes.DType, n int) any {
	switch t {
	case dtypes.Uint8:
		return make([]uint8, n)
	case dtypes.Int8:
		return make([]int8, n)
	case dtypes.Int16:
		return make([]int16, n)
	case dtypes.Int32:
		return make([]int32, n)
	case dtypes.Int64:
		return make([]int64, n)
	case dtypes.Float64:
		return make([]float64, n)
	default:
		return make([]float32, n)
	}
}

// appendFlat appends values of the same type.
func appendFlat(to, values any) any {
	switch to := to.(type) {
	case []uint8:
		return append(to, values.([]uint8)...)
	case []int8:
		return append(to, values.([]int8)...)
	case []int16:
		return append(to, values.([]int16)...)
	case []int32:
		return append(to, values.([]int32)...)
	case []int64:
		return append(to, values.([]int64)...)
	case []float64:
		return append(to, values.([]float64)...)
	case []float32:
		return append(to, values.([]float32)...)
	}
	return to
}

// readRow returns the values of the example at a row of a column.
func readRow(c *source.Column, at int) any {
	if c.Window == nil {
		return cut(c.Flat, at*c.Size(), c.Size())
	}
	size := c.Size() / len(c.Window)
	out := makeFlat(c.Shape.DType, 0)
	for _, offset := range c.Window {
		out = appendFlat(out, cut(c.Flat, (at+int(offset))*size, size))
	}
	return out
}

func cut(flat any, from, n int) any {
	switch v := flat.(type) {
	case []uint8:
		return v[from : from+n : from+n]
	case []int8:
		return v[from : from+n : from+n]
	case []int16:
		return v[from : from+n : from+n]
	case []int32:
		return v[from : from+n : from+n]
	case []int64:
		return v[from : from+n : from+n]
	case []float64:
		return v[from : from+n : from+n]
	case []float32:
		return v[from : from+n : from+n]
	}
	return nil
}
