package dl

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
)

// Logs holds the loss and the metrics by name.
type Logs = callbacks.Logs

// Evaluate returns the loss, under "loss", and the metrics, under their names,
// over a dataset. Examples are read in batches of the dataset's BatchSize; the
// result does not depend on it, but for rounding. Of several outputs, each has a
// loss of its own, under "name_loss", and its metrics under "name_metric".
//
// Source: https://keras.io/api/models/model_training_apis/#evaluate-method
func (m *Model) Evaluate(ctx context.Context, ds *data.Dataset) (_ Logs, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	if err := m.accept("evaluate", ds, d, true); err != nil {
		return nil, err
	}
	return m.evaluateOn(ctx, d, ds.Source(), ds.BatchSize(), 0)
}

// Predict returns the model's output for a dataset's inputs: float32 [n, …]. Labels
// are not needed, and Compile neither. On a CPU, large batches are read in smaller
// portions, which is faster.
//
// Source: https://keras.io/api/models/model_training_apis/#predict-method
func (m *Model) Predict(ctx context.Context, ds *data.Dataset) (_ *tensors.Tensor, err error) {
	defer edge(&err)
	all, err := m.predictAll(ctx, ds)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, fmt.Errorf("expected a model of one output to Predict, model %q has %d; use PredictAll", m.name, len(all))
	}
	return all[0], nil
}

// PredictAll is Predict for models of several outputs, in the order of Outputs.
func (m *Model) PredictAll(ctx context.Context, ds *data.Dataset) (_ []*tensors.Tensor, err error) {
	defer edge(&err)
	return m.predictAll(ctx, ds)
}

func (m *Model) predictAll(ctx context.Context, ds *data.Dataset) ([]*tensors.Tensor, error) {
	lock.Lock()
	defer lock.Unlock()
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	if err := m.accept("predict", ds, d, false); err != nil {
		return nil, err
	}
	s := ds.Source()
	values := make([][]float32, len(m.outputs))
	for i, o := range m.outputs {
		values[i] = make([]float32, 0, max(s.Len(), 0)*o.shape.Size())
	}
	none := func() []compute.Buffer { return nil }
	// A batch is read when the next one is under way.
	n := len(m.outputs)
	var last []compute.Buffer
	var lastSize int
	take := func(out []compute.Buffer, size int) ([]compute.Buffer, error) {
		before, beforeSize := last, lastSize
		last, lastSize = out[:n:n], size
		return out[n:], gather(values, before, m.outputs, beforeSize)
	}
	done, err := m.pass(ctx, predict, d, s, m.portion(d, ds.BatchSize()), 0, none, take)
	if err != nil {
		engine.Free(last...)
		return nil, err
	}
	if err := gather(values, last, m.outputs, lastSize); err != nil {
		return nil, err
	}
	var result []*tensors.Tensor
	for i, o := range m.outputs {
		result = append(result, tensors.FromFlatDataAndDimensions(values[i], append([]int{done}, o.shape...)...))
	}
	return result, nil
}

// gather appends the outputs of a batch, if there is one.
func gather(values [][]float32, out []compute.Buffer, outputs []*Symbol, size int) error {
	for i, o := range outputs[:len(out)] {
		n := len(values[i])
		values[i] = append(values[i], make([]float32, size*o.shape.Size())...)
		err := out[i].ToFlatData(values[i][n:])
		engine.Free(out[i])
		if err != nil {
			return err
		}
	}
	return nil
}
