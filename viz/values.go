package viz

import (
	"fmt"
	"math"
	"reflect"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"

	"github.com/gradbook/gradbook/dl/tensor"
)

// floats reads a tensor's numbers, row by row.
func floats(t *tensor.Tensor) (out []float64, err error) {
	if t == nil {
		return nil, fmt.Errorf("expected a tensor, got nil")
	}
	e := t.ConstFlatData(func(flat any) {
		switch v := flat.(type) {
		case []float64:
			out = append(out, v...)
		case []float32:
			out = converted(v)
		case []bfloat16.BFloat16:
			for _, x := range v {
				out = append(out, float64(x.Float32()))
			}
		case []float16.Float16:
			for _, x := range v {
				out = append(out, float64(x.Float32()))
			}
		case []uint8:
			out = converted(v)
		case []int8:
			out = converted(v)
		case []int32:
			out = converted(v)
		case []int64:
			out = converted(v)
		case []bool:
			for _, x := range v {
				b := 0.0
				if x {
					b = 1
				}
				out = append(out, b)
			}
		default:
			r := reflect.ValueOf(flat)
			for i := range r.Len() {
				x := float(r.Index(i))
				if math.IsNaN(x) {
					err = fmt.Errorf("expected a tensor of real numbers, got %v", t.Shape())
					return
				}
				out = append(out, x)
			}
		}
	})
	if err == nil {
		err = e
	}
	return out, err
}

func converted[T float32 | uint8 | int8 | int32 | int64](v []T) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// matrix is a tensor of rank 2, read.
type matrix struct {
	rows, cols int
	v          []float64
}

func (m matrix) at(i, j int) float64 { return m.v[i*m.cols+j] }
func (m matrix) row(i int) []float64 { return m.v[i*m.cols : (i+1)*m.cols] }
func (m matrix) transpose() matrix {
	return newMatrix(m.cols, m.rows, func(i, j int) float64 { return m.at(j, i) })
}
func (m matrix) column(j int) []float64 { return m.transpose().row(j) }

func newMatrix(rows, cols int, f func(i, j int) float64) matrix {
	m := matrix{rows, cols, make([]float64, 0, rows*cols)}
	for i := range rows {
		for j := range cols {
			m.v = append(m.v, f(i, j))
		}
	}
	return m
}

// matrixOf reads a tensor of rank 2; what is the name of what it is for.
func matrixOf(t *tensor.Tensor, what string) (matrix, error) {
	v, err := floats(t)
	if err != nil {
		return matrix{}, fmt.Errorf("%s: %w", what, err)
	}
	d := t.Shape().Dimensions
	if len(d) != 2 || d[0] == 0 || d[1] == 0 {
		return matrix{}, fmt.Errorf("%s: expected a tensor of shape [rows, columns], got %v", what, t.Shape())
	}
	return matrix{d[0], d[1], v}, nil
}

// span is the range of the finite among some values.
func span(v []float64) (low, high float64, found bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, x := range v {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			low, high, found = min(low, x), max(high, x), true
		}
	}
	return low, high, found
}

// names returns given names, or the numbers from 0.
func names(given []string, n int, what string) ([]string, error) {
	if given == nil {
		given = make([]string, n)
		for i := range given {
			given[i] = fmt.Sprint(i)
		}
	}
	if len(given) != n {
		return nil, fmt.Errorf("expected a name for each of %d %s, got %d", n, what, len(given))
	}
	return given, nil
}
