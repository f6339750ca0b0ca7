package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// carrying is where the states of a recurrence come from and go to, whatever its steps compute.
type carrying struct {
	sequences, returnState bool
	backwards, stateful    bool
}

// stateName is the name of a state that is carried from batch to batch.
func stateName(i int) string {
	if names := []string{"state_h", "state_c"}; i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("state_%d", i)
}

// want reports initial states, behind the first of the inputs, that do not fit.
func (r carrying) want(in, states []Shape) error {
	if len(in) > 1 && len(in) != 1+len(states) {
		return fmt.Errorf("expected %d initial states, got %d", len(states), len(in)-1)
	}
	for i, s := range in[1:] {
		if !s.Equal(states[i]) {
			return misfit(s, "expected initial states of shape %v, got %v", states[i], s)
		}
	}
	return nil
}

// spec is what a layer returns for so many steps, of each of which y is the output, with the
// states among its weights.
func (r carrying) spec(steps int, y Shape, states []Shape, w []Weight) Spec {
	if r.stateful {
		for i, state := range states {
			w = append(w, Weight{Name: stateName(i), Shape: state, State: true})
		}
	}
	s := Spec{Output: y, Weights: w, KeepsMask: r.sequences}
	if r.sequences {
		s.Output = append(Shape{steps}, y...)
	}
	if r.returnState {
		s.Outputs = append([]Shape{s.Output}, states...)
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
func (r carrying) begin(c *Context, in []*tensor.Node, states []Shape) []*tensor.Node {
	if len(in) > 1 {
		return in[1:]
	}
	carry := make([]*tensor.Node, len(states))
	for i, s := range states {
		if r.stateful {
			carry[i] = graph.ConvertDType(c.Variable(stateName(i)), in[0].DType())
		} else {
			carry[i] = graph.Zeros(in[0].Graph(), shapes.Make(in[0].DType(), append([]int{batchOf(in)}, s...)...))
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

// spread repeats what is said of examples, [batch], or of their steps, [batch, steps], for all
// the numbers of each.
func spread(said, like *tensor.Node) *tensor.Node {
	d := slices.Repeat([]int{1}, like.Rank())
	copy(d, said.Shape().Dimensions)
	return graph.BroadcastToDims(graph.Reshape(said, d...), like.Shape().Dimensions...)
}

// inSinglePrecision runs a recurrence on what is given in 16 bits in 32, since GoMLX cannot
// multiply 16 bits in a loop, and a state that is carried over many steps is better kept so.
func inSinglePrecision(c *Context, in []*tensor.Node, call func(c *Context, in []*tensor.Node) []*tensor.Node) []*tensor.Node {
	kind := in[0].DType()
	if kind != dtypes.Float16 && kind != dtypes.BFloat16 {
		return call(c, in)
	}
	wide := *c
	wide.DType = dtypes.Float32
	all := make([]*tensor.Node, len(in))
	for i, x := range in {
		all[i] = graph.ConvertDType(x, dtypes.Float32)
	}
	outs := call(&wide, all)
	for i, y := range outs {
		outs[i] = graph.ConvertDType(y, kind)
	}
	return outs
}
