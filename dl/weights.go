package dl

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

var errNotBuilt = errors.New("the model is not built: its input shape is not known; begin it with a layers.Input, or call Build")

// WeightNames returns the names of the weights, "layer/weight", in the order of
// Weights.
func (m *Model) WeightNames() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for _, v := range m.weights {
		names = append(names, v.name)
	}
	return names
}

// Weights returns a copy of all weights: layer by layer, kernel before bias, as
// Keras's get_weights.
func (m *Model) Weights() (_ []*tensors.Tensor, err error) {
	defer edge(&err)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.input == nil {
		return nil, errNotBuilt
	}
	var all []*tensors.Tensor
	for _, v := range m.weights {
		values, err := v.values()
		if err != nil {
			return nil, err
		}
		all = append(all, tensors.FromFlatDataAndDimensions(values, v.shape.Dimensions...))
	}
	return all, nil
}

// SetWeights replaces all weights, given in the order of Weights, as Keras's
// set_weights. If one does not fit, none is replaced.
func (m *Model) SetWeights(weights []*tensors.Tensor) (err error) {
	defer edge(&err)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.input == nil {
		return errNotBuilt
	}
	if len(weights) != len(m.weights) {
		return fmt.Errorf("expected %d weights for model %q, got %d", len(m.weights), m.name, len(weights))
	}
	all := make([][]float32, len(weights))
	for i, v := range m.weights {
		if weights[i] == nil {
			return fmt.Errorf("expected %v for weight %q, got nil", v.shape, v.name)
		}
		if !weights[i].Shape().Equal(v.shape) {
			return fmt.Errorf("expected %v for weight %q, got %v", v.shape, v.name, weights[i].Shape())
		}
		var err error
		if all[i], err = tensors.CopyFlatData[float32](weights[i]); err != nil {
			return fmt.Errorf("weight %q: %w", v.name, err)
		}
	}
	for i, v := range m.weights {
		v.set(all[i])
	}
	return nil
}
