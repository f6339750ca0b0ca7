package dl

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

var errNotBuilt = errors.New("the model is not built: its input shape is not known; begin it with a layers.Input, or call BuildFor")

// WeightNames returns the names of the weights, "layer/weight", in the order of
// Weights.
func (m *Model) WeightNames() []string {
	lock.Lock()
	defer lock.Unlock()
	var names []string
	for _, w := range m.kept() {
		names = append(names, w.name)
	}
	return names
}

// kept are the weights but for what stateful layers carry from batch to batch.
func (m *Model) kept() (all []weight) {
	for _, w := range m.weights {
		if !w.state {
			all = append(all, w)
		}
	}
	return all
}

// Weights returns a copy of all weights: layer by layer, kernel before bias, as
// Keras's get_weights.
func (m *Model) Weights() (_ []*tensors.Tensor, err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return nil, errNotBuilt
	}
	return read(m.kept())
}

// SetWeights replaces all weights, given in the order of Weights, as Keras's
// set_weights. If one does not fit, none is replaced.
func (m *Model) SetWeights(weights []*tensors.Tensor) (err error) {
	defer edge(&err)
	lock.Lock()
	defer lock.Unlock()
	if m.inputs == nil {
		return errNotBuilt
	}
	return write(fmt.Sprintf("model %q", m.name), m.kept(), weights)
}
