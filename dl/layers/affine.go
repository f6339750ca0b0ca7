package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// Affine draws images anew: the pixel at column X and row Y shows what is at column
// m₀X + m₁Y + m₂ and row m₃X + m₄Y + m₅. images is [batch, height, width, channels],
// matrices [batch, 6]. The random layers for images are made of it.
//
// Source: https://keras.io/api/ops/image/#affinetransform-function
func (f Fill) Affine(images, matrices *tensor.Node) *tensor.Node {
	var m [6]*tensor.Node
	for i := range m {
		m[i] = graph.Squeeze(graph.SliceAxis(matrices, 1, graph.AxisElem(i)), 1)
	}
	return f.affine(images, m)
}
