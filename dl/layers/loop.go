package layers

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// loop runs body n times, with what it returns as the next state. The graph has one
// copy of the body, so that it does not grow with n.
//
// Two limits of go-xla 0.4.1: an elementwise operation in the body must not have an
// operand from outside, which comes in through outer instead (products and slices
// may); and scalars that GoMLX keeps for a graph, as in AddScalar or OneMinus, must
// not be used, but Const may.
func loop(n int, state, outer []*tensor.Node, body func(t *tensor.Node, state, outer []*tensor.Node) []*tensor.Node) []*tensor.Node {
	g := state[0].Graph()
	all := append(append([]*tensor.Node{graph.Const(g, int32(0))}, state...), outer...)
	params := func(g *graph.Graph) []*tensor.Node {
		p := make([]*tensor.Node, len(all))
		for i, s := range all {
			p[i] = graph.Parameter(g, fmt.Sprintf("loop%d", i), s.Shape())
		}
		return p
	}
	goOn := graph.NewClosure(g, func(g *graph.Graph) []*tensor.Node {
		return []*tensor.Node{graph.LessThan(params(g)[0], graph.Const(g, int32(n)))}
	})
	once := graph.NewClosure(g, func(g *graph.Graph) []*tensor.Node {
		p := params(g)
		state, outer := p[1:1+len(state)], p[1+len(state):]
		next := append([]*tensor.Node{graph.Add(p[0], graph.Const(g, int32(1)))}, body(p[0], state, outer)...)
		return append(next, outer...)
	})
	return graph.While(goOn, once, all...)[1 : 1+len(state)]
}

// at reads row t of [time, …].
func at(x, t *tensor.Node) *tensor.Node {
	d := append([]int{1}, x.Shape().Dimensions[1:]...)
	return graph.Reshape(graph.DynamicSlice(x, starts(t, 0, x.Rank()), d), d[1:]...)
}

// put writes row t of [time, …], which XLA does in place.
func put(x, row, t *tensor.Node) *tensor.Node { return putAt(x, row, t, 0) }

// putAt is put from a column of the last axis on.
func putAt(x, row, t *tensor.Node, column int) *tensor.Node {
	return graph.DynamicUpdateSlice(x, graph.InsertAxes(row, 0), starts(t, column, x.Rank()))
}

func starts(t *tensor.Node, column, rank int) []*tensor.Node {
	s := []*tensor.Node{t}
	for len(s) < rank {
		c := 0
		if len(s) == rank-1 {
			c = column
		}
		s = append(s, graph.Const(t.Graph(), int32(c)))
	}
	return s
}

// zeros are made where the loop is, not in it.
func zeros(like *tensor.Node, dims ...int) *tensor.Node {
	return graph.Zeros(like.Graph(), shapes.Make(like.DType(), dims...))
}
