package dl

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// reader feeds a program the batches of a dataset, in an order.
type reader struct {
	columns       []compute.Buffer
	order, offset compute.Buffer
	sizes         []int // of the batches
}

// newReader opens a dataset. It must be rewound before it is read.
func newReader(d *device.Device, s *source.Source, batch int) (*reader, error) {
	columns, _, err := s.Open(d)
	if err != nil {
		return nil, err
	}
	r := &reader{columns: columns}
	for left := len(s.Rows); left > 0; left -= batch {
		r.sizes = append(r.sizes, min(batch, left))
	}
	return r, nil
}

// rewind goes to the beginning, with the rows in an order.
func (r *reader) rewind(d *device.Device, rows []int32) (err error) {
	r.close()
	full := make([]int32, orderSize(len(rows)))
	copy(full, rows)
	if r.order, err = engine.Upload(d, full, shapes.Make(dtypes.Int32, len(full))); err != nil {
		return err
	}
	if r.offset, err = engine.Upload(d, []int32{0}, scalarInt); err != nil {
		return err
	}
	return nil
}

func (r *reader) close() {
	engine.Free(r.order, r.offset)
	r.order, r.offset = nil, nil
}

// sums are the running sums of the metrics on the device.
type sums struct {
	names    []string
	buffer   compute.Buffer
	examples int
}

func newSums(d *device.Device, names []string) (*sums, error) {
	b, err := engine.Upload(d, make([]float32, len(names)), shapes.Make(dtypes.Float32, len(names)))
	if err != nil {
		return nil, err
	}
	return &sums{names: names, buffer: b}, nil
}

// means waits for the device and returns the means so far.
func (s *sums) means() (callbacks.Logs, error) {
	values := make([]float32, len(s.names))
	if err := s.buffer.ToFlatData(values); err != nil {
		return nil, err
	}
	logs := make(callbacks.Logs, len(values))
	for i, name := range s.names {
		logs[name] = float64(values[i]) / float64(max(s.examples, 1))
	}
	return logs, nil
}

// weightsOn returns the buffers of variables on a device.
func weightsOn(d *device.Device, vars []*variable) ([]compute.Buffer, error) {
	var all []compute.Buffer
	for _, v := range vars {
		b, err := v.onDevice(d)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// evaluateOn returns the means over a dataset that has been accepted.
func (m *Model) evaluateOn(ctx context.Context, d *device.Device, s *source.Source, batch int) (callbacks.Logs, error) {
	r, err := newReader(d, s, batch)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.rewind(d, s.Rows); err != nil {
		return nil, err
	}
	total, err := newSums(d, m.compiled.metricNames())
	if err != nil {
		return nil, err
	}
	weights, err := weightsOn(d, m.weights)
	if err != nil {
		return nil, err
	}
	for _, size := range r.sizes {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("stopped after %d of %d examples: %w", total.examples, len(s.Rows), err)
		}
		p, err := m.program(evaluate, d, s, size)
		if err != nil {
			return nil, err
		}
		in := append(append([]compute.Buffer{}, r.columns...), r.order, r.offset, total.buffer)
		out, err := p.Run(append(in, weights...))
		if err != nil {
			return nil, fmt.Errorf("examples %d to %d: %w", total.examples, total.examples+size-1, err)
		}
		r.offset, total.buffer = out[0], out[1]
		total.examples += size
	}
	defer engine.Free(total.buffer)
	return total.means()
}
