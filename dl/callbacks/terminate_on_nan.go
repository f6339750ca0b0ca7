package callbacks

import (
	"fmt"
	"math"
)

// TerminateOnNaN ends training with an error when the loss is no longer a number. It
// looks after each batch, which waits for the device.
//
// Source: https://keras.io/api/callbacks/terminate_on_nan/
type TerminateOnNaN struct {
	Base
}

// OnTrainBatchEnd implements Callback.
func (TerminateOnNaN) OnTrainBatchEnd(t *Training) error {
	logs, err := t.Logs()
	if err != nil {
		return err
	}
	if loss := logs["loss"]; math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("the loss is %v in batch %d of epoch %d; a smaller learning rate, or clipping, may help", loss, t.Batch+1, t.Epoch+1)
	}
	return nil
}
