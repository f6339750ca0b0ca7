package layers

import (
	"errors"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
)

// Activation applies a function to its input.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/core_layers/activation/
type Activation struct {
	Activation activations.Activation
	Name       string
}

// Build implements Layer.
func (l Activation) Build(in Shape) (Spec, error) {
	if l.Activation == nil {
		return Spec{}, errors.New("expected an Activation, got nil")
	}
	return Spec{Output: in}, nil
}

// Call implements Layer.
func (l Activation) Call(c *Context, x *graph.Node) *graph.Node {
	return c.Activate(l.Activation, x)
}
