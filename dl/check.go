package dl

import (
	"fmt"
	"math"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
)

// accept checks a dataset against the model, and builds the model if it is not
// built yet. what says what the dataset is for. It reports everything about the
// data that can go wrong later.
func (m *Model) accept(what string, ds *data.Dataset, d *device.Device, labels bool) error {
	if ds == nil || ds.Len() == 0 {
		return fmt.Errorf("expected at least one example to %s, got an empty dataset", what)
	}
	s := ds.Source()
	info, err := s.Info(d, 1)
	if err != nil {
		return err
	}
	input := layers.Shape(info.X.Dimensions[1:])
	if m.input == nil {
		if err := m.build(input); err != nil {
			return err
		}
	}
	if !m.input.Equal(input) {
		return fmt.Errorf("layer %q (%s): expected input of shape %v, got a dataset with inputs of shape %v",
			m.layers[0].name, typeName(m.layers[0].Layer), m.input, input)
	}
	if err := finite("inputs", s.X, s.Rows); err != nil {
		return err
	}
	if !labels {
		return nil
	}
	if m.compiled == nil {
		return fmt.Errorf("model %q is not compiled: call Compile before you %s", m.name, what)
	}
	if s.Y == nil {
		return fmt.Errorf("expected a dataset with labels to %s, got one without", what)
	}
	if err := m.checkLabels(info.Y.Dimensions[1:]); err != nil {
		return err
	}
	if err := finite("labels", s.Y, s.Rows); err != nil {
		return err
	}
	if classes, ok := m.compiled.Loss.(losses.Classes); ok && info.LabelsKept {
		n, whole := classes.NumClasses(m.output())
		return inRange(s.Y, s.Rows, n, whole)
	}
	return nil
}

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
	size := layers.Shape(c.Row()).Size()
	for i, r := range rows {
		for j, v := range values[int(r)*size : (int(r)+1)*size] {
			if v-v != 0 { //nolint:gocritic // NaN and ±Inf, for which v − v is NaN
				return fmt.Errorf("expected finite %s, got %g in example %d at %v", what, v, i, position(j, c.Row()))
			}
		}
	}
	return nil
}

// position turns the place in a flat example into one along each axis.
func position(flat int, shape []int) []int {
	at := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		at[axis], flat = flat%shape[axis], flat/shape[axis]
	}
	return at
}

// inRange reports the first label outside [0, classes), or between two classes if
// they must be whole.
func inRange(c *source.Column, rows []int32, classes int, whole bool) error {
	switch values := c.Flat.(type) {
	case []uint8:
		return firstOutside(c, rows, values, classes, whole)
	case []int8:
		return firstOutside(c, rows, values, classes, whole)
	case []int16:
		return firstOutside(c, rows, values, classes, whole)
	case []int32:
		return firstOutside(c, rows, values, classes, whole)
	case []int64:
		return firstOutside(c, rows, values, classes, whole)
	case []float32:
		return firstOutside(c, rows, values, classes, whole)
	case []float64:
		return firstOutside(c, rows, values, classes, whole)
	}
	return nil
}

func firstOutside[T data.Value](c *source.Column, rows []int32, values []T, classes int, whole bool) error {
	size := layers.Shape(c.Row()).Size()
	for i, r := range rows {
		for _, v := range values[int(r)*size : (int(r)+1)*size] {
			f := float64(v)
			if f < 0 || f > float64(classes-1) || whole && f != math.Trunc(f) {
				return fmt.Errorf("expected labels from 0 to %d for an output of %d classes, got %v in example %d", classes-1, classes, v, i)
			}
		}
	}
	return nil
}

// wantBatch reports a batch size that cannot be, and returns the one to use.
func wantBatch(size int, ds *data.Dataset) (int, error) {
	switch {
	case size < 0:
		return 0, fmt.Errorf("expected BatchSize of at least 1 (or 0 for the dataset's), got %d", size)
	case size == 0:
		return ds.BatchSize(), nil
	}
	return size, nil
}
