package train

import (
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// Optimizer is what the model is compiled with, nil if it is not; and the names of what it
// remembers for each weight that is trained. It is called under the lock.
func (m *Model) Optimizer() (optimizers.Optimizer, []optimizers.Slot) {
	if m.compiled == nil || m.compiled.Optimizer == nil {
		return nil, nil
	}
	return m.compiled.Optimizer, m.compiled.slotNames()
}

// SetRemembered sets how many steps the optimizer has made, its learning rate, and what it
// remembers of each weight that is trained; or nothing, if one does not fit. It is called under
// the lock, of a compiled model.
func (m *Model) SetRemembered(iteration int, rate float64, of func(w network.Weight, slot string) ([]float32, error)) error {
	c := m.compiled
	slots, names := make(map[*network.Variable][]*network.Variable), c.slotNames()
	for _, w := range m.Weights {
		if !w.Trainable() || slots[w.Variable] != nil {
			continue
		}
		made := m.newSlots(w)
		for i, v := range made {
			values, err := of(w, names[i].Name)
			if err != nil {
				return err
			}
			if len(values) != v.Shape.Size() {
				return fmt.Errorf("expected %d numbers as %s, got %d", v.Shape.Size(), slotName(w, names[i]), len(values))
			}
			v.Set(slices.Clone(values))
		}
		slots[w.Variable] = made
	}
	c.slots, c.iteration, c.rate = slots, iteration, rate
	return nil
}
