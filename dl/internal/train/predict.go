package train

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
)

// PassConfig says how to go through a dataset.
type PassConfig struct {
	// BatchSize is the number of examples that are read together; 0 means the dataset's.
	BatchSize int
	// Steps ends it after so many batches; 0 means at the end.
	Steps int
}

// Evaluate returns the loss and the metrics over a dataset.
func (m *Model) Evaluate(ctx context.Context, ds *data.Dataset, c PassConfig) (callbacks.Logs, error) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	d, batch, err := m.toPass("evaluate", ds, c, true)
	if err != nil {
		return nil, err
	}
	return m.evaluateOn(ctx, d, source.Of(ds), batch, c.Steps)
}

// toPass checks what a pass is asked for.
func (m *Model) toPass(what string, ds *data.Dataset, c PassConfig, labels bool) (*device.Device, int, error) {
	d, err := device.Current()
	if err != nil {
		return nil, 0, err
	}
	if c.Steps < 0 {
		return nil, 0, fmt.Errorf("expected Steps of at least 1 (or 0 for all), got %d", c.Steps)
	}
	if err := m.accept(what, ds, d, labels); err != nil {
		return nil, 0, err
	}
	batch, err := wantBatch(c.BatchSize, ds)
	return d, batch, err
}

// Predict returns the model's outputs for a dataset's inputs.
func (m *Model) Predict(ctx context.Context, ds *data.Dataset, c PassConfig) ([]*tensors.Tensor, error) {
	m.Lock.Lock()
	defer m.Lock.Unlock()
	d, batch, err := m.toPass("predict", ds, c, false)
	if err != nil {
		return nil, err
	}
	s := source.Of(ds)
	portion, steps := m.Portion(d, batch), c.Steps
	if steps > 0 {
		portion = batch // of which Steps counts
	}
	examples := s.Len()
	if steps > 0 && (examples < 0 || examples > steps*batch) {
		examples = steps * batch
	}
	values := make([][]float32, len(m.Outputs))
	for i, o := range m.Outputs {
		values[i] = make([]float32, 0, max(examples, 0)*o.Shape.Size())
	}
	none := func() []compute.Buffer { return nil }
	// A batch is read when the next one is under way.
	n := len(m.Outputs)
	var last []compute.Buffer
	var lastSize int
	take := func(out []compute.Buffer, size int) ([]compute.Buffer, error) {
		before, beforeSize := last, lastSize
		last, lastSize = out[:n:n], size
		return out[n:], gather(values, before, m.Outputs, beforeSize)
	}
	done, err := m.pass(ctx, predict, d, s, portion, steps, none, take)
	if err != nil {
		engine.Free(last...)
		return nil, err
	}
	if err := gather(values, last, m.Outputs, lastSize); err != nil {
		return nil, err
	}
	var result []*tensors.Tensor
	for i, o := range m.Outputs {
		result = append(result, tensors.FromFlatDataAndDimensions(values[i], append([]int{done}, o.Shape...)...))
	}
	return result, nil
}

// gather appends the outputs of a batch, if there is one.
func gather(values [][]float32, out []compute.Buffer, outputs []*network.Symbol, size int) error {
	for i, o := range outputs[:len(out)] {
		n := len(values[i])
		values[i] = append(values[i], make([]float32, size*o.Shape.Size())...)
		err := out[i].ToFlatData(values[i][n:])
		engine.Free(out[i])
		if err != nil {
			return err
		}
	}
	return nil
}
