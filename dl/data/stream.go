package data

import (
	"errors"
	"fmt"
	"iter"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Example is one example of a stream.
type Example struct {
	// X is the input: a number, a slice, or a *tensor.Tensor; of several
	// inputs, an Inputs of those. All examples of a stream are alike.
	X any
	// Y is the label, likewise; nil if there is none.
	Y any
	// Weight is the part that the example has in the loss. It counts if the
	// first example of the stream has one that is not 0.
	Weight float32
}

// Inputs are several inputs, or labels, of one example.
type Inputs []any

// row is an example in the flat form of the columns: x…, y…, w.
type row []any

func (r row) clone() row {
	c := make(row, len(r))
	for i, flat := range r {
		c[i] = clone(flat)
	}
	return c
}

// FromGenerator makes a stream of what generate returns. It is called for each pass
// through the data, and once more at first, to see what an example looks like. An
// error ends the pass, and Fit, Evaluate or Predict with it.
//
//	ds, err := data.FromGenerator(func() iter.Seq2[data.Example, error] {
//		return func(yield func(data.Example, error) bool) { … }
//	})
func FromGenerator(generate func() iter.Seq2[Example, error]) (*Dataset, error) {
	if generate == nil {
		return nil, errors.New("data: expected a generator, got nil")
	}
	return fromGenerator(-1, generate)
}

func fromGenerator(length int, generate func() iter.Seq2[Example, error]) (*Dataset, error) {
	d := &Dataset{}
	seen := false
	for e, err := range generate() {
		if err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		if err := d.shape(e); err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		seen = true
		break
	}
	if !seen {
		return nil, fmt.Errorf("data: expected a generator of at least one example, got none")
	}
	columns := d.source.Columns()
	return d.stream(length, func(yield func(row, error) bool) {
		i := 0
		for e, err := range generate() {
			var r row
			if err == nil {
				if r, err = e.row(d, columns); err != nil {
					err = fmt.Errorf("data: example %d: %w", i, err)
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
			i++
		}
	}), nil
}

// shape sets the columns to what an example looks like.
func (d *Dataset) shape(e Example) error {
	d.source = source.Source{}
	for _, part := range []struct {
		what   string
		values Inputs
		to     *[]*source.Column
	}{{"input", parts(e.X), &d.source.X}, {"label", parts(e.Y), &d.source.Y}} {
		for _, v := range part.values {
			shape, _, err := flatten(v)
			if err != nil {
				return fmt.Errorf("%s: %w", part.what, err)
			}
			*part.to = append(*part.to, source.NewColumn(shapes.Make(shape.DType, append([]int{1}, shape.Dimensions...)...), nil))
		}
	}
	if len(d.source.X) == 0 {
		return fmt.Errorf("expected an input X in each example, got nil")
	}
	if e.Weight != 0 {
		d.source.W = source.NewColumn(shapes.Make(dtypes.Float32, 1), nil)
	}
	return nil
}

func parts(v any) Inputs {
	switch v := v.(type) {
	case nil:
		return nil
	case Inputs:
		return v
	}
	return Inputs{v}
}

// row turns an example into the form of columns, and reports what does not fit.
func (e Example) row(d *Dataset, columns []*source.Column) (row, error) {
	values := append(append(Inputs{}, parts(e.X)...), parts(e.Y)...)
	n := len(d.source.X) + len(d.source.Y)
	if len(values) != n {
		return nil, fmt.Errorf("expected %d inputs and labels, as in the first example, got %d", n, len(values))
	}
	r := make(row, 0, len(columns))
	for i, v := range values {
		shape, flat, err := flatten(v)
		if err != nil {
			return nil, err
		}
		want := shapes.Make(columns[i].Shape.DType, columns[i].Row()...)
		if !shape.Equal(want) {
			return nil, fmt.Errorf("expected %v, as in the first example, got %v", want, shape)
		}
		r = append(r, flat)
	}
	if d.source.W != nil {
		r = append(r, []float32{e.Weight})
	}
	return r, nil
}

// flatten returns a value's shape, and its numbers in row-major order.
func flatten(v any) (shapes.Shape, any, error) {
	switch v := v.(type) {
	case []float32:
		return shapes.Make(dtypes.Float32, len(v)), v, nil
	case []uint8:
		return shapes.Make(dtypes.Uint8, len(v)), v, nil
	case int: // a class number, most often
		return shapes.Make(dtypes.Int64), []int64{int64(v)}, nil
	}
	t, ok := v.(*tensor.Tensor)
	if !ok {
		var err error
		if t, err = tensors.FromAnyValue(v); err != nil {
			return shapes.Shape{}, nil, err
		}
	}
	var flat any
	if err := t.ConstFlatData(func(values any) { flat = clone(values) }); err != nil {
		return shapes.Shape{}, nil, err
	}
	if flat == nil {
		return shapes.Shape{}, nil, fmt.Errorf("expected integers or floats, got %v", t.DType())
	}
	return t.Shape(), flat, nil
}

// rows goes through the examples, before any Map. What it yields is good until the
// next.
func (d *Dataset) rows() iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		if d.err != nil {
			yield(nil, d.err)
			return
		}
		if s, ok := d.source.Stream.(*stream); ok {
			s.seq(yield)
			return
		}
		columns := d.source.Columns()
		for _, at := range d.source.Rows {
			r := make(row, len(columns))
			for i, c := range columns {
				r[i] = readRow(c, int(at))
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// stream makes a stream of rows like those of d.
func (d *Dataset) stream(length int, seq iter.Seq2[row, error]) *Dataset {
	e := *d
	e.source.Rows = nil
	shape := func(columns []*source.Column) (all []*source.Column) {
		for _, c := range columns {
			all = append(all, source.NewColumn(shapes.Make(c.Shape.DType, append([]int{1}, c.Row()...)...), nil))
		}
		return all
	}
	e.source.X, e.source.Y = shape(d.source.X), shape(d.source.Y)
	if d.source.W != nil {
		e.source.W = shape([]*source.Column{d.source.W})[0]
	}
	e.source.Stream = &stream{length: length, seq: seq, types: types(e.source.Columns())}
	return &e
}

func types(columns []*source.Column) (all []dtypes.DType) {
	for _, c := range columns {
		all = append(all, c.Shape.DType)
	}
	return all
}

// stream implements source.Stream.
type stream struct {
	length int
	seq    iter.Seq2[row, error]
	types  []dtypes.DType
}

// Len implements source.Stream.
func (s *stream) Len() int { return s.length }

// Open implements source.Stream.
func (s *stream) Open() (next func(n int) ([]any, int, error), stop func()) {
	pull, stop := iter.Pull2(s.seq)
	return func(n int) ([]any, int, error) {
		flat := make([]any, len(s.types))
		for i, t := range s.types {
			flat[i] = makeFlat(t, 0)
		}
		for rows := range n {
			r, err, ok := pull()
			if err != nil {
				return nil, 0, err
			}
			if !ok {
				return flat, rows, nil
			}
			for i := range flat {
				flat[i] = appendFlat(flat[i], r[i])
			}
		}
		return flat, n, nil
	}, stop
}

// Filter keeps the examples for which f is true. It makes a stream.
func (d *Dataset) Filter(f func(Example) bool) *Dataset {
	return d.stream(-1, func(yield func(row, error) bool) {
		for r, err := range d.rows() {
			if err == nil && !f(d.example(r)) {
				continue
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	})
}

// example is a row as a user sees it.
func (d *Dataset) example(r row) Example {
	join := func(values []any) any {
		if len(values) == 1 {
			return values[0]
		}
		return Inputs(values)
	}
	e := Example{X: join(r[:len(d.source.X)])}
	if n := len(d.source.Y); n > 0 {
		e.Y = join(r[len(d.source.X) : len(d.source.X)+n])
	}
	if d.source.W != nil {
		e.Weight = r[len(r)-1].([]float32)[0]
	}
	return e
}

// Cache reads a stream to its end and makes a table of it, which is kept on the
// device. A table returns itself. A stream without an end fills the memory.
func (d *Dataset) Cache() (*Dataset, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.source.Stream == nil {
		return d, nil
	}
	next, stop := d.source.Stream.Open()
	defer stop()
	flat, n, err := next(1 << 31)
	if err != nil {
		return nil, err
	}
	e := *d
	e.source.Stream, e.source.Rows = nil, sequence(n)
	i := 0
	fill := func(columns []*source.Column) (all []*source.Column) {
		for _, c := range columns {
			all = append(all, source.NewColumn(shapes.Make(c.Shape.DType, append([]int{n}, c.Row()...)...), flat[i]))
			i++
		}
		return all
	}
	e.source.X, e.source.Y = fill(d.source.X), fill(d.source.Y)
	if d.source.W != nil {
		e.source.W = fill([]*source.Column{d.source.W})[0]
	}
	return &e, nil
}
