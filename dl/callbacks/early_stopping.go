package callbacks

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/tensor"
)

// EarlyStopping ends training when a number has not got better for some epochs.
//
//	callbacks.EarlyStopping{Patience: 3, RestoreBestWeights: true}
//
// It is used by address, as it remembers: &callbacks.EarlyStopping{…}.
//
// Source: https://keras.io/api/callbacks/early_stopping/
type EarlyStopping struct {
	Base
	// Monitor is the name of the number; "" means "val_loss".
	Monitor string
	// MinDelta is by how much it must get better to count.
	MinDelta float64
	// Patience is how many epochs without that it takes.
	Patience int
	// Mode is Auto unless set.
	Mode Mode
	// Baseline is a value that must be beaten, or training ends; nil is none.
	Baseline *float64
	// RestoreBestWeights sets the weights to those of the best epoch at the end.
	RestoreBestWeights bool
	// StartFromEpoch is the first epoch that is watched, from 0.
	StartFromEpoch int

	// StoppedEpoch is the epoch, from 0, in which training was ended; −1 if it was
	// not. BestEpoch is the best one so far.
	StoppedEpoch, BestEpoch int

	monitor monitor
	wait    int
	best    []*tensor.Tensor
}

// OnTrainBegin implements Callback.
func (e *EarlyStopping) OnTrainBegin(*Training) error {
	if e.Patience < 0 || e.StartFromEpoch < 0 {
		return fmt.Errorf("expected Patience and StartFromEpoch of at least 0, got %d and %d", e.Patience, e.StartFromEpoch)
	}
	e.monitor = newMonitor(e.Monitor, e.Mode, e.MinDelta)
	e.wait, e.best, e.StoppedEpoch, e.BestEpoch = 0, nil, -1, 0
	return nil
}

// OnEpochEnd implements Callback.
func (e *EarlyStopping) OnEpochEnd(t *Training, logs Logs) error {
	v, err := e.monitor.value(logs)
	if err != nil || t.Epoch < e.StartFromEpoch {
		return err
	}
	if e.RestoreBestWeights && e.best == nil {
		if e.best, err = t.Weights(); err != nil {
			return err
		}
		e.BestEpoch = t.Epoch
	}
	e.wait++
	if e.monitor.better(v, e.monitor.best) {
		e.monitor.best, e.BestEpoch = v, t.Epoch
		if e.RestoreBestWeights {
			if e.best, err = t.Weights(); err != nil {
				return err
			}
		}
		if e.Baseline == nil || e.monitor.better(v, *e.Baseline) {
			e.wait = 0
		}
		return nil
	}
	if e.wait >= e.Patience && t.Epoch > 0 {
		e.StoppedEpoch = t.Epoch
		t.Stop()
	}
	return nil
}

// OnTrainEnd implements Callback.
func (e *EarlyStopping) OnTrainEnd(t *Training) error {
	if e.RestoreBestWeights && e.best != nil {
		return t.SetWeights(e.best)
	}
	return nil
}
