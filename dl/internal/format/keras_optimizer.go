package format

import (
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/internal/hdf5"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// restoreOptimizer goes on where Keras stopped training: with the optimizer's steps, learning
// rate, and what it remembers of each weight, which Keras's files number in the order in which
// it makes them. It is called under the lock.
//
// Source: https://github.com/keras-team/keras/blob/master/keras/src/optimizers/base_optimizer.py
func (f kerasFile) restoreOptimizer(m *train.Model) error {
	o, slots := m.Optimizer()
	next := f.numbered("optimizer/vars/")
	iteration, ok := next()
	if o == nil || !ok {
		return nil
	}
	steps, ok := single(iteration)
	if !ok {
		return fmt.Errorf("expected the number of its steps, got %v", iteration.Values)
	}
	rate := o.Rate()
	if c, _ := f.compile["optimizer"].(map[string]any); !scheduled(c) {
		v, _ := next()
		now, ok := single(v)
		if !ok {
			return fmt.Errorf("expected its learning rate, got %v", v.Values)
		}
		if float32(rate) != now { // which has fewer digits than the configuration
			rate = float64(now)
		}
	}
	weights := trained(m.Network)
	values := make(map[*network.Variable]map[string][]float32)
	for _, w := range weights {
		values[w] = make(map[string][]float32)
	}
	read := 0
	for _, group := range kerasGroups(o, slots) {
		for i, w := range weights {
			for _, s := range group {
				if s.Scalar && i > 0 { // which Keras has once for all
					values[w][s.Name] = values[weights[0]][s.Name]
					continue
				}
				v, ok := next()
				if !ok && read == 0 {
					return nil // it has not trained yet
				}
				if want := slotShape(w, s); !ok || !slices.Equal(v.Shape, want) {
					return fmt.Errorf("expected %s of shape %v as number %d of what it remembers, got shape %v", s.Name, want, read, v.Shape)
				}
				values[w][s.Name] = v.Values
				read++
			}
		}
	}
	if _, more := next(); more {
		return fmt.Errorf("expected %d tensors that it remembers, got more", read)
	}
	return m.SetRemembered(int(steps), rate, func(w network.Weight, slot string) ([]float32, error) {
		v, ok := values[w.Variable][slot]
		if !ok {
			return nil, fmt.Errorf("expected %s of weight %q, got none", slot, w.Name)
		}
		return v, nil
	})
}

// single is a number of at least 0 that stands alone.
func single(d hdf5.Dataset) (v float32, ok bool) {
	if len(d.Values) != 1 || !(d.Values[0] >= 0) {
		return 0, false
	}
	return d.Values[0], true
}

func slotShape(w *network.Variable, s optimizers.Slot) []int {
	if s.Scalar {
		return nil
	}
	return w.Shape.Dimensions
}

// numbered returns the tensors under a path, one after the other.
func (f kerasFile) numbered(path string) (next func() (hdf5.Dataset, bool)) {
	i := 0
	return func() (hdf5.Dataset, bool) {
		d, ok := f.weights[fmt.Sprintf("%s%d", path, i)]
		i++
		return d, ok
	}
}

// scheduled says whether an optimizer has a schedule, so that its learning rate is no variable.
func scheduled(optimizer map[string]any) bool {
	c, _ := optimizer["config"].(map[string]any)
	_, object := c["learning_rate"].(map[string]any)
	return object
}

// kerasGroups are the optimizer's slots in Keras's order: those of a group stand side by side
// for each weight, and one group is behind the other.
func kerasGroups(o optimizers.Optimizer, slots []optimizers.Slot) (groups [][]optimizers.Slot) {
	_, apart := o.(optimizers.RMSprop)
	var options, own [][]optimizers.Slot
	for _, s := range slots {
		one := []optimizers.Slot{s}
		switch {
		case s.Name == "average":
			options = append([][]optimizers.Slot{one}, options...)
		case s.Name == "accumulated":
			options = append(options, one)
		case len(own) == 0 || apart || s.Scalar || s.Name == "velocity_hat":
			own = append(own, one)
		default:
			own[len(own)-1] = append(own[len(own)-1], s)
		}
	}
	return append(options, own...)
}

// trained are the weights that are trained, in the order in which Keras has them.
func trained(n *network.Network) (all []*network.Variable) {
	left := make(map[*network.Variable]bool) // a layer may be called twice
	for _, w := range n.Weights {
		left[w.Variable] = w.Trainable()
	}
	inKerasOrder(n, "", func(l *network.Layer, _ string) {
		for _, w := range l.Weights {
			if left[w] {
				left[w] = false
				all = append(all, w)
			}
		}
	})
	return all
}
