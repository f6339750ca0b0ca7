package train

import (
	"fmt"
	"math"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// finite reports the first value that is not a number or infinite.
func finite(what string, c *source.Column, rows []int32) error {
	switch values := c.Flat.(type) {
	case []float32:
		return firstInfinite(what, c, rows, values)
	case []float64:
		return firstInfinite(what, c, rows, values)
	}
	return nil
}

func firstInfinite[T float32 | float64](what string, c *source.Column, rows []int32, values []T) error {
	each := own(c)
	for i, r := range rows {
		for j := range c.Size() {
			if v := values[each(r, j)]; v-v != 0 { //nolint:gocritic // NaN and ±Inf, for which v − v is NaN
				return fmt.Errorf("expected finite %s, got %g in example %d at %v", what, v, i, placeOf(j, c.Row()))
			}
		}
	}
	return nil
}

// own returns where in a column the jth value of the example at a row is.
func own(c *source.Column) func(row int32, j int) int {
	size := c.Size()
	if c.Window == nil {
		return func(row int32, j int) int { return int(row)*size + j }
	}
	step := size / len(c.Window)
	return func(row int32, j int) int { return int(row+c.Window[j/step])*step + j%step }
}

// placeOf turns the place in a flat example into one along each axis.
func placeOf(flat int, shape []int) []int {
	at := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		at[axis], flat = flat%shape[axis], flat/shape[axis]
	}
	return at
}

// inRange reports the first number outside [0, classes), or between two classes if
// they must be whole.
func inRange(what string, c *source.Column, rows []int32, classes int, whole bool) error {
	switch values := c.Flat.(type) {
	case []uint8:
		return firstOutside(what, c, rows, values, classes, whole)
	case []int8:
		return firstOutside(what, c, rows, values, classes, whole)
	case []int16:
		return firstOutside(what, c, rows, values, classes, whole)
	case []int32:
		return firstOutside(what, c, rows, values, classes, whole)
	case []int64:
		return firstOutside(what, c, rows, values, classes, whole)
	case []float32:
		return firstOutside(what, c, rows, values, classes, whole)
	case []float64:
		return firstOutside(what, c, rows, values, classes, whole)
	}
	return nil
}

func firstOutside[T data.Value](what string, c *source.Column, rows []int32, values []T, classes int, whole bool) error {
	each := own(c)
	for i, r := range rows {
		for j := range c.Size() {
			v := values[each(r, j)]
			f := float64(v)
			if f < 0 || f > float64(classes-1) || whole && f != math.Trunc(f) {
				return fmt.Errorf("expected %s from 0 to %d, got %v in example %d", what, classes-1, v, i)
			}
		}
	}
	return nil
}
