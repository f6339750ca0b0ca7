package dl

import (
	"context"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/format"
	"github.com/gradbook/gradbook/dl/internal/hooks"
	"github.com/gradbook/gradbook/dl/internal/train"
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
}

// Fit trains the model on a dataset, and returns what it measured. The last
// batch of an epoch may be smaller than the others. As in Keras it prints a line for
// each epoch, unless it is told to be Silent.
//
// If ctx is cancelled, Fit ends after the step under way (or a few, where they are short),
// with the history so far and an *InterruptedError. Called again, it goes on from there:
// with the same weights and the optimizer's state.
//
// Source: https://keras.io/api/models/model_training_apis/#fit-method
func (m *Model) Fit(ctx context.Context, ds *data.Dataset, c FitConfig) (*History, error) {
	h, err := m.m.Fit(ctx, ds, m.trainConfig(c))
	return (*History)(h), edge(err)
}

func (m *Model) trainConfig(c FitConfig) train.FitConfig {
	all := c.Callbacks
	if !c.Silent {
		all = append([]callbacks.Callback{&callbacks.ProgressBar{}}, all...)
	}
	return train.FitConfig{
		Epochs: c.Epochs, InitialEpoch: c.InitialEpoch, BatchSize: c.BatchSize, StepsPerEpoch: c.StepsPerEpoch,
		NoShuffle: c.NoShuffle, ValidationData: c.ValidationData, ValidationSplit: c.ValidationSplit,
		ValidationSteps: c.ValidationSteps, ClassWeight: c.ClassWeight, Callbacks: all,
		Hooks: hooks.Hooks{
			Weights: m.Weights, SetWeights: m.SetWeights, Save: m.Save, SaveWeights: m.SaveWeights, Model: m,
			Restore: func(path string) error { return format.Restore(m.m, path) },
		},
	}
}

// ModelOf returns the model that is trained, for a callback.
func ModelOf(t *callbacks.Training) *Model {
	m, _ := hooks.Model(t).(*Model)
	return m
}
