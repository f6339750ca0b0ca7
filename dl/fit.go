package dl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// FitConfig says how long to train, and on what. Its zero value trains for one
// epoch and shows its progress.
type FitConfig struct {
	// Epochs is how often to go through the data; 0 means 1.
	Epochs int
	// BatchSize is the number of examples of a step; 0 means the dataset's.
	BatchSize int
	// NoShuffle reads the examples in the dataset's order in every epoch.
	NoShuffle bool
	// ValidationData is evaluated after each epoch.
	ValidationData *data.Dataset
	// ValidationSplit takes this part off the end of the dataset for
	// validation, before shuffling; in [0, 1). It excludes ValidationData.
	ValidationSplit float64
	// Callbacks are told what happens.
	Callbacks []callbacks.Callback
	// Silent leaves out the progress bar.
	Silent bool
}

// InterruptedError is what Fit returns when its context is cancelled. The model
// keeps what it has learned.
type InterruptedError struct {
	// Epoch and Batch say how far Fit came: whole epochs, and batches of the
	// one after them.
	Epoch, Batch int
	// Epochs and Batches say how far it should have come.
	Epochs, Batches int
	// Err is the context's error.
	Err error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("training was interrupted after %d of %d epochs and %d of %d batches; the model keeps what it has learned: %v",
		e.Epoch, e.Epochs, e.Batch, e.Batches, e.Err)
}

func (e *InterruptedError) Unwrap() error { return e.Err }

// Fit trains the model on a dataset, and returns what it measured. The last
// batch of an epoch may be smaller than the others.
//
// If ctx is cancelled, Fit ends after the step under way, with the history so
// far and an *InterruptedError. Called again, it goes on from there: with the
// same weights and the optimizer's state.
//
// Source: https://keras.io/api/models/model_training_apis/#fit-method
func (m *Model) Fit(ctx context.Context, ds *data.Dataset, c FitConfig) (_ *History, err error) {
	defer edge(&err)
	m.mu.Lock()
	defer m.mu.Unlock()
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	// Callbacks run while the model is not locked, so the lock alone would let
	// another Fit in between two batches of this one.
	if m.fitting {
		return nil, fmt.Errorf("model %q is being trained already", m.name)
	}
	m.fitting = true
	defer func() { m.fitting = false }()
	t, err := m.prepare(d, ds, c)
	if err != nil {
		return nil, err
	}
	defer t.close()
	return t.history, t.run(ctx)
}

// prepare checks everything that can be checked before the first step.
func (m *Model) prepare(d *device.Device, ds *data.Dataset, c FitConfig) (*training, error) {
	if c.Epochs < 0 {
		return nil, fmt.Errorf("expected Epochs of at least 1 (or 0 for 1), got %d", c.Epochs)
	}
	if !(c.ValidationSplit >= 0 && c.ValidationSplit < 1) {
		return nil, fmt.Errorf("expected ValidationSplit in [0, 1), got %g", c.ValidationSplit)
	}
	if c.ValidationSplit > 0 && c.ValidationData != nil {
		return nil, fmt.Errorf("expected ValidationSplit or ValidationData, got both")
	}
	if i := slices.Index(c.Callbacks, nil); i >= 0 {
		return nil, fmt.Errorf("expected a callback at place %d of Callbacks, got nil", i)
	}
	if err := m.accept("fit", ds, d, true); err != nil {
		return nil, err
	}
	if m.compiled.Optimizer == nil {
		return nil, fmt.Errorf("expected an Optimizer in CompileConfig to fit, got nil")
	}
	if c.ValidationSplit > 0 {
		ds, c.ValidationData = ds.Split(1 - c.ValidationSplit)
		if ds.Len() == 0 || c.ValidationData.Len() == 0 {
			return nil, fmt.Errorf("expected ValidationSplit to leave examples on both sides, got %d to train and %d to validate", ds.Len(), c.ValidationData.Len())
		}
	}
	if c.ValidationData != nil {
		if err := m.accept("validate", c.ValidationData, d, true); err != nil {
			return nil, err
		}
	}
	batch, err := wantBatch(c.BatchSize, ds)
	if err != nil {
		return nil, err
	}
	m.prepareSlots()
	return newTraining(m, d, ds, c, batch)
}

// training is one call of Fit.
type training struct {
	model    *Model
	compiled *compiled
	device   *device.Device
	config   FitConfig
	data     *data.Dataset
	batch    int
	history  *History
	state    *callbacks.Training
	all      []callbacks.Callback

	reader *reader
	order  []int32
	sums   *sums
	vars   []*variable      // weights, then slots
	values []compute.Buffer // iteration, random, then those of vars
	rate   compute.Buffer
	closed bool
}

func newTraining(m *Model, d *device.Device, ds *data.Dataset, c FitConfig, batch int) (*training, error) {
	s := ds.Source()
	t := &training{
		model: m, compiled: m.compiled, device: d, config: c, data: ds, batch: batch, all: c.Callbacks,
		order:   slices.Clone(s.Rows),
		history: newHistory(m.compiled.metricNames(), c.ValidationData != nil),
		vars:    append(append([]*variable{}, m.weights...), m.compiled.slots...),
	}
	if !c.Silent {
		t.all = append([]callbacks.Callback{&callbacks.ProgressBar{}}, t.all...)
	}
	t.state = callbacks.NewTraining(callbacks.Training{
		Epochs: max(c.Epochs, 1), Steps: (ds.Len() + batch - 1) / batch, BatchSize: batch, Examples: ds.Len(),
		Metrics: m.compiled.metricNames(), Validation: c.ValidationData != nil,
	}, callbacks.Hooks{
		Logs:            t.logs,
		LearningRate:    func() float64 { return m.compiled.rate },
		SetLearningRate: t.setRate,
	})
	var err error
	if t.reader, err = newReader(d, s, batch); err != nil {
		return nil, err
	}
	if err := t.setRate(m.compiled.rate); err != nil {
		return nil, err
	}
	iteration, err := engine.Upload(d, []float32{m.compiled.iteration}, scalarFloat)
	if err != nil {
		return nil, err
	}
	seed := []uint64{m.random.Uint64(), m.random.Uint64(), m.random.Uint64()}
	random, err := engine.Upload(d, seed, graph.RNGStateShape)
	if err != nil {
		return nil, err
	}
	values, err := weightsOn(d, t.vars)
	if err != nil {
		return nil, err
	}
	t.values = append([]compute.Buffer{iteration, random}, values...)
	return t, nil
}

// logs returns the means so far; there are none before the first epoch.
func (t *training) logs() (Logs, error) {
	if t.sums == nil {
		return Logs{}, nil
	}
	return t.sums.means()
}

func (t *training) setRate(rate float64) error {
	if t.closed {
		return errors.New("expected SetLearningRate while Fit runs, got it afterwards")
	}
	if !(rate >= 0) {
		return fmt.Errorf("expected a learning rate of at least 0, got %g", rate)
	}
	b, err := engine.Upload(t.device, []float32{float32(rate)}, scalarFloat)
	if err != nil {
		return err
	}
	engine.Free(t.rate)
	t.rate, t.model.compiled.rate = b, rate
	return nil
}

func (t *training) close() {
	t.closed = true
	t.reader.close()
	engine.Free(t.rate, t.values[0], t.values[1])
	if t.sums != nil {
		engine.Free(t.sums.buffer)
		t.sums = nil
	}
}

// tell calls a method of each callback. Meanwhile the model is free: a callback
// may evaluate it, look at its weights, or set them.
func (t *training) tell(what func(callbacks.Callback) error) error {
	if len(t.all) == 0 {
		return nil
	}
	if err := t.unlocked(what); err != nil {
		return err
	}
	if t.model.compiled != t.compiled {
		return fmt.Errorf("model %q was compiled anew while it was trained", t.model.name)
	}
	for i, v := range t.vars {
		b, err := v.onDevice(t.device)
		if err != nil {
			return err
		}
		t.values[i+2] = b
	}
	return nil
}

func (t *training) unlocked(what func(callbacks.Callback) error) error {
	t.model.mu.Unlock()
	defer t.model.mu.Lock()
	for _, c := range t.all {
		if err := what(c); err != nil {
			return fmt.Errorf("callback %T: %w", c, err)
		}
	}
	return nil
}

func (t *training) run(ctx context.Context) error {
	if err := t.tell(func(c callbacks.Callback) error { return c.OnTrainBegin(t.state) }); err != nil {
		return err
	}
	err := t.epochs(ctx)
	// The bar must end its line, and files be closed, also after an error.
	if end := t.tell(func(c callbacks.Callback) error { return c.OnTrainEnd(t.state) }); err == nil {
		err = end
	}
	return err
}

func (t *training) epochs(ctx context.Context) error {
	for t.state.Epoch = range t.state.Epochs {
		if err := t.epoch(ctx); err != nil {
			return err
		}
		logs, err := t.sums.means()
		if err != nil {
			return err
		}
		if v := t.config.ValidationData; v != nil {
			val, err := t.model.evaluateOn(ctx, t.device, v.Source(), t.batch)
			if err != nil {
				return t.interrupted(ctx, err)
			}
			for name, value := range val {
				logs["val_"+name] = value
			}
		}
		t.history.add(logs)
		if err := t.tell(func(c callbacks.Callback) error { return c.OnEpochEnd(t.state, logs) }); err != nil {
			return err
		}
		if t.state.Stopped() {
			return nil
		}
	}
	return nil
}

// epoch goes through the data once.
func (t *training) epoch(ctx context.Context) (err error) {
	t.state.Batch = 0
	if !t.config.NoShuffle {
		t.model.random.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
	}
	if err := t.reader.rewind(t.device, t.order); err != nil {
		return err
	}
	if t.sums != nil {
		engine.Free(t.sums.buffer)
	}
	if t.sums, err = newSums(t.device, t.state.Metrics); err != nil {
		return err
	}
	// A step that fails has used up the weights it was given.
	before, err := takeSnapshot(t.vars)
	if err != nil {
		return err
	}
	iteration := t.model.compiled.iteration
	if err := t.tell(func(c callbacks.Callback) error { return c.OnEpochBegin(t.state) }); err != nil {
		return err
	}
	for i, size := range t.reader.sizes {
		if err := ctx.Err(); err != nil {
			return t.interrupted(ctx, err)
		}
		t.state.Batch = i
		if err := t.tell(func(c callbacks.Callback) error { return c.OnTrainBatchBegin(t.state) }); err != nil {
			return err
		}
		if err := t.step(size); err != nil {
			before.restore(t.vars)
			t.model.compiled.iteration = iteration
			return fmt.Errorf("epoch %d, batch %d: %w; the model is as it was at the beginning of the epoch", t.state.Epoch+1, i+1, err)
		}
		if err := t.tell(func(c callbacks.Callback) error { return c.OnTrainBatchEnd(t.state) }); err != nil {
			return err
		}
		if t.state.Stopped() {
			break
		}
	}
	return nil
}

// step trains on the next batch.
func (t *training) step(size int) error {
	p, err := t.model.program(train, t.device, t.data.Source(), size)
	if err != nil {
		return err
	}
	in := append(make([]compute.Buffer, 0, len(t.values)+8), t.reader.columns...)
	in = append(in, t.reader.order, t.rate, t.reader.offset, t.sums.buffer)
	out, err := p.Run(append(in, t.values...))
	if err != nil {
		return err
	}
	t.reader.offset, t.sums.buffer, t.values = out[0], out[1], out[2:]
	t.sums.examples += size
	for i, v := range t.vars {
		v.buffer = t.values[i+2]
	}
	t.model.compiled.iteration++
	return nil
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
	return &InterruptedError{Epoch: t.history.Epochs(), Batch: batch, Epochs: t.state.Epochs, Batches: t.state.Steps, Err: ctx.Err()}
}
