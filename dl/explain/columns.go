package explain

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/gradbook/gradbook/dl/tensor"
)

// column is what is known of one of a table.
type column struct {
	mean, deviation float64 // the deviation is 1 where all values are the same
	low, high       float64
	// spread is the median distance from the median; the deviation where that is 0.
	spread float64
}

// columnsOf are the columns of a table, for inputs of shape (batch, columns).
func columnsOf(data *tensor.Tensor, shape []int) ([]column, error) {
	if len(shape) != 2 {
		return nil, fmt.Errorf("explain: expected rows of a table, (batch, columns), got %v", shape)
	}
	if data == nil {
		return nil, fmt.Errorf("explain: expected Data, a table of %d columns, got nil", shape[1])
	}
	d := data.Shape().Dimensions
	flat, err := tensor.Flat[float32](data)
	if err != nil || len(d) != 2 || d[1] != shape[1] || d[0] < 2 {
		return nil, fmt.Errorf("explain: expected Data of two rows at least and %d columns of float32, got %v", shape[1], data.Shape())
	}
	for i, v := range flat {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("explain: expected finite Data, got %g in row %d, column %d", v, i/d[1], i%d[1])
		}
	}
	all := make([]column, d[1])
	for f := range all {
		values := make([]float64, d[0])
		for i := range values {
			values[i] = float64(flat[i*d[1]+f])
		}
		slices.Sort(values)
		c := column{low: values[0], high: values[len(values)-1]}
		c.mean, c.deviation = stat.PopMeanStdDev(values, nil)
		if c.deviation == 0 {
			c.deviation = 1
		}
		middle := median(values)
		far := make([]float64, len(values))
		for i, v := range values {
			far[i] = max(v-middle, middle-v)
		}
		slices.Sort(far)
		if c.spread = median(far); c.spread == 0 {
			c.spread = c.deviation
		}
		all[f] = c
	}
	return all, nil
}

// median is that of sorted numbers.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
