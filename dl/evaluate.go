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
// result does not depend on it.
//
// Source: https://keras.io/api/models/model_training_apis/#evaluate-method
func (m *Model) Evaluate(ctx context.Context, ds *data.Dataset) (_ Logs, err error) {
	defer edge(&err)
	m.mu.Lock()
	defer m.mu.Unlock()
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	if err := m.accept("evaluate", ds, d, true); err != nil {
		return nil, err
	}
	return m.evaluateOn(ctx, d, ds.Source(), ds.BatchSize())
}

// Predict returns the model's outputs for a dataset's inputs: float32 [n, …].
// Labels are not needed, and Compile neither.
//
// Source: https://keras.io/api/models/model_training_apis/#predict-method
func (m *Model) Predict(ctx context.Context, ds *data.Dataset) (_ *tensors.Tensor, err error) {
	defer edge(&err)
	m.mu.Lock()
	defer m.mu.Unlock()
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	if err := m.accept("predict", ds, d, false); err != nil {
		return nil, err
	}
	s := ds.Source()
	r, err := newReader(d, s, ds.BatchSize())
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.rewind(d, s.Rows); err != nil {
		return nil, err
	}
	weights, err := weightsOn(d, m.weights)
	if err != nil {
		return nil, err
	}
	row := m.output()
	values := make([]float32, 0, len(s.Rows)*row.Size())
	for _, size := range r.sizes {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("stopped after %d of %d examples: %w", len(values)/row.Size(), len(s.Rows), err)
		}
		p, err := m.program(predict, d, s, size)
		if err != nil {
			return nil, err
		}
		in := append(append([]compute.Buffer{}, r.columns...), r.order, r.offset)
		out, err := p.Run(append(in, weights...))
		if err != nil {
			return nil, err
		}
		r.offset = out[0]
		n := len(values)
		values = values[:n+size*row.Size()]
		err = out[1].ToFlatData(values[n:])
		engine.Free(out[1])
		if err != nil {
			return nil, err
		}
	}
	return tensors.FromFlatDataAndDimensions(values, append([]int{len(s.Rows)}, row...)...), nil
}
