package layers

import (
	"github.com/gradbook/gradbook/dl/tensor"
)

// Input says what a model takes. It comes first in a Sequential model and does
// not count among its layers.
//
// Output shape: Shape.
//
// Source: https://keras.io/api/layers/core_layers/input/
type Input struct {
	// Shape of one example, without the batch: Shape{28, 28, 1}.
	Shape Shape
	// BatchSize fixes the number of examples of a batch, for stateful layers; 0
	// leaves it open.
	BatchSize int
	Name      string
}

// Build implements Layer.
func (l Input) Build(Shape) (Spec, error) {
	if err := checked(wantPositive("Shape", l.Shape...), wantPositive("BatchSize", orInt(l.BatchSize, 1))); err != nil {
		return Spec{}, err
	}
	return Spec{Output: l.Shape}, nil
}

// Call implements Layer.
func (Input) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }
