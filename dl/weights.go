package dl

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/network"
)

// WeightNames returns the names of the weights, "layer/weight", in the order of
// Weights.
func (m *Model) WeightNames() []string {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	return namesOf(network.Kept(m.m.Weights))
}

func namesOf(weights []network.Weight) (names []string) {
	for _, w := range weights {
		names = append(names, w.Name)
	}
	return names
}

// Weights returns a copy of all weights: layer by layer, kernel before bias, as
// Keras's get_weights.
func (m *Model) Weights() ([]*Tensor, error) {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	if m.m.Inputs == nil {
		return nil, m.notBuilt()
	}
	all, err := network.Read(network.Kept(m.m.Weights))
	return all, edge(err)
}

// SetWeights replaces all weights, given in the order of Weights, as Keras's
// set_weights. If one does not fit, none is replaced.
func (m *Model) SetWeights(weights []*Tensor) error {
	m.m.Lock.Lock()
	defer m.m.Lock.Unlock()
	if m.m.Inputs == nil {
		return m.notBuilt()
	}
	return edge(network.Write(fmt.Sprintf("model %q", m.m.Name), network.Kept(m.m.Weights), weights))
}
