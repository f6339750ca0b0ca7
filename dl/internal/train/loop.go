package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// sums are the running sums of what is measured, on the device.
type sums struct {
	compiled *compiled
	buffer   compute.Buffer
	examples int
}

func (c *compiled) newSums(d *device.Device) (*sums, error) {
	shape := c.sumsShape()
	return c.sumsOf(d, make([]float32, shape.Size()), 0)
}

// sumsOf goes on from sums of so many examples.
func (c *compiled) sumsOf(d *device.Device, values []float32, examples int) (*sums, error) {
	b, err := engine.Upload(d, values, c.sumsShape())
	if err != nil {
		return nil, err
	}
	return &sums{compiled: c, buffer: b, examples: examples}, nil
}

// values waits for the device and returns the sums so far.
func (s *sums) values() ([]float32, error) {
	values := make([]float32, s.compiled.sumsShape().Size())
	return values, s.buffer.ToFlatData(values)
}

// logs waits for the device and returns what is measured so far.
func (s *sums) logs() (callbacks.Logs, error) {
	values, err := s.values()
	if err != nil {
		return nil, err
	}
	return s.compiled.logs(values), nil
}

// nextOf reads a batch. Others may use models meanwhile: a generator may predict.
func nextOf(lock *network.Lock, s *source.Source, r *source.Reader) (in []compute.Buffer, n int, err error) {
	err = reading(lock, s, func() error {
		in, n, err = r.Next()
		return err
	})
	return in, n, err
}

// reading does something with a reader, for a stream while models are not locked: a
// generator may use them, also one that runs in a goroutine which is waited for.
func reading(lock *network.Lock, s *source.Source, f func() error) error {
	if s.Stream != nil {
		return lock.Released(f)
	}
	return f()
}

// closing gives a reader back.
func closing(lock *network.Lock, s *source.Source, r *source.Reader) {
	_ = reading(lock, s, func() error {
		r.Close()
		return nil
	})
}

// pass runs programs of a kind, which do not train, over a dataset that has been
// accepted; limit is how many batches at most, 0 is all. more is what a program gets
// beside the batch and the weights, take what becomes of its results for so many
// examples, which the device may have yet to compute; take returns those that are left
// over. It returns how many examples there were.
func (m *Model) pass(ctx context.Context, kind programKind, d *device.Device, s *source.Source, batch, limit int,
	more func() []compute.Buffer, take func(out []compute.Buffer, size int) ([]compute.Buffer, error),
) (done int, err error) {
	r, err := s.Read(d, batch)
	if err != nil {
		return 0, err
	}
	defer closing(m.Lock, s, r)
	if err := reading(m.Lock, s, func() error { return r.Rewind(s.Rows) }); err != nil {
		return 0, err
	}
	if err := m.openChance(d); err != nil {
		return 0, err
	}
	all := m.programsFor(kind, d, s, r)
	var queue engine.Queue
	defer func() {
		if late := queue.Wait(); late != nil {
			err = m.failedAt(0, done, batch, late)
		}
	}()
	for batches := 0; limit == 0 || batches < limit; batches++ {
		if err := ctx.Err(); err != nil {
			return done, fmt.Errorf("stopped after %d of %s examples: %w", done, number(s.Len()), err)
		}
		in, size, err := nextOf(m.Lock, s, r)
		if err != nil {
			return done, fmt.Errorf("the dataset failed behind example %d: %w", done, err)
		}
		if size == 0 {
			break
		}
		p, err := all.of(size)
		if err != nil {
			return done, err
		}
		weights, err := network.WeightsOn(d, m.Weights)
		if err != nil {
			return done, err
		}
		at := done
		done += size
		out, err := queue.Run(p, slices.Concat(in, more(), []compute.Buffer{m.chance.buffer}, weights), at)
		if err != nil {
			return done, m.failedAt(at, done, batch, err)
		}
		r.Moved(out[0])
		rest, err := take(out[1:], size)
		m.chance.buffer = rest[0]
		m.carry(d, rest[1:]) // also after an error: what was carried before is used up
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// failedAt tells in which examples a batch has failed: from n on, or, if it was an earlier one, where
// the error says. done examples were read, in batches of batch.
func (m *Model) failedAt(n, done, batch int, err error) error {
	if late := new(engine.LateError); errors.As(err, &late) {
		n, err = late.N, late.Err
	}
	m.chance = &noise{host: m.chance.host} // the buffer is used up, or was never made
	size := min(batch, max(done-n, 1))
	return fmt.Errorf("examples %d to %d: %w", n, n+size-1, forBatch(err, size))
}

// evaluateOn returns what is measured over a dataset that has been accepted. limit
// is how many batches are read at most; 0 is all.
func (m *Model) evaluateOn(ctx context.Context, d *device.Device, s *source.Source, batch, limit int) (callbacks.Logs, error) {
	total, err := m.compiled.newSums(d)
	if err != nil {
		return nil, err
	}
	defer func() { engine.Free(total.buffer) }()
	more := func() []compute.Buffer { return []compute.Buffer{total.buffer} }
	take := func(out []compute.Buffer, size int) ([]compute.Buffer, error) {
		total.buffer = out[0]
		total.examples += size
		return out[1:], nil
	}
	if _, err := m.pass(ctx, evaluate, d, s, batch, limit, more, take); err != nil {
		return nil, err
	}
	if total.examples == 0 {
		return nil, fmt.Errorf("expected at least one example to evaluate, got an empty dataset")
	}
	return total.logs()
}

// number writes a length, which may not be known.
func number(n int) string {
	if n < 0 {
		return "an unknown number of"
	}
	return fmt.Sprint(n)
}
