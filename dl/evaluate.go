package dl

import (
	"context"
	"fmt"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/train"
)

// EvaluateConfig says how Evaluate goes through a dataset. Its zero value is the default.
type EvaluateConfig struct {
	// BatchSize is the number of examples that are read together; 0 means the dataset's.
	// The result does not depend on it, but for rounding.
	BatchSize int
	// Steps ends after so many batches; 0 means at the end of the data.
	Steps int
}

// PredictConfig says how Predict goes through a dataset. Its zero value is the default.
type PredictConfig struct {
	// BatchSize is the number of examples that are read together; 0 means the dataset's.
	BatchSize int
	// Steps ends after so many batches; 0 means at the end of the data.
	Steps int
}

// the returns the one configuration that a call may have, or the default.
func the[C any](all []C) (c C, err error) {
	if len(all) > 1 {
		return c, fmt.Errorf("expected at most one %T, got %d", c, len(all))
	}
	if len(all) == 1 {
		c = all[0]
	}
	return c, nil
}

// Evaluate returns the loss, under "loss", and the metrics, under their names,
// over a dataset, which is read as a config, of which there may be one, says. Of several
// outputs, each has a loss of its own, under "name_loss", and its metrics under
// "name_metric".
//
// Source: https://keras.io/api/models/model_training_apis/#evaluate-method
func (m *Model) Evaluate(ctx context.Context, ds *data.Dataset, config ...EvaluateConfig) (Logs, error) {
	c, err := the(config)
	if err != nil {
		return nil, edge(err)
	}
	if ctx == nil {
		return nil, edge(errNoContext)
	}
	logs, err := m.m.Evaluate(ctx, ds, train.PassConfig(c))
	return logs, edge(err)
}

// Predict returns the model's output for a dataset's inputs: float32 [n, …]. Labels
// are not needed, and Compile neither. On a CPU, large batches are read in smaller
// portions, which is faster.
//
// Source: https://keras.io/api/models/model_training_apis/#predict-method
func (m *Model) Predict(ctx context.Context, ds *data.Dataset, config ...PredictConfig) (*Tensor, error) {
	all, err := m.predict(ctx, ds, config)
	if err == nil && len(all) > 1 {
		err = fmt.Errorf("expected a model of one output to Predict, model %q has %d; use PredictAll", m.Name(), len(all))
	}
	if err != nil {
		return nil, edge(err)
	}
	return all[0], nil
}

// PredictAll is Predict for models of several outputs, in the order of Outputs.
func (m *Model) PredictAll(ctx context.Context, ds *data.Dataset, config ...PredictConfig) ([]*Tensor, error) {
	all, err := m.predict(ctx, ds, config)
	return all, edge(err)
}

func (m *Model) predict(ctx context.Context, ds *data.Dataset, config []PredictConfig) ([]*Tensor, error) {
	c, err := the(config)
	if err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, errNoContext
	}
	return m.m.Predict(ctx, ds, train.PassConfig(c))
}
