package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/hooks"
	"github.com/gradbook/gradbook/dl/internal/mpi"
	"github.com/gradbook/gradbook/dl/internal/network"
)

// FitConfig says how long to train, and on what; most fields are those of dl.FitConfig.
type FitConfig struct {
	Epochs, InitialEpoch     int
	BatchSize, StepsPerEpoch int
	NoShuffle                bool
	ValidationData           *data.Dataset
	ValidationSplit          float64
	ValidationSteps          int
	ClassWeight              map[int]float64
	Callbacks                []callbacks.Callback
	// Once is one step, which does not count as a part of an epoch.
	Once bool

	// Hooks are what callbacks can ask of the model; the rest is the training's. Restore is
	// called under the lock.
	Hooks hooks.Hooks
}

// Fit trains the model on a dataset, and returns what it measured.
func (m *Model) Fit(ctx context.Context, ds *data.Dataset, c FitConfig) (*History, error) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	if ctx == nil {
		return nil, errors.New("expected a context to fit, got nil")
	}
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	// Callbacks run while nothing is locked, so the lock alone would let another Fit in
	// between two batches of this one.
	if m.fitting {
		return nil, fmt.Errorf("model %q is being trained already", m.Name)
	}
	m.fitting = true
	defer func() { m.fitting = false }()
	t, err := m.prepare(d, ds, c)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err = t.run(ctx); err != nil && mpi.Together() {
		mpi.Abort(err) // the others wait for this process
	}
	return t.history, err
}

func (c FitConfig) checkCounts() error {
	for _, n := range []struct {
		field string
		value int
	}{{"Epochs", c.Epochs}, {"InitialEpoch", c.InitialEpoch}, {"StepsPerEpoch", c.StepsPerEpoch}, {"ValidationSteps", c.ValidationSteps}} {
		if n.value < 0 {
			return fmt.Errorf("expected %s of at least 1 (or 0 for the default), got %d", n.field, n.value)
		}
	}
	return nil
}

// prepare checks everything that can be checked before the first step.
func (m *Model) prepare(d *device.Device, ds *data.Dataset, c FitConfig) (*training, error) {
	if err := c.checkCounts(); err != nil {
		return nil, err
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
	if err := m.acceptPrivate(d, ds, c); err != nil {
		return nil, err
	}
	if m.compiled.Optimizer == nil {
		return nil, fmt.Errorf("expected an Optimizer in CompileConfig to fit, got nil")
	}
	if !slices.ContainsFunc(m.Weights, func(w network.Weight) bool { return w.Trainable() }) {
		return nil, fmt.Errorf("expected at least one weight of model %q that is trainable to fit, got none", m.Name)
	}
	for _, w := range m.Weights {
		if w.Fitting != nil {
			return nil, fmt.Errorf("%s is being trained already, by model %q", w.Name, w.Fitting.Name)
		}
	}
	if c.ValidationSplit > 0 {
		ds, c.ValidationData = ds.Split(1 - c.ValidationSplit)
		if ds.Err() != nil {
			return nil, ds.Err()
		}
		if ds.Len() == 0 || c.ValidationData.Len() == 0 {
			return nil, fmt.Errorf("expected ValidationSplit to leave examples on both sides, got %d to train and %d to validate", ds.Len(), c.ValidationData.Len())
		}
	}
	if c.ValidationData != nil {
		if err := m.accept("validate", c.ValidationData, d, true); err != nil {
			return nil, err
		}
	}
	if len(c.ClassWeight) > 0 {
		var err error
		if ds, err = m.weighted(ds, c.ClassWeight); err != nil {
			return nil, err
		}
	}
	batch, err := wantBatch(c.BatchSize, ds)
	if err != nil {
		return nil, err
	}
	if err := m.join(d, ds, &c, batch); err != nil {
		return nil, err
	}
	return newTraining(m, d, ds, c, batch)
}
