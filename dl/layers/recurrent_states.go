package layers

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// carrying is where the states of a recurrence come from and go to, whatever its steps compute.
type carrying struct {
	states                 int
	sequences, returnState bool
	backwards, stateful    bool
}

func stateName(i int) string { return []string{"state_h", "state_c"}[i] }

// want reports initial states, behind the first of the inputs, that do not fit.
func (r carrying) want(in []Shape, state Shape) error {
	if len(in) > 1 && len(in) != 1+r.states {
		return fmt.Errorf("expected %d initial states, got %d", r.states, len(in)-1)
	}
	for _, s := range in[1:] {
		if !s.Equal(state) {
			return misfit(s, "expected initial states of shape %v, got %v", state, s)
		}
	}
	return nil
}

// spec is what a layer returns for so many steps, with the states among its weights.
func (r carrying) spec(steps int, state Shape, w []Weight) Spec {
	if r.stateful {
		for i := range r.states {
			w = append(w, Weight{Name: stateName(i), Shape: state, State: true})
		}
	}
	s := Spec{Output: state, Weights: w, KeepsMask: r.sequences}
	if r.sequences {
		s.Output = append(Shape{steps}, state...)
	}
	if r.returnState {
		s.Outputs = []Shape{s.Output}
		for range r.states {
			s.Outputs = append(s.Outputs, state)
		}
	}
	return s
}

// turned are the steps and their mask in the order in which they are read.
func (r carrying) turned(x, mask *tensor.Node) (*tensor.Node, *tensor.Node) {
	if !r.backwards {
		return x, mask
	}
	if mask != nil {
		mask = graph.Reverse(mask, 1)
	}
	return ops.Reverse(x, 1), mask
}

// begin are the states before the first step, [batch, …]: given, of the last batch, or 0.
func (r carrying) begin(c *Context, in []*tensor.Node, dims ...int) []*tensor.Node {
	if len(in) > 1 {
		return in[1:]
	}
	carry := make([]*tensor.Node, r.states)
	for i := range carry {
		if r.stateful {
			carry[i] = graph.ConvertDType(c.Variable(stateName(i)), in[0].DType())
		} else {
			carry[i] = graph.Zeros(in[0].Graph(), shapes.Make(in[0].DType(), dims...))
		}
	}
	return carry
}

// end returns what the layer does, and keeps the last states for the next batch.
func (r carrying) end(c *Context, y *tensor.Node, last []*tensor.Node) []*tensor.Node {
	if r.stateful {
		for i, s := range last {
			c.Update(stateName(i), graph.StopGradient(s))
		}
	}
	if r.returnState {
		return append([]*tensor.Node{y}, last...)
	}
	return []*tensor.Node{y}
}
