package ops

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// Loop runs body n times, with what it returns as the next state. The graph has one
// copy of the body, so that it does not grow with n.
//
// Two limits of go-xla 0.4.1: an elementwise operation in the body must not have an
// operand from outside, which comes in through outer instead (products and slices
// may); and scalars that GoMLX keeps for a graph, as in AddScalar or OneMinus, must
// not be used, but Const may.
func Loop(n int, state, outer []*graph.Node, body func(t *graph.Node, state, outer []*graph.Node) []*graph.Node) []*graph.Node {
	g := state[0].Graph()
	all := append(append([]*graph.Node{graph.Const(g, int32(0))}, state...), outer...)
	params := func(g *graph.Graph) []*graph.Node {
		p := make([]*graph.Node, len(all))
		for i, s := range all {
			p[i] = graph.Parameter(g, fmt.Sprintf("loop%d", i), s.Shape())
		}
		return p
	}
	goOn := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		return []*graph.Node{graph.LessThan(params(g)[0], graph.Const(g, int32(n)))}
	})
	once := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		p := params(g)
		state, outer := p[1:1+len(state)], p[1+len(state):]
		next := append([]*graph.Node{graph.Add(p[0], graph.Const(g, int32(1)))}, body(p[0], state, outer)...)
		return append(next, outer...)
	})
	return graph.While(goOn, once, all...)[1 : 1+len(state)]
}

// At reads row t of [time, …].
func At(x, t *graph.Node) *graph.Node {
	d := append([]int{1}, x.Shape().Dimensions[1:]...)
	return graph.Reshape(graph.DynamicSlice(x, starts(t, 0, x.Rank()), d), d[1:]...)
}

// Put writes row t of [time, …], which XLA does in place.
func Put(x, row, t *graph.Node) *graph.Node { return PutAt(x, row, t, 0) }

// PutAt is Put from a column of the last axis on.
func PutAt(x, row, t *graph.Node, column int) *graph.Node {
	return graph.DynamicUpdateSlice(x, graph.InsertAxes(row, 0), starts(t, column, x.Rank()))
}

func starts(t *graph.Node, column, rank int) []*graph.Node {
	s := []*graph.Node{t}
	for len(s) < rank {
		c := 0
		if len(s) == rank-1 {
			c = column
		}
		s = append(s, graph.Const(t.Graph(), int32(c)))
	}
	return s
}

// HasLoops says whether a graph's backend has what loops need, which GoMLX's own in pure Go has
// not. (XLA's has While, too, but does not say so.)
func HasLoops(g *graph.Graph) bool {
	has := g.Backend().Capabilities().Operations
	return has[compute.OpTypeDynamicSlice] && has[compute.OpTypeDynamicUpdateSlice]
}
