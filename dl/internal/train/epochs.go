package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/mpi"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
)

func (t *training) epochs(ctx context.Context) error {
	for ; t.state.Epoch < t.state.Epochs; t.state.Epoch++ {
		if err := t.epoch(ctx); err != nil {
			return err
		}
		logs, err := t.sums.logs()
		if err != nil {
			return err
		}
		if v := t.config.ValidationData; v != nil {
			val, err := t.model.evaluateOn(ctx, t.device, source.Of(v), t.batch, t.config.ValidationSteps)
			if err != nil {
				return t.interrupted(ctx, err)
			}
			for name, value := range val {
				logs["val_"+name] = value
			}
		}
		if err := t.addEpsilon(logs); err != nil {
			return err
		}
		t.history.add(logs)
		if !t.config.Once {
			t.model.position = position{Epoch: t.state.Epoch + 1}
		}
		if err := t.tell(func(c callbacks.Callback) error { return c.OnEpochEnd(t.state, logs) }); err != nil {
			return err
		}
		if t.state.Stopped() {
			return nil
		}
	}
	return nil
}

// begin starts an epoch, or goes on with one. It returns how many batches are done.
func (t *training) begin() (done int, err error) {
	m := t.model
	at := position{}
	if t.resume {
		at, t.resume = m.position, false
	}
	if at.Random != nil {
		if err := m.PCG.UnmarshalBinary(at.Random); err != nil {
			return 0, err
		}
	}
	if t.began, err = m.PCG.MarshalBinary(); err != nil {
		return 0, err
	}
	order := slices.Clone(t.source.Rows)
	if t.private == nil && !t.config.NoShuffle {
		m.Random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	if mpi.Together() {
		order = part(order, t.batch, mpi.Rank(), mpi.Size())
	}
	if err := t.rewind(order, at.Batch); err != nil {
		return 0, err
	}
	if t.sums != nil {
		engine.Free(t.sums.buffer)
	}
	if at.Sums != nil && len(at.Sums) == t.compiled.sumsShape().Size() {
		t.sums, err = t.compiled.sumsOf(t.device, at.Sums, at.Examples)
	} else {
		t.sums, err = t.compiled.newSums(t.device)
	}
	return at.Batch, err
}

// rewind goes to the beginning of the data, but for batches that are done already. A
// stream of which an epoch takes StepsPerEpoch goes on where it was, as in Keras, until
// it ends.
func (t *training) rewind(order []int32, done int) error {
	if t.going {
		return nil
	}
	if t.source.Stream != nil && t.config.StepsPerEpoch > 0 {
		done += t.state.Epoch * t.config.StepsPerEpoch
		t.going = true
	}
	err := reading(t.model.Lock, t.source, func() error {
		if err := t.reader.Rewind(order); err != nil {
			return err
		}
		return t.reader.Skip(done)
	})
	if err != nil {
		return err
	}
	return t.refresh()
}

// stepError is an error of one step, which has used up the weights that it was given.
type stepError struct {
	batch int
	err   error
}

func (e *stepError) Error() string { return e.err.Error() }

// epoch goes through the data once.
func (t *training) epoch(ctx context.Context) error {
	done, err := t.begin()
	if err != nil {
		return err
	}
	t.state.Batch = done
	vars := network.VariablesOf(t.vars)
	before, err := network.TakeSnapshot(vars)
	if err != nil {
		return err
	}
	iteration := t.compiled.iteration
	noiseBefore, err := t.model.noise.values()
	if err != nil {
		return err
	}
	err = t.steps(ctx, done)
	// A step that turns out to have failed is why others did, or a callback could not read.
	if late := new(engine.LateError); errors.As(t.queue.Wait(), &late) {
		err = &stepError{late.N, forBatch(late.Err, t.batch)}
	}
	if failed := new(stepError); errors.As(err, &failed) {
		before.Restore(vars)
		engine.Free(t.model.noise.buffer)
		t.model.noise = &noise{host: noiseBefore}
		t.compiled.iteration = iteration
		if !t.config.Once {
			t.model.position = position{Epoch: t.state.Epoch, Batch: done, Random: t.began}
		}
		return fmt.Errorf("epoch %d, batch %d: %w; the model is as it was at the beginning of the epoch", t.state.Epoch+1, failed.batch+1, failed.err)
	}
	if err == nil && t.sums.examples == 0 {
		err = fmt.Errorf("epoch %d: expected at least one example, got an empty dataset", t.state.Epoch+1)
	}
	return err
}

// steps are those of an epoch of which some batches are done. The device may be some steps
// behind when it returns.
func (t *training) steps(ctx context.Context, done int) error {
	if err := t.tell(func(c callbacks.Callback) error { return c.OnEpochBegin(t.state) }); err != nil {
		return err
	}
	for i := done; t.config.StepsPerEpoch == 0 || i < t.config.StepsPerEpoch; i++ {
		if err := ctx.Err(); err != nil {
			return t.interrupted(ctx, err)
		}
		if t.private != nil {
			if i >= t.state.Steps {
				break
			}
			if err := t.privateStep(i); err != nil {
				return err
			}
			if t.state.Stopped() {
				break
			}
			continue
		}
		in, size, err := nextOf(t.model.Lock, t.source, t.reader)
		if err != nil {
			return fmt.Errorf("epoch %d, batch %d: the dataset failed; the model keeps what it has learned: %w", t.state.Epoch+1, i+1, err)
		}
		if size == 0 {
			t.going = false
			break
		}
		if t.source.Stream != nil {
			if err := t.refresh(); err != nil {
				return err
			}
		}
		t.state.Batch = i
		if err := t.tell(func(c callbacks.Callback) error { return c.OnTrainBatchBegin(t.state) }); err != nil {
			return err
		}
		p, err := t.program(size)
		if err != nil {
			return fmt.Errorf("epoch %d, batch %d: %w; the model keeps what it has learned", t.state.Epoch+1, i+1, err)
		}
		if err := t.step(p, in, size); err != nil {
			return err
		}
		if !t.config.Once {
			t.model.position = position{Epoch: t.state.Epoch, Batch: i + 1, Random: t.began}
		}
		if err := t.tell(func(c callbacks.Callback) error { return c.OnTrainBatchEnd(t.state) }); err != nil {
			return err
		}
		if t.state.Stopped() {
			break
		}
	}
	if t.state.Steps < 0 && !t.state.Stopped() {
		t.state.Steps = t.state.Batch + 1
	}
	return nil
}

// program returns the program for batches of a size. Compiling it takes a while, in
// which models are not locked.
func (t *training) program(size int) (*engine.Program, error) {
	if p := t.programs.bySize[size]; p != nil {
		return p, nil
	}
	p, err := t.programs.of(size)
	if err != nil {
		return nil, err
	}
	return p, t.refresh()
}

// step trains on a batch of which the reader gave the buffers; the device may do so later.
func (t *training) step(p *engine.Program, in []compute.Buffer, size int) error {
	if err := t.schedule(); err != nil {
		return &stepError{t.state.Batch, err}
	}
	m := t.model
	if err := t.share(); err != nil {
		return &stepError{t.state.Batch, err}
	}
	in = append(in, t.rate)
	in = append(in, t.extra...)
	in = append(in, t.sums.buffer, t.values[0], m.noise.buffer)
	out, err := t.queue.Run(p, append(in, t.values[1:]...), t.state.Batch)
	if late := new(engine.LateError); errors.As(err, &late) {
		return &stepError{late.N, forBatch(late.Err, t.batch)}
	} else if err != nil {
		return &stepError{t.state.Batch, forBatch(err, size)}
	}
	t.reader.Moved(out[0])
	t.sums.buffer, t.values[0], m.noise.buffer = out[1], out[2], out[3]
	t.sums.examples += size
	for i, w := range t.vars {
		w.Put(t.device, out[i+4])
		t.values[i+1] = out[i+4]
	}
	if t.private == nil {
		t.compiled.iteration++
		m.spent.PlainSteps++
	}
	return nil
}

// schedule sets the learning rate of the next step, if there is a schedule for it.
func (t *training) schedule() error {
	o := t.compiled.Optimizer.Common()
	if o.Schedule == nil {
		return nil
	}
	rate := o.Schedule.Rate(t.compiled.iteration / max(o.GradientAccumulationSteps, 1))
	if float32(rate) == float32(t.rated) {
		return nil
	}
	return t.setRate(rate)
}

// interrupted wraps err if it came of the context.
func (t *training) interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	batch := t.state.Batch
	if t.sums.examples > 0 {
		batch = (t.sums.examples + t.batch - 1) / t.batch
	}
	return &fault.InterruptedError{
		Epoch: t.config.InitialEpoch + t.history.epochs(), Batch: batch,
		Epochs: t.state.Epochs, Batches: t.state.Steps, Err: ctx.Err(),
	}
}
