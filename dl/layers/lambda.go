package layers

import (
	"errors"
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Lambda is a function as a layer, for what is too small for a type of its own:
//
//	layers.Lambda{Function: func(c *layers.Context, x ...*dl.Node) *dl.Node {
//		return ops.Add(x[0], ops.Multiply(x[1], 0.5))
//	}}
//
// It has no weights. What is random in it comes from c, as in a layer's Call. A function
// cannot be saved: a model that is to be saved needs a type of its own and dl.Register.
//
// Input shape: what the function takes, of one input or several. Output shape: what the
// function makes of it; the batch must stay the first axis.
//
// Source: https://keras.io/api/layers/core_layers/lambda/
type Lambda struct {
	// Function computes the output. Its first axis, as that of the inputs, is the batch.
	Function func(c *Context, x ...*tensor.Node) *tensor.Node
	// KeepsMask passes the mask of the first input on.
	KeepsMask bool
	Name      string
}

// Build implements Layer.
func (l Lambda) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l Lambda) BuildAll(in []Shape) (Spec, error) {
	if l.Function == nil {
		return Spec{}, errors.New("expected a Function, got nil")
	}
	out, err := Infer(in, l.CallAll)
	if err != nil {
		return Spec{}, err
	}
	return Spec{Outputs: out, KeepsMask: l.KeepsMask}, nil
}

// Call implements Layer.
func (l Lambda) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l Lambda) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	y := l.Function(c, in...)
	if y == nil {
		panic(errors.New("expected a Function that returns a node, got nil"))
	}
	return []*tensor.Node{y}
}

// Infer returns the shapes of the outputs of a CallAll without weights, by building its graph
// for batches of two sizes without compiling it: for a Build of one's own that has no formula for
// them. An output whose first axis is not the batch, whatever the batch is, is an error.
func Infer(in []Shape, call func(c *Context, in []*tensor.Node) []*tensor.Node) ([]Shape, error) {
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	var out []Shape
	for _, batch := range []int{3, 7} { // a single one could be the size of another axis by chance
		var params []engine.Param
		for i, s := range in {
			params = append(params, engine.Param{Name: fmt.Sprintf("x%d", i), Shape: batched(s, batch)})
		}
		found, err := engine.Shapes(d, params, func(x []*tensor.Node) []*tensor.Node { return call(inferring(x), x) })
		if err != nil {
			return nil, err
		}
		before := out
		out = nil
		for i, s := range found {
			if s.Rank() == 0 || s.Dimensions[0] != batch || before != nil && !before[i].Equal(s.Dimensions[1:]) {
				return nil, fmt.Errorf("expected a result whose first axis is the batch and no other, got one of shape %v for a batch of %d", s.Dimensions, batch)
			}
			out = append(out, append(Shape{}, s.Dimensions[1:]...))
		}
	}
	return out, nil
}
