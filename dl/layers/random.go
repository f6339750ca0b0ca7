package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// RandomUniform returns numbers in [0, 1), new ones in every step.
func (c *Context) RandomUniform(shape tensor.Shape) *tensor.Node {
	return c.random(func(rng *tensor.Node) (*tensor.Node, *tensor.Node) { return graph.RandomUniform(rng, shape) })
}

// RandomNormal returns numbers of mean 0 and variance 1, new ones in every step.
func (c *Context) RandomNormal(shape tensor.Shape) *tensor.Node {
	return c.random(func(rng *tensor.Node) (*tensor.Node, *tensor.Node) { return graph.RandomNormal(rng, shape) })
}
