package dl

import (
	"context"
	"errors"
	"fmt"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/train"
)

// BatchConfig says what belongs to a batch beside one input and its labels. Its zero value adds
// nothing.
type BatchConfig struct {
	// Context ends what is done before it is begun, if it is cancelled; nil is none.
	Context context.Context
	// Inputs and Labels are those of further inputs and outputs of the model, in its order.
	Inputs, Labels []*Tensor
	// SampleWeight is the weight of each example; nil is 1 of all.
	SampleWeight []float32
	// ClassWeight multiplies the loss of examples by the weight of their class, 1 unless
	// set. It is for TrainOnBatch.
	ClassWeight map[int]float64
}

// dataset is the batch as a dataset.
func (c BatchConfig) dataset(x, labels *Tensor) (*data.Dataset, error) {
	ds, err := data.New(x, labels)
	if err != nil {
		return nil, err
	}
	for i, more := range c.Inputs {
		next, err := data.New(more, nil)
		if err != nil {
			return nil, fmt.Errorf("place %d of Inputs: %w", i, err)
		}
		ds = data.Zip(ds, next)
	}
	for i, more := range c.Labels {
		next, err := data.New(more, nil)
		if err != nil {
			return nil, fmt.Errorf("place %d of Labels: %w", i, err)
		}
		ds = ds.WithLabels(next)
	}
	if c.SampleWeight != nil {
		ds = ds.WithWeights(c.SampleWeight)
	}
	if ds.Err() != nil {
		return nil, ds.Err()
	}
	return ds, nil
}

// on is what the methods for batches begin with.
func (m *Model) on(x, labels *Tensor, config []BatchConfig) (context.Context, BatchConfig, *data.Dataset, error) {
	c, err := the(config)
	if err != nil {
		return nil, c, nil, err
	}
	ctx := orBackground(c.Context)
	if err := ctx.Err(); err != nil {
		return nil, c, nil, err
	}
	ds, err := c.dataset(x, labels)
	return ctx, c, ds, err
}

// TrainOnBatch does one step on a batch, and returns what it measured there. labels are
// not needed where the model has a Step that does without.
//
// Source: https://keras.io/api/models/model_training_apis/#trainonbatch-method
func (m *Model) TrainOnBatch(x, labels *Tensor, config ...BatchConfig) (Logs, error) {
	ctx, c, ds, err := m.on(x, labels, config)
	if err != nil {
		return nil, edge(err)
	}
	f := m.trainConfig(FitConfig{BatchSize: ds.Len(), NoShuffle: true, Silent: true, ClassWeight: c.ClassWeight})
	f.Once = true
	h, err := m.m.Fit(ctx, ds, f)
	if err != nil {
		return nil, edge(err)
	}
	return (*History)(h).Last(), nil
}

// TestOnBatch returns the loss and the metrics on a batch.
//
// Source: https://keras.io/api/models/model_training_apis/#testonbatch-method
func (m *Model) TestOnBatch(x, labels *Tensor, config ...BatchConfig) (Logs, error) {
	ctx, c, ds, err := m.on(x, labels, config)
	if err == nil && c.ClassWeight != nil {
		err = errors.New("expected ClassWeight for TrainOnBatch only, got it for TestOnBatch")
	}
	if err != nil {
		return nil, edge(err)
	}
	logs, err := m.m.Evaluate(ctx, ds, train.PassConfig{BatchSize: ds.Len()})
	return logs, edge(err)
}

// PredictOnBatch returns the model's outputs for a batch, in the order of Outputs. Labels and
// weights of examples are not used.
//
// Source: https://keras.io/api/models/model_training_apis/#predictonbatch-method
func (m *Model) PredictOnBatch(x *Tensor, config ...BatchConfig) ([]*Tensor, error) {
	ctx, c, ds, err := m.on(x, nil, config)
	if err == nil && (c.Labels != nil || c.SampleWeight != nil || c.ClassWeight != nil) {
		err = errors.New("expected inputs only for PredictOnBatch, got labels or weights")
	}
	if err != nil {
		return nil, edge(err)
	}
	all, err := m.m.Predict(ctx, ds, train.PassConfig{BatchSize: ds.Len()})
	return all, edge(err)
}
