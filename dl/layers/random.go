package layers

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// RandomUniform returns numbers in [0, 1), new ones in every step.
func (c *Context) RandomUniform(shape shapes.Shape) *graph.Node {
	return c.random(func(rng *graph.Node) (*graph.Node, *graph.Node) { return graph.RandomUniform(rng, shape) })
}

// RandomNormal returns numbers of mean 0 and variance 1, new ones in every step.
func (c *Context) RandomNormal(shape shapes.Shape) *graph.Node {
	return c.random(func(rng *graph.Node) (*graph.Node, *graph.Node) { return graph.RandomNormal(rng, shape) })
}
