// Package callbacks lets a program watch training and step in.
//
// Fit calls each callback in the order given. A callback embeds Base and
// defines the methods that it needs:
//
//	type Patience struct {
//		callbacks.Base
//		best float64
//	}
//
//	func (p *Patience) OnEpochEnd(t *callbacks.Training, logs callbacks.Logs) error {
//		if logs["val_loss"] > p.best { t.Stop() }
//		…
//	}
//
// Source: https://keras.io/api/callbacks/base_callback/
package callbacks

import (
	"errors"

	"github.com/gradbook/gradbook/dl/internal/hooks"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Callback is told what happens in Fit. An error ends Fit, which returns it.
// A callback may use the model that is trained: evaluate it, read its weights or
// set them.
type Callback interface {
	OnTrainBegin(t *Training) error
	OnTrainEnd(t *Training) error
	OnEpochBegin(t *Training) error
	// OnEpochEnd gets the means over the epoch, with the validation's under
	// names that begin with "val_".
	OnEpochEnd(t *Training, logs Logs) error
	OnTrainBatchBegin(t *Training) error
	// OnTrainBatchEnd can ask t for the means so far. That waits for the
	// device, which is why they are not handed in.
	OnTrainBatchEnd(t *Training) error
}

// Logs holds the loss and the metrics by name.
type Logs map[string]float64

// Base is a Callback that does nothing.
type Base struct{}

// OnTrainBegin implements Callback.
func (Base) OnTrainBegin(*Training) error { return nil }

// OnTrainEnd implements Callback.
func (Base) OnTrainEnd(*Training) error { return nil }

// OnEpochBegin implements Callback.
func (Base) OnEpochBegin(*Training) error { return nil }

// OnEpochEnd implements Callback.
func (Base) OnEpochEnd(*Training, Logs) error { return nil }

// OnTrainBatchBegin implements Callback.
func (Base) OnTrainBatchBegin(*Training) error { return nil }

// OnTrainBatchEnd implements Callback.
func (Base) OnTrainBatchEnd(*Training) error { return nil }

// Training is the state of a Fit. dl.ModelOf returns the model that is trained.
type Training struct {
	// Epochs is how many there will be, Steps how many batches each has (−1 if
	// that is not known yet), BatchSize and Examples what they are made of.
	Epochs, Steps, BatchSize, Examples int
	// Metrics names the logs in the order in which to show them, the loss last.
	Metrics []string
	// Validation says that the logs of an epoch hold validation's too.
	Validation bool
	// Epoch is the epoch under way, Batch its batch under way, both from 0.
	Epoch, Batch int

	hooks   *hooks.Hooks // nil without a Fit
	stopped bool
}

func init() {
	hooks.Attach = func(training any, h hooks.Hooks) { training.(*Training).hooks = &h }
	hooks.Writes = func(callback any) bool {
		switch callback.(type) {
		case *ProgressBar, *CSVLogger, *TensorBoard:
			return true
		}
		return false
	}
	hooks.Model = func(training any) any {
		if h := training.(*Training).hooks; h != nil {
			return h.Model
		}
		return nil
	}
}

// errNoFit is the error of a Training that no Fit has made, as tests of callbacks do.
var errNoFit = errors.New("callbacks: expected a Training of a Fit, got one of which there is none")

// Logs returns the means over the epoch so far. It waits for the device.
func (t *Training) Logs() (Logs, error) {
	if t.hooks == nil {
		return nil, errNoFit
	}
	logs, err := t.hooks.Logs()
	return logs, err
}

// LearningRate returns the optimizer's rate; 0 if there is no Fit.
func (t *Training) LearningRate() float64 {
	if t.hooks == nil {
		return 0
	}
	return t.hooks.LearningRate()
}

// SetLearningRate changes the rate, from the next step on.
func (t *Training) SetLearningRate(rate float64) error {
	if t.hooks == nil {
		return errNoFit
	}
	return t.hooks.SetLearningRate(rate)
}

// Weights returns a copy of the model's weights.
func (t *Training) Weights() ([]*tensor.Tensor, error) {
	if t.hooks == nil {
		return nil, errNoFit
	}
	return t.hooks.Weights()
}

// SetWeights replaces them.
func (t *Training) SetWeights(w []*tensor.Tensor) error {
	if t.hooks == nil {
		return errNoFit
	}
	return t.hooks.SetWeights(w)
}

// Save writes the model to a file, with the optimizer's state and how far training
// has come.
func (t *Training) Save(path string) error {
	return t.file(path, func(h *hooks.Hooks) func(string) error { return h.Save })
}

// SaveWeights writes the model's weights to a file.
func (t *Training) SaveWeights(path string) error {
	return t.file(path, func(h *hooks.Hooks) func(string) error { return h.SaveWeights })
}

// Restore goes on where a file of Save left off. It is for OnTrainBegin.
func (t *Training) Restore(path string) error {
	return t.file(path, func(h *hooks.Hooks) func(string) error { return h.Restore })
}

func (t *Training) file(path string, of func(h *hooks.Hooks) func(string) error) error {
	if t.hooks == nil {
		return errNoFit
	}
	return of(t.hooks)(path)
}

// Stop ends Fit after the batch under way.
func (t *Training) Stop() { t.stopped = true }

// Stopped says whether Stop was called.
func (t *Training) Stopped() bool { return t.stopped }
