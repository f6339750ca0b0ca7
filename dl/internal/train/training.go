package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/hooks"
	"github.com/gradbook/gradbook/dl/internal/mpi"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
)

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
	vars     []network.Weight // the model's weights, then its state
	values   []compute.Buffer // iteration, then those of vars
	rate     compute.Buffer
	rated    float64          // what rate holds
	began    []byte           // the state of the random numbers at the beginning of the epoch
	resume   bool             // go on at the model's position
	going    bool             // the stream is in its midst
	private  *private         // of a private training
	extra    []compute.Buffer // what its steps get
	shared   int              // examples of the batch that extra has this process's share of
	closed   bool
}

func newTraining(m *Model, d *device.Device, ds *data.Dataset, c FitConfig, batch int) (*training, error) {
	s := source.Of(ds)
	t := &training{
		model: m, compiled: m.compiled, device: d, config: c, source: s, batch: batch, all: c.Callbacks,
		history: newHistory(m.compiled.metricNames(), c.ValidationData != nil),
		vars:    append(slices.Clone(m.Weights), m.state()...),
	}
	steps := -1
	if ds.Len() >= 0 {
		steps = (ds.Len() + batch - 1) / batch
	}
	if c.StepsPerEpoch > 0 && (steps < 0 || c.StepsPerEpoch < steps) {
		steps = c.StepsPerEpoch
	}
	t.state = &callbacks.Training{
		Epochs: max(c.Epochs, 1), Steps: steps, BatchSize: batch, Examples: ds.Len(),
		Metrics: m.compiled.metricNames(), Validation: c.ValidationData != nil, Epoch: c.InitialEpoch,
	}
	hooks.Attach(t.state, t.hooks())
	var err error
	if t.reader, err = s.Read(d, batch/mpi.Size()); err != nil {
		return nil, err
	}
	if m.compiled.Privacy != nil {
		if err := t.openPrivate(); err != nil {
			return nil, err
		}
	}
	t.programs = m.programsFor(train, d, s, t.reader)
	if err := t.setRate(m.compiled.rate); err != nil {
		return nil, err
	}
	if err := t.open(); err != nil {
		return nil, err
	}
	for _, w := range t.vars {
		w.Fitting = m.Network
	}
	m.active = t
	return t, nil
}

// hooks is what callbacks can ask of the training.
func (t *training) hooks() hooks.Hooks {
	h := t.config.Hooks
	h.LearningRate = func() float64 { return t.compiled.rate }
	h.Logs = func() (map[string]float64, error) { return t.logs() }
	h.SetLearningRate, h.Restore = t.setRate, t.restore
	return h
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
	values, err := network.WeightsOn(t.device, t.vars)
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
func (t *training) logs() (callbacks.Logs, error) {
	if t.sums == nil || t.sums.examples == 0 {
		return callbacks.Logs{}, nil
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
	closing(t.model.Lock, t.source, t.reader)
	engine.Free(t.rate, t.values[0])
	if mpi.Together() {
		engine.Free(t.extra...)
	}
	t.closePrivate()
	if t.sums != nil {
		engine.Free(t.sums.buffer)
		t.sums = nil
	}
	for _, w := range t.vars {
		w.Fitting = nil
	}
}

// tell calls a method of each callback. Meanwhile the model is free: a callback
// may evaluate it, look at its weights, or set them.
func (t *training) tell(what func(callbacks.Callback) error) error {
	if len(t.all) == 0 {
		return nil
	}
	err := t.model.Lock.Released(func() error {
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
		return fmt.Errorf("model %q was compiled anew while it was trained", t.model.Name)
	}
	if key := t.model.trainedKey(); key != t.programs.key.trained {
		return fmt.Errorf("layers of model %q were frozen or set free while it was trained", t.model.Name)
	}
	for i, w := range t.vars {
		b, err := w.OnDevice(t.device)
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
	if err == nil && !t.config.Once {
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
		mean, err := slots[len(names)-1].Values()
		if err != nil {
			return err
		}
		if v.Trainable() {
			v.Set(mean)
		}
	}
	return nil
}
