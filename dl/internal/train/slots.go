package train

import (
	"slices"

	"github.com/gomlx/compute/dtypes"

	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// slotNames are what is remembered for each weight that is trained.
func (c *compiled) slotNames() []optimizers.Slot {
	if c.Optimizer == nil {
		return nil
	}
	all := slices.Clone(c.Optimizer.Slots())
	o := c.Optimizer.Common()
	if o.GradientAccumulationSteps > 1 || c.Privacy != nil {
		all = append(all, optimizers.Slot{Name: "accumulated"})
	}
	if o.UseEMA {
		all = append(all, optimizers.Slot{Name: "average"})
	}
	return all
}

// prepareSlots makes the optimizer's slots for the weights that it trains.
func (m *Model) prepareSlots() {
	m.makeSlots(network.Weight.Trainable, true)
}

// prepareSaved makes the slots that a file has.
func (m *Model) prepareSaved(has func(name string) bool) {
	names := m.compiled.slotNames()
	saved := func(w network.Weight) bool {
		return len(names) > 0 && !w.Fixed && has(slotName(w, names[0]))
	}
	m.makeSlots(saved, has(scaleNames[0]))
}

// makeSlots makes what is missing: the slots of some weights, and the scale of a
// float16 loss with the steps since it was changed.
func (m *Model) makeSlots(of func(network.Weight) bool, scale bool) {
	c := m.compiled
	for _, w := range m.Weights {
		if c.slots[w.Variable] == nil && of(w) {
			c.slots[w.Variable] = m.newSlots(w)
		}
	}
	if scale && m.Policy == dtypes.Float16 && c.scale == nil {
		c.scale = []*network.Variable{network.NewVariable(nil, []float32{1 << 15}), network.NewVariable(nil, []float32{0})}
	}
}

func (m *Model) newSlots(w network.Weight) []*network.Variable {
	slots := []*network.Variable{}
	for _, s := range m.compiled.slotNames() {
		shape := layers.Shape(w.Shape.Dimensions)
		if s.Scalar {
			shape = layers.Shape{}
		}
		values := make([]float32, shape.Size())
		for i := range values {
			values[i] = float32(s.Initial)
		}
		slots = append(slots, network.NewVariable(shape, values))
	}
	return slots
}

// scaleNames are those of the scale of a float16 loss.
var scaleNames = []string{"optimizer/loss_scale", "optimizer/good_steps"}

func slotName(w network.Weight, s optimizers.Slot) string {
	return "optimizer/" + w.Name + "/" + s.Name
}

// Remembered is all that the optimizer remembers, also of weights that are frozen now:
// slots in the order of the weights, then the scale of the loss.
func (m *Model) Remembered() []network.Weight {
	return m.slotsOf(func(network.Weight) bool { return true })
}

// OptimizerVariables are what the optimizer keeps now. It is called under the lock.
func (m *Model) OptimizerVariables() []*network.Variable {
	if m.compiled == nil || len(m.compiled.slots) == 0 {
		return nil
	}
	return network.VariablesOf(m.state())
}

// state is what training changes beside the weights.
func (m *Model) state() []network.Weight { return m.slotsOf(network.Weight.Trainable) }

func (m *Model) slotsOf(which func(network.Weight) bool) (all []network.Weight) {
	names := m.compiled.slotNames()
	for _, w := range m.Weights {
		if !which(w) {
			continue
		}
		for i, v := range m.compiled.slots[w.Variable] {
			all = append(all, network.Weight{Name: slotName(w, names[i]), Variable: v})
		}
	}
	for i, v := range m.compiled.scale {
		all = append(all, network.Weight{Name: scaleNames[i], Variable: v})
	}
	return all
}
