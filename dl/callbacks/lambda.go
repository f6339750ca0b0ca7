package callbacks

// LambdaCallback is a Callback of functions; those that are nil do nothing.
//
// Source: https://keras.io/api/callbacks/lambda_callback/
type LambdaCallback struct {
	TrainBegin      func(*Training) error
	TrainEnd        func(*Training) error
	EpochBegin      func(*Training) error
	EpochEnd        func(*Training, Logs) error
	TrainBatchBegin func(*Training) error
	TrainBatchEnd   func(*Training) error
}

// OnTrainBegin implements Callback.
func (l LambdaCallback) OnTrainBegin(t *Training) error { return call(l.TrainBegin, t) }

// OnTrainEnd implements Callback.
func (l LambdaCallback) OnTrainEnd(t *Training) error { return call(l.TrainEnd, t) }

// OnEpochBegin implements Callback.
func (l LambdaCallback) OnEpochBegin(t *Training) error { return call(l.EpochBegin, t) }

// OnEpochEnd implements Callback.
func (l LambdaCallback) OnEpochEnd(t *Training, logs Logs) error {
	if l.EpochEnd == nil {
		return nil
	}
	return l.EpochEnd(t, logs)
}

// OnTrainBatchBegin implements Callback.
func (l LambdaCallback) OnTrainBatchBegin(t *Training) error { return call(l.TrainBatchBegin, t) }

// OnTrainBatchEnd implements Callback.
func (l LambdaCallback) OnTrainBatchEnd(t *Training) error { return call(l.TrainBatchEnd, t) }

func call(f func(*Training) error, t *Training) error {
	if f == nil {
		return nil
	}
	return f(t)
}
