package callbacks

import (
	"fmt"
	"io"
)

// ReduceLROnPlateau lowers the learning rate when a number has not got better for some
// epochs. It is used by address, as it remembers.
//
// Source: https://keras.io/api/callbacks/reduce_lr_on_plateau/
type ReduceLROnPlateau struct {
	Base
	// Monitor is the name of the number; "" means "val_loss".
	Monitor string
	// Factor multiplies the rate, in (0, 1); 0 means 0.1.
	Factor float64
	// Patience is how many epochs it takes; 0 means 10.
	Patience int
	// Mode is Auto unless set.
	Mode Mode
	// MinDelta is by how much the number must get better; 0 means 0.0001.
	MinDelta float64
	// Cooldown is how many epochs are not watched after the rate was lowered.
	Cooldown int
	// MinLR is where the rate stays.
	MinLR float64
	// W is told when the rate is lowered; nil is nobody.
	W io.Writer

	monitor        monitor
	wait, cooldown int
}

// OnTrainBegin implements Callback.
func (r *ReduceLROnPlateau) OnTrainBegin(*Training) error {
	if !(r.Factor >= 0 && r.Factor < 1) || r.Patience < 0 || r.Cooldown < 0 || !(r.MinLR >= 0) {
		return fmt.Errorf("expected a Factor in (0, 1), and Patience, Cooldown and MinLR of at least 0, got %g, %d, %d and %g", r.Factor, r.Patience, r.Cooldown, r.MinLR)
	}
	delta := r.MinDelta
	if delta == 0 {
		delta = 1e-4
	}
	r.monitor = newMonitor(r.Monitor, r.Mode, delta)
	r.wait, r.cooldown = 0, 0
	return nil
}

// OnEpochEnd implements Callback.
func (r *ReduceLROnPlateau) OnEpochEnd(t *Training, logs Logs) error {
	v, err := r.monitor.value(logs)
	if err != nil {
		return err
	}
	logs["learning_rate"] = t.LearningRate()
	if r.cooldown > 0 {
		r.cooldown--
		r.wait = 0
	}
	if r.monitor.better(v, r.monitor.best) {
		r.monitor.best, r.wait = v, 0
		return nil
	}
	if r.cooldown > 0 {
		return nil
	}
	patience, factor := r.Patience, r.Factor
	if patience == 0 {
		patience = 10
	}
	if factor == 0 {
		factor = 0.1
	}
	if r.wait++; r.wait < patience {
		return nil
	}
	old := t.LearningRate()
	if float32(old) <= float32(r.MinLR) {
		return nil
	}
	rate := max(old*factor, r.MinLR)
	r.cooldown, r.wait = r.Cooldown, 0
	if r.W != nil {
		if _, err := fmt.Fprintf(r.W, "epoch %d: learning rate %g → %g\n", t.Epoch+1, old, rate); err != nil {
			return err
		}
	}
	return t.SetLearningRate(rate)
}

// LearningRateScheduler sets the learning rate at the beginning of each epoch.
//
// Source: https://keras.io/api/callbacks/learning_rate_scheduler/
type LearningRateScheduler struct {
	Base
	// Schedule gets the epoch, from 0, and the rate so far, and returns the new one.
	Schedule func(epoch int, rate float64) float64
}

// OnEpochBegin implements Callback.
func (l LearningRateScheduler) OnEpochBegin(t *Training) error {
	if l.Schedule == nil {
		return fmt.Errorf("expected a Schedule, got nil")
	}
	return t.SetLearningRate(l.Schedule(t.Epoch, t.LearningRate()))
}

// OnEpochEnd implements Callback.
func (l LearningRateScheduler) OnEpochEnd(t *Training, logs Logs) error {
	logs["learning_rate"] = t.LearningRate()
	return nil
}
