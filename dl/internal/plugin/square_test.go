//go:build cgo && (linux || darwin)

package plugin_test

import "github.com/gomlx/gomlx/core/graph"

// square is x·x, n times over, which takes a while.
func square(n int) func([]*graph.Node) []*graph.Node {
	return func(in []*graph.Node) []*graph.Node {
		x := in[0]
		for range n {
			x = graph.MulScalar(graph.MatMul(x, x), 0.01)
		}
		return []*graph.Node{x}
	}
}
