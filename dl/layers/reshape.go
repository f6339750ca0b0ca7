package layers

import "github.com/gomlx/gomlx/core/graph"

// Flatten makes one axis of all axes of an example, in row-major order.
//
// Input shape: (None, …). Output shape: (None, n).
//
// Source: https://keras.io/api/layers/reshaping_layers/flatten/
type Flatten struct {
	Name string
}

// Build implements Layer.
func (Flatten) Build(in Shape) (Spec, error) { return Spec{Output: Shape{in.Size()}}, nil }

// Call implements Layer.
func (Flatten) Call(_ *Context, x *graph.Node) *graph.Node {
	batch := x.Shape().Dimensions[0]
	return graph.Reshape(x, batch, x.Shape().Size()/batch)
}
