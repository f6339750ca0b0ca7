package dl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// position is how far training has come: whole epochs, batches of the one after
// them, the state of the random numbers when that began, and what has been measured
// in it. It is saved with the model, so that training can go on as if it had not
// stopped.
type position struct {
	Epoch    int       `json:"epoch"`
	Batch    int       `json:"batch,omitempty"`
	Random   []byte    `json:"random,omitempty"`
	Sums     []float32 `json:"sums,omitempty"`
	Examples int       `json:"examples,omitempty"`
}

// training is one call of Fit.
type training struct {
	model    *Model
	compiled *compiled
	device   *device.Device
	config   FitConfig
	source   *source.Source
	batch    int
	history  *History
	state    *callbacks.Training
	all      []callbacks.Callback

	reader   *source.Reader
	programs *programs
	queue    engine.Queue // the steps under way
	sums     *sums
	vars     []weight         // the model's weights, then its state
	values   []compute.Buffer // iteration, then those of vars
	rate     compute.Buffer
	rated    float64 // what rate holds
	began    []byte  // the state of the random numbers at the beginning of the epoch
	resume   bool    // go on at the model's position
	going    bool    // the stream is in its midst
	closed   bool
}

func newTraining(m *Model, d *device.Device, ds *data.Dataset, c FitConfig, batch int) (*training, error) {
	s := ds.Source()
	t := &training{
		model: m, compiled: m.compiled, device: d, config: c, source: s, batch: batch, all: c.Callbacks,
		history: newHistory(m.compiled.metricNames(), c.ValidationData != nil),
		vars:    append(slices.Clone(m.weights), m.state()...),
	}
	if !c.Silent {
		t.all = append([]callbacks.Callback{&callbacks.ProgressBar{}}, t.all...)
	}
	steps := -1
	if ds.Len() >= 0 {
		steps = (ds.Len() + batch - 1) / batch
	}
	if c.StepsPerEpoch > 0 && (steps < 0 || c.StepsPerEpoch < steps) {
		steps = c.StepsPerEpoch
	}
	t.state = callbacks.NewTraining(callbacks.Training{
		Epochs: max(c.Epochs, 1), Steps: steps, BatchSize: batch, Examples: ds.Len(),
		Metrics: m.compiled.metricNames(), Validation: c.ValidationData != nil, Epoch: c.InitialEpoch,
	}, t.hooks())
	var err error
	if t.reader, err = s.Read(d, batch); err != nil {
		return nil, err
	}
	t.programs = m.programsFor(train, d, s, t.reader)
	if err := t.setRate(m.compiled.rate); err != nil {
		return nil, err
	}
	if err := t.open(); err != nil {
		return nil, err
	}
	for _, w := range t.vars {
		w.fitting = m
	}
	m.active = t
	return t, nil
}

// hooks is what callbacks can ask of the training.
func (t *training) hooks() callbacks.Hooks {
	m := t.model
	return callbacks.Hooks{
		Logs:            t.logs,
		LearningRate:    func() float64 { return m.compiled.rate },
		SetLearningRate: t.setRate,
		Weights:         m.Weights,
		SetWeights:      m.SetWeights,
		Save:            m.Save,
		SaveWeights:     m.SaveWeights,
		Restore:         t.restore,
		Model:           func() any { return m },
	}
}

// open puts the values that a step changes on the device.
func (t *training) open() error {
	iteration, err := engine.Upload(t.device, []float32{float32(t.compiled.iteration)}, scalarFloat)
	if err != nil {
		return err
	}
	if err := t.model.openNoise(t.device); err != nil {
		return err
	}
	values, err := weightsOn(t.device, t.vars)
	if err != nil {
		return err
	}
	if t.values != nil {
		engine.Free(t.values[0])
	}
	t.values = append([]compute.Buffer{iteration}, values...)
	return nil
}

// logs returns the means so far; there are none before the first epoch.
func (t *training) logs() (Logs, error) {
	if t.sums == nil || t.sums.examples == 0 {
		return Logs{}, nil
	}
	return t.sums.logs()
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
	t.rate, t.rated, t.model.compiled.rate = b, rate, rate
	return nil
}

func (t *training) close() {
	t.closed = true
	t.model.active = nil
	closing(t.source, t.reader)
	engine.Free(t.rate, t.values[0])
	if t.sums != nil {
		engine.Free(t.sums.buffer)
		t.sums = nil
	}
	for _, w := range t.vars {
		w.fitting = nil
	}
}

// tell calls a method of each callback. Meanwhile the model is free: a callback
// may evaluate it, look at its weights, or set them.
func (t *training) tell(what func(callbacks.Callback) error) error {
	if len(t.all) == 0 {
		return nil
	}
	err := released(func() error {
		for _, c := range t.all {
			if err := what(c); err != nil {
				return fmt.Errorf("callback %T: %w", c, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.refresh()
}

// refresh takes up what has become of the model while it was not locked.
func (t *training) refresh() error {
	if t.model.compiled != t.compiled {
		return fmt.Errorf("model %q was compiled anew while it was trained", t.model.name)
	}
	if key := t.model.trainedKey(); key != t.programs.key.trained {
		return fmt.Errorf("layers of model %q were frozen or set free while it was trained", t.model.name)
	}
	for i, w := range t.vars {
		b, err := w.onDevice(t.device)
		if err != nil {
			return err
		}
		t.values[i+1] = b
	}
	return nil
}

func (t *training) run(ctx context.Context) error {
	if err := t.tell(func(c callbacks.Callback) error { return c.OnTrainBegin(t.state) }); err != nil {
		return err
	}
	err := t.epochs(ctx)
	if err == nil && !t.config.once {
		err = t.finish()
	}
	// The bar must end its line, and files be closed, also after an error.
	if end := t.tell(func(c callbacks.Callback) error { return c.OnTrainEnd(t.state) }); err == nil {
		err = end
	}
	return err
}

// finish sets the weights to their running means, if the optimizer keeps them.
func (t *training) finish() error {
	if !t.compiled.Optimizer.Common().UseEMA {
		return nil
	}
	names := t.compiled.slotNames()
	for v, slots := range t.compiled.slots {
		mean, err := slots[len(names)-1].values()
		if err != nil {
			return err
		}
		if v.trainable() {
			v.set(mean)
		}
	}
	return nil
}

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
			val, err := t.model.evaluateOn(ctx, t.device, v.Source(), t.batch, t.config.ValidationSteps)
			if err != nil {
				return t.interrupted(ctx, err)
			}
			for name, value := range val {
				logs["val_"+name] = value
			}
		}
		t.history.add(logs)
		if !t.config.once {
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
		if err := m.source.UnmarshalBinary(at.Random); err != nil {
			return 0, err
		}
	}
	if t.began, err = m.source.MarshalBinary(); err != nil {
		return 0, err
	}
	order := slices.Clone(t.source.Rows)
	if !t.config.NoShuffle {
		m.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
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
	err := reading(t.source, func() error {
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
	vars := variablesOf(t.vars)
	before, err := takeSnapshot(vars)
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
		before.restore(vars)
		engine.Free(t.model.noise.buffer)
		t.model.noise = &noise{host: noiseBefore}
		t.compiled.iteration = iteration
		if !t.config.once {
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
		in, size, err := nextOf(t.source, t.reader)
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
		if !t.config.once {
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

func variablesOf(weights []weight) (all []*variable) {
	for _, w := range weights {
		all = append(all, w.variable)
	}
	return all
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
	in = append(in, t.rate, t.sums.buffer, t.values[0], m.noise.buffer)
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
		w.buffer = out[i+4]
		t.values[i+1] = out[i+4]
	}
	t.compiled.iteration++
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
	return &InterruptedError{
		Epoch: t.config.InitialEpoch + t.history.Epochs(), Batch: batch,
		Epochs: t.state.Epochs, Batches: t.state.Steps, Err: ctx.Err(),
	}
}

// TrainOnBatch does one step on a batch, and returns what it measured there. labels are
// not needed where the model has a Step that does without.
//
// Source: https://keras.io/api/models/model_training_apis/#trainonbatch-method
func (m *Model) TrainOnBatch(x, labels *tensors.Tensor) (_ Logs, err error) {
	defer edge(&err)
	ds, err := data.New(x, labels)
	if err != nil {
		return nil, err
	}
	h, err := m.Fit(context.Background(), ds, FitConfig{BatchSize: ds.Len(), NoShuffle: true, Silent: true, once: true})
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	return h.Last(), nil
}
