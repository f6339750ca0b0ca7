// Package data holds the examples that models learn from.
//
// A Dataset is a view: shuffling, splitting and mapping one makes another that
// shares its values, which are moved to the device once.
//
//	train, val := mnist.Map(data.Rescale(1/255.0)).Split(0.9)
//	for batch, err := range train.Shuffle(42).Batch(64).Batches() { … }
package data

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/tensor"
)

// DefaultBatchSize is Keras's.
const DefaultBatchSize = 32

// Dataset is a sequence of examples: an input x each, and a label y unless the
// dataset has none. There may be several of both, and a weight.
//
// A dataset is a table, whose values are in memory, or a stream, which makes its
// examples as they are read. A mistake in how one is made of another is
// reported by Err, and by everything that reads it.
type Dataset struct {
	source source.Source
	batch  int
	names  []string
	err    error
}

// Err is what is wrong with the dataset; nil if nothing is. What is made of it has
// the same error, and so has everything that reads it: Fit, Predict, Batches.
func (d *Dataset) Err() error { return d.err }

// broken is a dataset that reports an error when it is read.
func (d *Dataset) broken(format string, args ...any) *Dataset {
	e := *d
	if e.err == nil {
		e.err = fmt.Errorf("data: "+format, args...)
	}
	return &e
}

// New makes a dataset of tensors whose first axis counts examples. y may be nil.
// The values are copied.
func New(x, y *tensor.Tensor) (*Dataset, error) {
	if x == nil {
		return nil, errors.New("data: expected a tensor of inputs, got nil")
	}
	cx, err := column("inputs", x)
	if err != nil {
		return nil, err
	}
	if y == nil {
		return newDataset(cx)
	}
	cy, err := column("labels", y)
	if err != nil {
		return nil, err
	}
	return newDataset(cx, cy)
}

// FromSlices makes a dataset of slices, whose outermost counts examples:
//
//	data.FromSlices([][]float32{{0, 1}, {1, 0}}, []int32{1, 0})
//
// y may be nil. All rows must have the same length.
func FromSlices(x, y any) (*Dataset, error) {
	tx, err := tensors.FromAnyValue(x)
	if err != nil {
		return nil, fmt.Errorf("data: inputs: %w", err)
	}
	if y == nil {
		return New(tx, nil)
	}
	ty, err := tensors.FromAnyValue(y)
	if err != nil {
		return nil, fmt.Errorf("data: labels: %w", err)
	}
	return New(tx, ty)
}

// FromFlat makes a dataset of flat values in row-major order, without copying
// them; they must not change afterwards. xShape and yShape are those of one
// example; an empty yShape means one number. Without labels, y is a nil slice of
// any type: []uint8(nil).
func FromFlat[X, Y Value](x []X, xShape []int, y []Y, yShape []int) (*Dataset, error) {
	cx, err := flatColumn("inputs", x, xShape)
	if err != nil {
		return nil, err
	}
	if y == nil {
		return newDataset(cx)
	}
	cy, err := flatColumn("labels", y, yShape)
	if err != nil {
		return nil, err
	}
	return newDataset(cx, cy)
}

// Value is the type of a number in a dataset.
type Value interface {
	uint8 | int8 | int16 | int32 | int64 | float32 | float64
}

func newDataset(x *source.Column, labels ...*source.Column) (*Dataset, error) {
	n := x.Shape.Dimensions[0]
	for _, y := range labels {
		if y.Shape.Dimensions[0] != n {
			return nil, fmt.Errorf("data: expected as many labels as inputs, got %d inputs of shape %v and %d labels", n, x.Row(), y.Shape.Dimensions[0])
		}
	}
	return &Dataset{source: source.Source{X: []*source.Column{x}, Y: labels, Rows: sequence(n)}}, nil
}

// sequence is 0, 1, … n − 1.
func sequence(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

func column(what string, t *tensor.Tensor) (*source.Column, error) {
	if t.Rank() == 0 {
		return nil, fmt.Errorf("data: expected %s whose first axis counts examples, got a scalar", what)
	}
	var values any
	if err := t.ConstFlatData(func(flat any) { values = clone(flat) }); err != nil {
		return nil, fmt.Errorf("data: %s: %w", what, err)
	}
	if values == nil {
		return nil, fmt.Errorf("data: expected %s of integers or floats, got %v", what, t.DType())
	}
	return source.NewColumn(t.Shape(), values), nil
}

func clone(flat any) any {
	switch v := flat.(type) {
	case []uint8:
		return slices.Clone(v)
	case []int8:
		return slices.Clone(v)
	case []int16:
		return slices.Clone(v)
	case []int32:
		return slices.Clone(v)
	case []int64:
		return slices.Clone(v)
	case []float32:
		return slices.Clone(v)
	case []float64:
		return slices.Clone(v)
	}
	return nil
}

func flatColumn[T Value](what string, values []T, shape []int) (*source.Column, error) {
	size := 1
	for _, d := range shape {
		if d < 1 {
			return nil, fmt.Errorf("data: expected %s of a shape without empty axes, got %v", what, shape)
		}
		size *= d
	}
	if len(values)%size != 0 {
		return nil, fmt.Errorf("data: expected a whole number of %s of shape %v (%d values each), got %d values", what, shape, size, len(values))
	}
	dims := append([]int{len(values) / size}, shape...)
	return source.NewColumn(shapes.Make(dtypeOf[T](), dims...), values), nil
}

// ClassNames gives the classes names, in the order of their numbers.
func (d *Dataset) ClassNames(names ...string) *Dataset {
	e := *d
	e.names = names
	return &e
}

// ClassName is the name of a class: its number, unless ClassNames gave it one.
func (d *Dataset) ClassName(class int) string {
	if class >= 0 && class < len(d.names) {
		return d.names[class]
	}
	return fmt.Sprint(class)
}

// Len is the number of examples, −1 if it is not known: of a stream whose end is
// seen only when it is reached.
func (d *Dataset) Len() int { return d.source.Len() }

// InputShape is the shape of one input, as stored: of the first, if there are
// several.
func (d *Dataset) InputShape() []int { return slices.Clone(d.source.X[0].Row()) }

// LabelShape is the shape of one label, as stored; nil if there are no labels.
func (d *Dataset) LabelShape() []int {
	if len(d.source.Y) == 0 {
		return nil
	}
	return append([]int{}, d.source.Y[0].Row()...)
}

// String says what the dataset holds.
func (d *Dataset) String() string {
	if d.err != nil {
		return fmt.Sprintf("Dataset with a mistake: %v", d.err)
	}
	n := "an unknown number of"
	if d.Len() >= 0 {
		n = fmt.Sprint(d.Len())
	}
	s := fmt.Sprintf("Dataset of %s examples: inputs %s", n, describe(d.source.X))
	if len(d.source.Y) > 0 {
		s += ", labels " + describe(d.source.Y)
	}
	if d.source.W != nil {
		s += ", weighted"
	}
	return s
}

// describe is the type and shape of columns' rows: uint8[28 28 1].
func describe(columns []*source.Column) string {
	var all []string
	for _, c := range columns {
		s := strings.ToLower(c.Shape.DType.String())
		if len(c.Row()) > 0 {
			s += fmt.Sprint(c.Row())
		}
		all = append(all, s)
	}
	return strings.Join(all, " and ")
}
