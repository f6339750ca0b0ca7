package explain

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Method makes attributions of one input: x is [batch, …], and so is what is returned. The
// model must have one input; Joined makes one of a model with more.
//
// Of words, which an Embedding takes, methods of gradients explain what it makes of them, and a
// word gets the sum over its numbers (of Saliency, their Euclidean norm).
type Method interface {
	Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error)
}

// Target is what is explained: a number for each example. Its zero value is unit 0 of the
// first output, which is all of a regression.
type Target struct {
	// Output is which of the model's outputs, from 0 on.
	Output int
	// Unit is which number of the output, flattened, from 0 on: the class. Units are those
	// of each example, if they are not nil.
	Unit  int
	Units []int
	// Probability explains what a last softmax or sigmoid makes. Unless set, what goes into
	// it is explained, which does not depend on other classes.
	Probability bool
}

// Class is the target of one class.
func Class(k int) Target { return Target{Unit: k} }

// Classes are targets of each example.
func Classes(k ...int) Target { return Target{Units: k} }

// Predicted is the class with the largest output, of each example.
func Predicted(m *dl.Model, x *tensor.Tensor) (Target, error) {
	v, err := outputs(m, Target{})
	if err != nil {
		return Target{}, err
	}
	out, err := v.outputs(x)
	if err != nil {
		return Target{}, err
	}
	best, err := dl.ArgMax(out)
	return Target{Units: best}, err
}

// node is the output of which the target is a unit.
func (t Target) node(m *dl.Model, f *network.Flow) *graph.Node {
	y := f.Values[train.Of(m).Outputs[t.Output]]
	if logits, ok := f.Pass.Logits(y); ok && !t.Probability {
		return logits.Node
	}
	return y
}

// wanted checks a model and an input.
func wanted(m *dl.Model, x *tensor.Tensor) ([]float32, error) {
	if m == nil || x == nil {
		return nil, fmt.Errorf("explain: expected a model and an input, got nil")
	}
	if n := len(m.Inputs()); n != 1 {
		return nil, fmt.Errorf("explain: expected a built model of one input, got one of %d", n)
	}
	d := x.Shape().Dimensions
	if len(d) == 0 || !m.InputShape().Equal(layers.Shape(d[1:])) || d[0] == 0 {
		return nil, fmt.Errorf("explain: expected an input of shape (batch, …) with examples of %v, got %v", m.InputShape(), x.Shape())
	}
	flat, err := numbers(x)
	if err != nil {
		return nil, fmt.Errorf("explain: expected an input of numbers, got %v", x.Shape())
	}
	for i, v := range flat {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("explain: expected finite inputs, got %g of example %d", v, i/max(len(flat)/d[0], 1))
		}
	}
	return flat, nil
}

// check reports a model that is not built, and an output that it has not.
func (t Target) check(m *dl.Model) error {
	inner := train.Of(m)
	if inner.Outputs == nil {
		return fmt.Errorf("explain: expected a model that is built, got %q, which is not", m.Name())
	}
	if t.Output < 0 || t.Output >= len(inner.Outputs) {
		return fmt.Errorf("explain: expected an output in [0, %d), got %d", len(inner.Outputs), t.Output)
	}
	return nil
}

// finite says whether all numbers are.
func finite(flat []float32) bool {
	for _, v := range flat {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// numbers are a tensor's, as the model sees them: in float32.
func numbers(x *tensor.Tensor) ([]float32, error) {
	switch x.DType() {
	case dtypes.Uint8:
		return converted[uint8](x)
	case dtypes.Int32:
		return converted[int32](x)
	case dtypes.Int64:
		return converted[int64](x)
	case dtypes.Float64:
		return converted[float64](x)
	}
	return tensor.Flat[float32](x)
}

func converted[T uint8 | int32 | int64 | float64](x *tensor.Tensor) ([]float32, error) {
	flat, err := tensor.Flat[T](x)
	out := make([]float32, len(flat))
	for i, v := range flat {
		out[i] = float32(v)
	}
	return out, err
}

// units are those of examples, of outputs of so many.
func (t Target) units(batch, size int) ([]int32, error) {
	if t.Units != nil && len(t.Units) != batch {
		return nil, fmt.Errorf("explain: expected a target for each of %d examples, got %d", batch, len(t.Units))
	}
	out := make([]int32, batch)
	for i := range out {
		k := t.Unit
		if t.Units != nil {
			k = t.Units[i]
		}
		if k < 0 || k >= size {
			return nil, fmt.Errorf("explain: expected a target in [0, %d), got %d of example %d", size, k, i)
		}
		out[i] = int32(k)
	}
	return out, nil
}
