package data

import (
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/shapes"

	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/tensor"
)

// shuffleBuffer is how many examples of a stream are mixed at a time.
const shuffleBuffer = 4096

// Shuffle returns the examples in another order, the same for the same seed.
// Fit shuffles tables by itself, anew in each epoch; of a stream, 4096 examples at
// a time are mixed.
func (d *Dataset) Shuffle(seed uint64) *Dataset {
	if d.source.Stream != nil {
		return d.stream(d.Len(), func(yield func(row, error) bool) {
			rng := rand.New(rand.NewPCG(seed, 0x5eed))
			var buffer []row
			for r, err := range d.rows() {
				if err != nil {
					yield(nil, err)
					return
				}
				if len(buffer) < shuffleBuffer {
					buffer = append(buffer, r.clone())
					continue
				}
				i := rng.IntN(len(buffer))
				if !yield(buffer[i], nil) {
					return
				}
				buffer[i] = r.clone()
			}
			rng.Shuffle(len(buffer), func(i, j int) { buffer[i], buffer[j] = buffer[j], buffer[i] })
			for _, r := range buffer {
				if !yield(r, nil) {
					return
				}
			}
		})
	}
	rows := slices.Clone(d.source.Rows)
	rand.New(rand.NewPCG(seed, 0x5eed)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return d.with(rows)
}

// Take returns the first n examples, or all if there are fewer.
func (d *Dataset) Take(n int) *Dataset {
	n = max(n, 0)
	if d.source.Stream != nil {
		length := d.Len()
		if length > n {
			length = n
		}
		return d.stream(length, func(yield func(row, error) bool) {
			left := n
			for r, err := range d.rows() {
				if left == 0 || !yield(r, err) || err != nil {
					return
				}
				if left--; left == 0 {
					return
				}
			}
		})
	}
	return d.with(d.source.Rows[:min(n, d.Len())])
}

// Skip returns the examples after the first n.
func (d *Dataset) Skip(n int) *Dataset {
	n = max(n, 0)
	if d.source.Stream != nil {
		length := d.Len()
		if length >= 0 {
			length = max(length-n, 0)
		}
		return d.stream(length, func(yield func(row, error) bool) {
			left := n
			for r, err := range d.rows() {
				if left--; left >= 0 && err == nil {
					continue
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
		})
	}
	return d.with(d.source.Rows[min(n, d.Len()):])
}

// Repeat goes through the examples n times; 0 means for ever, which makes a stream.
func (d *Dataset) Repeat(n int) *Dataset {
	if n < 0 {
		return d.broken("expected to repeat at least once (or 0 for ever), got %d", n)
	}
	if d.source.Stream == nil && n > 0 {
		return d.with(slices.Repeat(d.source.Rows, n))
	}
	length := -1
	if n > 0 && d.Len() >= 0 {
		length = n * d.Len()
	}
	return d.stream(length, func(yield func(row, error) bool) {
		for i := 0; n == 0 || i < n; i++ {
			some := false
			for r, err := range d.rows() {
				some = true
				if !yield(r, err) || err != nil {
					return
				}
			}
			if !some { // or it would go on for ever
				return
			}
		}
	})
}

// Split returns the first part of the examples, and the rest; fraction is in
// [0, 1]. A stream must know its length.
func (d *Dataset) Split(fraction float64) (first, rest *Dataset) {
	if !(fraction >= 0 && fraction <= 1) {
		e := d.broken("expected a fraction in [0, 1], got %g", fraction)
		return e, e
	}
	if d.Len() < 0 {
		e := d.broken("expected a dataset of known length to Split, got a stream; Take, Skip or Cache it")
		return e, e
	}
	n := int(float64(d.Len()) * fraction)
	return d.Take(n), d.Skip(n)
}

// Select returns the examples at the given places, in that order. A stream has
// no places.
func (d *Dataset) Select(places ...int) *Dataset {
	if d.source.Stream != nil {
		return d.broken("expected a table to Select from, got a stream; Cache makes a table of it")
	}
	rows := make([]int32, len(places))
	for i, p := range places {
		if p < 0 || p >= len(d.source.Rows) {
			return d.broken("expected a place of the %d examples to Select, got %d", len(d.source.Rows), p)
		}
		rows[i] = d.source.Rows[p]
	}
	return d.with(rows)
}

// Batch sets the number of examples that are read together, for Batches, and for
// Fit, Evaluate and Predict where they are not told otherwise. 0 is
// DefaultBatchSize.
func (d *Dataset) Batch(size int) *Dataset {
	if size < 0 {
		return d.broken("expected a batch size of at least 1, got %d", size)
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
// it: x is [batch, …], y too, or nil if there are no labels. The dataset must
// have one input, and at most one label an example; see MapAll.
func (d *Dataset) Map(f func(x, y *tensor.Node) (*tensor.Node, *tensor.Node)) *Dataset {
	if f == nil {
		return d.broken("expected a function to Map with, got nil")
	}
	if len(d.source.X) != 1 || len(d.source.Y) > 1 {
		return d.broken("expected one input and one label an example to Map, got %d and %d; use MapAll", len(d.source.X), len(d.source.Y))
	}
	return d.MapAll(func(b Nodes) Nodes {
		if len(b.Y) == 0 {
			x, _ := f(b.X[0], nil)
			return Nodes{X: []*tensor.Node{x}, W: b.W}
		}
		x, y := f(b.X[0], b.Y[0])
		return Nodes{X: []*tensor.Node{x}, Y: []*tensor.Node{y}, W: b.W}
	})
}

// Nodes is a batch of examples in a graph: inputs X, labels Y, of which there may be
// none, and weights W, nil if there are none.
type Nodes struct {
	X, Y []*tensor.Node
	W    *tensor.Node
}

// MapAll is Map for several inputs and labels, and for weights.
func (d *Dataset) MapAll(f func(Nodes) Nodes) *Dataset {
	if f == nil {
		return d.broken("expected a function to Map with, got nil")
	}
	e := *d
	e.source.Steps = &source.Pipeline{Before: d.source.Steps, Map: func(b source.Batch) source.Batch { return source.Batch(f(Nodes(b))) }}
	return &e
}

// Window makes an example of size that follow each other: inputs and labels get a
// first axis of that length. The next begins shift later; 0 means size. What
// is left at the end is dropped.
func (d *Dataset) Window(size, shift int) *Dataset {
	if size < 1 || shift < 0 {
		return d.broken("expected a window of at least 1, and a shift of at least 1 (or 0 for the window's size), got %d and %d", size, shift)
	}
	if d.source.Stream != nil || d.source.Steps != nil {
		return d.broken("expected a table without maps to take a Window of, got one with; Cache it first")
	}
	if shift == 0 {
		shift = size
	}
	t := d.compact()
	e := *t
	e.source.Rows = nil
	for from := 0; from+size <= t.Len(); from += shift {
		e.source.Rows = append(e.source.Rows, int32(from))
	}
	offsets := sequence(size)
	windowed := func(columns []*source.Column) (all []*source.Column) {
		for _, c := range columns {
			all = append(all, c.Windowed(offsets))
		}
		return all
	}
	e.source.X, e.source.Y, e.source.W = windowed(t.source.X), windowed(t.source.Y), nil
	return &e
}

// compact copies the examples of a view into a table whose rows are in order.
func (d *Dataset) compact() *Dataset {
	if slices.Equal(d.source.Rows, sequence(d.source.X[0].Shape.Dimensions[0])) && d.source.X[0].Window == nil {
		return d
	}
	e := *d
	n := d.Len()
	copied := func(columns []*source.Column) (all []*source.Column) {
		for _, c := range columns {
			flat := makeFlat(c.Shape.DType, 0)
			for _, r := range d.source.Rows {
				flat = appendFlat(flat, readRow(c, int(r)))
			}
			all = append(all, source.NewColumn(shapes.Make(c.Shape.DType, append([]int{n}, c.Row()...)...), flat))
		}
		return all
	}
	e.source.X, e.source.Y = copied(d.source.X), copied(d.source.Y)
	if d.source.W != nil {
		e.source.W = copied([]*source.Column{d.source.W})[0]
	}
	e.source.Rows = sequence(n)
	return &e
}

func init() {
	source.Of = func(dataset any) *source.Source { return &dataset.(*Dataset).source }
}

func (d *Dataset) with(rows []int32) *Dataset {
	e := *d
	e.source.Rows = rows
	return &e
}
