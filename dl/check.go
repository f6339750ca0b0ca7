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
	if ds == nil {
		return fmt.Errorf("expected a dataset to %s, got nil", what)
	}
	if ds.Err() != nil {
		return ds.Err()
	}
	if ds.Len() == 0 {
		return fmt.Errorf("expected at least one example to %s, got an empty dataset", what)
	}
	s := ds.Source()
	var info source.Info
	err := released(func() (err error) {
		if info, err = s.Info(d, 1); err == nil && !m.built.Load() && len(info.X) == 1 {
			err = m.ensure(info.X[0].Dimensions[1:])
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(info.X) != len(m.inputs) {
		return fmt.Errorf("expected %d inputs an example for model %q, got a dataset with %d", len(m.inputs), m.name, len(info.X))
	}
	for i, in := range m.inputs {
		if got := layers.Shape(info.X[i].Dimensions[1:]); !in.shape.Equal(got) {
			return fmt.Errorf("%s: expected input of shape %v, got a dataset with inputs of shape %v", m.taker(in), in.shape, got)
		}
	}
	if err := m.checkInputs(s, info); err != nil {
		return err
	}
	if !labels {
		return nil
	}
	return m.acceptLabels(what, d, s, info)
}

// taker is who takes an input: the layer that is applied to it, which says more to a
// reader than the input's own name.
func (m *Model) taker(in *Symbol) *Layer {
	for _, c := range m.calls {
		for _, s := range c.in {
			if s == in {
				return c.layer
			}
		}
	}
	return in.from.layer
}

func (m *Model) checkInputs(s *source.Source, info source.Info) error {
	if s.Stream != nil {
		return nil
	}
	for _, x := range s.X {
		if err := finite("inputs", x, s.Rows); err != nil {
			return err
		}
	}
	if !info.InputsKept {
		return nil
	}
	for i, in := range m.inputs {
		l := m.taker(in)
		if c, ok := l.Layer.(layers.ClassReader); ok {
			if err := inRange(fmt.Sprintf("inputs of %s", l), s.X[i], s.Rows, c.Classes(), true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Model) acceptLabels(what string, d *device.Device, s *source.Source, info source.Info) error {
	if m.compiled == nil {
		return fmt.Errorf("model %q is not compiled: call Compile before you %s", m.name, what)
	}
	if m.compiled.Step != nil {
		return m.layStep(d, s)
	}
	if len(info.Y) == 0 {
		return fmt.Errorf("expected a dataset with labels to %s, got one without", what)
	}
	var shapes []layers.Shape
	for _, y := range info.Y {
		shapes = append(shapes, y.Dimensions[1:])
	}
	if err := m.checkLabels(shapes); err != nil {
		return err
	}
	if s.Stream != nil {
		return nil
	}
	names := m.outputNames()
	for i, o := range m.trained() {
		if i >= len(s.Y) {
			break
		}
		if err := finite("labels", s.Y[i], s.Rows); err != nil {
			return err
		}
		if classes, ok := m.compiled.lossOf(names[o]).(losses.Classes); ok && info.LabelsKept {
			n, whole := classes.NumClasses(m.outputs[o].shape)
			if err := inRange("labels", s.Y[i], s.Rows, n, whole); err != nil {
				return fmt.Errorf("%w, for an output of %d classes", err, n)
			}
		}
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
