package translate

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Operators on each number by itself do not care where channels stand, so they leave them
// where their input has them.

// unary is an operator of one input.
func unary(f func(x *graph.Node) *graph.Node) func(c *call) []*value {
	return with(func(_ *call, x *graph.Node) *graph.Node { return f(x) })
}

// with is an operator of one input, and attributes.
func with(f func(c *call, x *graph.Node) *graph.Node) func(c *call) []*value {
	return func(c *call) []*value {
		v := c.value(0)
		if v.node == nil {
			c.place(v)
		}
		return []*value{{node: f(c, v.node), last: v.last}}
	}
}

// binary is an operator of two inputs, which are broadcast to each other.
func binary(f func(a, b *graph.Node) *graph.Node) func(c *call) []*value {
	return func(c *call) []*value {
		c.oldBroadcast()
		x, last := c.broadcast()
		return []*value{{node: f(x[0], x[1]), last: last}}
	}
}

// variadic is an operator of any number of inputs, two of which are taken together at a
// time; whole finishes the result, for example by the number of inputs.
func variadic(f func(a, b *graph.Node) *graph.Node, whole func(x *graph.Node, n int) *graph.Node) func(c *call) []*value {
	return func(c *call) []*value {
		x, last := c.broadcast()
		y := x[0]
		for _, b := range x[1:] {
			y = f(y, b)
		}
		if whole != nil {
			y = whole(y, len(x))
		}
		return []*value{{node: y, last: last}}
	}
}

// broadcast are all the inputs with one rank, and with channels at the end if those of one
// of the largest rank are there.
func (c *call) broadcast() (out []*graph.Node, last bool) {
	rank := 0
	for i := range c.in {
		v := c.value(i)
		if v.node == nil {
			c.place(v)
		}
		rank = max(rank, v.node.Rank())
	}
	for _, v := range c.in {
		last = last || v.last && v.node.Rank() == rank
	}
	for i, v := range c.in {
		if i > 0 && v.node.DType() != c.in[0].node.DType() && c.Op != "Where" && c.Op != "Pow" {
			panic(fmt.Errorf("expected inputs of one type, got %s and %s", c.in[0].node.DType(), v.node.DType()))
		}
		x := v.node
		switch {
		case !last:
			x = graph.ExpandLeftToRank(c.node(v), rank)
		case v.last && x.Rank() == rank:
		case x.Shape().Size() == 1:
			x = graph.ExpandLeftToRank(graph.Reshape(x), rank)
		default:
			x = channelsLast(graph.ExpandLeftToRank(c.node(v), rank))
		}
		out = append(out, x)
	}
	return empty(out, rank), last
}

// empty makes tensors that have no numbers together all of one shape, which backends' own
// broadcasting does not.
func empty(all []*graph.Node, rank int) []*graph.Node {
	dims, none := ones(rank), false
	for _, x := range all {
		for i, d := range x.Shape().Dimensions {
			if d != 1 {
				dims[i] = d
			}
			none = none || d == 0
		}
	}
	if !none {
		return all
	}
	out := make([]*graph.Node, len(all))
	for i, x := range all {
		out[i] = graph.Zeros(x.Graph(), sized(x.DType(), dims))
	}
	return out
}

// oldBroadcast does as the operators of opset 6 say: the second input has its first axis at
// the attribute axis of the first input.
func (c *call) oldBroadcast() {
	if c.opset >= 7 || !c.flag("broadcast") {
		return
	}
	a, ok := c.attribute("axis")
	if !ok {
		return
	}
	x, y := c.value(0).shape(), c.x(1)
	dims := append([]int{}, y.Shape().Dimensions...)
	for range x.Rank() - axisOf(int(a.I), x.Rank()) - y.Rank() {
		dims = append(dims, 1)
	}
	c.in[1] = &value{node: graph.Reshape(y, dims...)}
}

// plus adds to a sum, which is nil before the first time.
func plus(sum, x *graph.Node) *graph.Node {
	if sum == nil {
		return x
	}
	return graph.Add(sum, x)
}

// same has the same value.
func same(c *call) []*value { return []*value{c.value(0)} }

func (c *call) toSame(x *graph.Node, like *graph.Node) *graph.Node {
	if x.DType() == like.DType() {
		return x
	}
	return graph.ConvertDType(x, like.DType())
}
