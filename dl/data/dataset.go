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
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/source"
)

// DefaultBatchSize is Keras's.
const DefaultBatchSize = 32

// Dataset is a sequence of examples: an input x each, and a label y unless the
// dataset has none.
type Dataset struct {
	source source.Source
	batch  int
	names  []string
}

// New makes a dataset of tensors whose first axis counts examples. y may be nil.
// The values are copied.
func New(x, y *tensors.Tensor) (*Dataset, error) {
	if x == nil {
		return nil, errors.New("data: expected a tensor of inputs, got nil")
	}
	cx, err := column("inputs", x)
	if err != nil {
		return nil, err
	}
	var cy *source.Column
	if y != nil {
		if cy, err = column("labels", y); err != nil {
			return nil, err
		}
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
		return newDataset(cx, nil)
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

func newDataset(x, y *source.Column) (*Dataset, error) {
	n := x.Shape.Dimensions[0]
	if y != nil && y.Shape.Dimensions[0] != n {
		return nil, fmt.Errorf("data: expected as many labels as inputs, got %d inputs of shape %v and %d labels", n, x.Row(), y.Shape.Dimensions[0])
	}
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return &Dataset{source: source.Source{X: x, Y: y, Rows: rows}}, nil
}

func column(what string, t *tensors.Tensor) (*source.Column, error) {
	if t.Rank() == 0 {
		return nil, fmt.Errorf("data: expected %s whose first axis counts examples, got a scalar", what)
	}
	c := &source.Column{Shape: t.Shape()}
	if err := t.ConstFlatData(func(flat any) { c.Flat = clone(flat) }); err != nil {
		return nil, fmt.Errorf("data: %s: %w", what, err)
	}
	if c.Flat == nil {
		return nil, fmt.Errorf("data: expected %s of integers or floats, got %v", what, t.DType())
	}
	return c, nil
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
	return &source.Column{Shape: shapes.Make(dtypeOf[T](), dims...), Flat: values}, nil
}

// Len is the number of examples.
func (d *Dataset) Len() int { return len(d.source.Rows) }

// InputShape is the shape of one input, as stored.
func (d *Dataset) InputShape() []int { return slices.Clone(d.source.X.Row()) }

// LabelShape is the shape of one label, as stored; nil if there are no labels.
func (d *Dataset) LabelShape() []int {
	if d.source.Y == nil {
		return nil
	}
	return append([]int{}, d.source.Y.Row()...)
}

// Shuffle returns the examples in another order, the same for the same seed.
// Fit shuffles by itself, anew in each epoch.
func (d *Dataset) Shuffle(seed uint64) *Dataset {
	rows := slices.Clone(d.source.Rows)
	rand.New(rand.NewPCG(seed, 0x5eed)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return d.with(rows)
}

// Take returns the first n examples, or all if there are fewer.
func (d *Dataset) Take(n int) *Dataset { return d.with(d.source.Rows[:min(max(n, 0), d.Len())]) }

// Skip returns the examples after the first n.
func (d *Dataset) Skip(n int) *Dataset { return d.with(d.source.Rows[min(max(n, 0), d.Len()):]) }

// Split returns the first part of the examples, and the rest. It panics unless
// fraction is in [0, 1].
func (d *Dataset) Split(fraction float64) (first, rest *Dataset) {
	if !(fraction >= 0 && fraction <= 1) {
		panic(fmt.Sprintf("data: expected a fraction in [0, 1], got %g", fraction))
	}
	n := int(float64(d.Len()) * fraction)
	return d.Take(n), d.Skip(n)
}

// Select returns the examples at the given places, in that order. A place
// outside the dataset panics, as an index would.
func (d *Dataset) Select(places ...int) *Dataset {
	rows := make([]int32, len(places))
	for i, p := range places {
		rows[i] = d.source.Rows[p]
	}
	return d.with(rows)
}

// Batch sets the number of examples that are read together, for Batches, and for
// Fit, Evaluate and Predict where they are not told otherwise. 0 is
// DefaultBatchSize. It panics if size is negative.
func (d *Dataset) Batch(size int) *Dataset {
	if size < 0 {
		panic(fmt.Sprintf("data: expected a batch size of at least 1, got %d", size))
	}
	e := *d
	e.batch = size
	return &e
}

// BatchSize is the number of examples that are read together.
func (d *Dataset) BatchSize() int {
	if d.batch == 0 {
		return DefaultBatchSize
	}
	return d.batch
}

// Map sends every batch through f, on the device, in the same step that uses
// it: x is [batch, …], y too, or nil if there are no labels.
func (d *Dataset) Map(f func(x, y *graph.Node) (*graph.Node, *graph.Node)) *Dataset {
	e := *d
	e.source.Steps = &source.Pipeline{Before: d.source.Steps, Map: f}
	return &e
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

// Source is for dl's training loops.
func (d *Dataset) Source() *source.Source { return &d.source }

func (d *Dataset) with(rows []int32) *Dataset {
	e := *d
	e.source.Rows = rows
	return &e
}

// String says what the dataset holds.
func (d *Dataset) String() string {
	s := fmt.Sprintf("Dataset of %d examples: inputs %s", d.Len(), describe(d.source.X))
	if d.source.Y != nil {
		s += ", labels " + describe(d.source.Y)
	}
	return s
}

// describe is the type and shape of a column's rows: uint8[28 28 1].
func describe(c *source.Column) string {
	s := strings.ToLower(c.Shape.DType.String())
	if len(c.Row()) > 0 {
		s += fmt.Sprint(c.Row())
	}
	return s
}
