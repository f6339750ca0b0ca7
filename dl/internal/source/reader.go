package source

import (
	"math/bits"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// Reader feeds programs the batches of a dataset. Their first parameters are those
// of Params:
//
//	columns  a table as a whole, or the batch of a stream
//	order    the rows to read, in order: int32 [n], filled up to a power of two
//	offset   where in order the batch begins: int32, donated, and moved on
//
// so that a loop over a table's batches moves nothing to the device.
type Reader struct {
	source *Source
	device *device.Device
	batch  int
	rows   int // of a table

	columns       []compute.Buffer
	order, offset compute.Buffer
	left          int

	next func(n int) ([]any, int, error)
	stop func()
}

// Read opens a dataset. It must be rewound before it is read.
func (s *Source) Read(d *device.Device, batch int) (*Reader, error) {
	r := &Reader{source: s, device: d, batch: batch, rows: len(s.Rows)}
	if s.Stream != nil {
		return r, nil
	}
	var err error
	r.columns, err = s.Open(d)
	return r, err
}

// OrderSize is the size of an order of n rows: views of nearly the same length
// share a program.
func OrderSize(n int) int { return 1 << bits.Len(uint(max(n-1, 0))) }

func (r *Reader) orderSize(n int) int {
	if r.source.Stream != nil {
		return OrderSize(n)
	}
	return OrderSize(r.rows)
}

// Params describes the parameters of a program for batches of n.
func (r *Reader) Params(n int) []engine.Param {
	return append(r.source.Params(n),
		engine.Param{Name: "order", Shape: shapes.Make(dtypes.Int32, r.orderSize(n))},
		engine.Param{Name: "offset", Shape: shapes.Make(dtypes.Int32), Donated: true})
}

// Batch reads a batch of n in a graph, out of the nodes of Params. moved is the
// next offset, which the program must return.
func (r *Reader) Batch(params []*graph.Node, n int) (b Batch, moved *graph.Node) {
	return r.source.ReadBatch(params, n)
}

// ReadBatch is Batch for who has no reader.
func (s *Source) ReadBatch(params []*graph.Node, n int) (b Batch, moved *graph.Node) {
	columns := len(s.Columns())
	order, offset := params[columns], params[columns+1]
	// A DynamicSlice would say it in one word, but the pure-Go backend has none.
	places := graph.Add(engine.Places(offset.Graph(), n), offset)
	index := graph.Gather(order, graph.InsertAxes(places, -1))
	return s.Batch(params[:columns], index), graph.AddScalar(offset, n)
}

// Rewind goes to the beginning; a table's rows are read in the given order.
func (r *Reader) Rewind(rows []int32) error {
	r.end()
	if r.source.Stream != nil {
		r.next, r.stop = r.source.Stream.Open()
		return nil
	}
	r.rows, r.left = len(rows), len(rows)
	return r.upload(rows, r.orderSize(0))
}

func (r *Reader) upload(rows []int32, size int) (err error) {
	engine.Free(r.order, r.offset)
	r.order, r.offset = nil, nil
	full := make([]int32, size)
	copy(full, rows)
	if r.order, err = engine.Upload(r.device, full, shapes.Make(dtypes.Int32, size)); err != nil {
		return err
	}
	r.offset, err = engine.Upload(r.device, []int32{0}, shapes.Make(dtypes.Int32))
	return err
}

// Skip passes over n batches.
func (r *Reader) Skip(n int) error {
	for range n {
		if r.source.Stream != nil {
			if _, _, err := r.next(r.batch); err != nil {
				return err
			}
			continue
		}
		r.left = max(r.left-r.batch, 0)
	}
	if r.source.Stream != nil || n == 0 {
		return nil
	}
	engine.Free(r.offset)
	var err error
	r.offset, err = engine.Upload(r.device, []int32{int32(min(n*r.batch, r.rows))}, shapes.Make(dtypes.Int32))
	return err
}

// Next returns the buffers for a program that reads the next batch, and the number
// of its examples; 0 at the end. The offset among them is used up: Moved must be
// told its successor.
func (r *Reader) Next() (in []compute.Buffer, n int, err error) {
	if r.source.Stream == nil {
		n = min(r.batch, r.left)
		r.left -= n
		return append(append(make([]compute.Buffer, 0, 32), r.columns...), r.order, r.offset), n, nil
	}
	flat, n, err := r.next(r.batch)
	if err != nil || n == 0 {
		return nil, 0, err
	}
	engine.Free(r.columns...)
	r.columns = nil
	for i, p := range r.source.Params(n) {
		b, err := engine.Upload(r.device, flat[i], p.Shape)
		if err != nil {
			return nil, 0, err
		}
		r.columns = append(r.columns, b)
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	if err := r.upload(order, r.orderSize(n)); err != nil {
		return nil, 0, err
	}
	return append(append(make([]compute.Buffer, 0, 32), r.columns...), r.order, r.offset), n, nil
}

// SetBatch changes how many examples Next reads together.
func (r *Reader) SetBatch(n int) { r.batch = n }

// Moved takes the next offset, that a program has returned.
func (r *Reader) Moved(offset compute.Buffer) { r.offset = offset }

// end gives back what belongs to one pass.
func (r *Reader) end() {
	if r.stop != nil {
		r.stop()
		engine.Free(r.columns...)
		r.stop, r.next, r.columns = nil, nil, nil
	}
	engine.Free(r.order, r.offset)
	r.order, r.offset = nil, nil
}

// Close gives back what the reader holds. A table stays on the device.
func (r *Reader) Close() { r.end() }
