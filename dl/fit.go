package dl

import (
	"context"
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
)

// FitConfig says how long to train, and on what. Its zero value trains for one
// epoch and shows its progress.
type FitConfig struct {
	// Epochs is the number of the last epoch; 0 means 1.
	Epochs int
	// InitialEpoch is how many of them are done already, by a Fit before.
	InitialEpoch int
	// BatchSize is the number of examples of a step; 0 means the dataset's.
	BatchSize int
	// StepsPerEpoch ends an epoch after so many batches; 0 means at the end of the
	// data. A stream without an end needs it; it goes on in the next epoch where it
	// was.
	StepsPerEpoch int
	// NoShuffle reads the examples in the dataset's order in every epoch.
	// Streams are always read in theirs.
	NoShuffle bool
	// ValidationData is evaluated after each epoch.
	ValidationData *data.Dataset
	// ValidationSplit takes this part off the end of the dataset for
	// validation, before shuffling; in [0, 1). It excludes ValidationData.
	ValidationSplit float64
	// ValidationSteps ends validation after so many batches; 0 means at the end.
	ValidationSteps int
	// ClassWeight multiplies the loss of examples by the weight of their class, 1
	// unless set. Labels are class numbers or one-hot.
	ClassWeight map[int]float64
	// Callbacks are told what happens.
	Callbacks []callbacks.Callback
	// Silent leaves out the progress bar.
	Silent bool

	once bool // TrainOnBatch
}

// InterruptedError is what Fit returns when its context is cancelled. The model
// keeps what it has learned.
type InterruptedError struct {
	// Epoch and Batch say how far Fit came: whole epochs, and batches of the
	// one after them.
	Epoch, Batch int
	// Epochs and Batches say how far it should have come; Batches is −1 where
	// that is not known.
	Epochs, Batches int
	// Err is the context's error.
	Err error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("training was interrupted after %d of %d epochs and %d of %s batches; the model keeps what it has learned: %v",
		e.Epoch, e.Epochs, e.Batch, number(e.Batches), e.Err)
}

func (e *InterruptedError) Unwrap() error { return e.Err }

// Fit trains the model on a dataset, and returns what it measured. The last
// batch of an epoch may be smaller than the others.
//
// If ctx is cancelled, Fit ends after the step under way (or a few, where they are short),
// with the history so far and an *InterruptedError. Called again, it goes on from there:
// with the same weights and the optimizer's state.
//
// Source: https://keras.io/api/models/model_training_apis/#fit-method
func (m *Model) Fit(ctx context.Context, ds *data.Dataset, c FitConfig) (_ *History, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if ctx == nil {
		return nil, fmt.Errorf("expected a context to fit, got nil")
	}
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	// Callbacks run while models are not locked, so the lock alone would let
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
	for _, n := range []struct {
		field string
		value int
	}{{"Epochs", c.Epochs}, {"InitialEpoch", c.InitialEpoch}, {"StepsPerEpoch", c.StepsPerEpoch}, {"ValidationSteps", c.ValidationSteps}} {
		if n.value < 0 {
			return nil, fmt.Errorf("expected %s of at least 1 (or 0 for the default), got %d", n.field, n.value)
		}
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
	if !slices.ContainsFunc(m.weights, func(w weight) bool { return w.trainable() }) {
		return nil, fmt.Errorf("expected at least one weight of model %q that is trainable to fit, got none", m.name)
	}
	for _, w := range m.weights {
		if w.fitting != nil {
			return nil, fmt.Errorf("%s is being trained already, by model %q", w.name, w.fitting.name)
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
	m.prepareSlots()
	return newTraining(m, d, ds, c, batch)
}
