package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Sequences are lists of values while a graph is built; how long they are is known.

func init() {
	add(map[string]operator{
		"SequenceEmpty":      {Attributes: "dtype", Rule: func(*call) []*value { return listed(nil) }, Inner: true},
		"SequenceConstruct":  {Inputs: unlimited, Rule: func(c *call) []*value { return listed(c.in) }, Inner: true},
		"SequenceAt":         {Inputs: 2, Rule: sequenceAt, Inner: true},
		"SequenceErase":      {Inputs: 2, Rule: sequenceErase, Inner: true},
		"SequenceInsert":     {Inputs: 3, Rule: sequenceInsert, Inner: true},
		"SequenceLength":     {Inputs: 1, Rule: func(c *call) []*value { return knownValues(tensors.FromScalar(int64(len(c.sequence())))) }, Inner: true},
		"ConcatFromSequence": {Attributes: "axis new_axis", Inputs: 1, Rule: concatFromSequence, Inner: true},
		"SplitToSequence":    {Attributes: "axis keepdims", Inputs: 2, Rule: splitToSequence, Inner: true},
		"SequenceMap":        {Attributes: "body", Inputs: unlimited, Outputs: unlimited, Rule: sequenceMap, Inner: true},
		"Optional":           {Attributes: "type", Inputs: 1, Rule: optional, Inner: true},
		"OptionalHasElement": {Inputs: 1, Rule: func(c *call) []*value { return knownValues(tensors.FromScalar(c.has(0))) }, Inner: true},
		"OptionalGetElement": {Inputs: 1, Rule: same, Inner: true},
	})
}

func listed(all []*value) []*value {
	return []*value{{list: append([]*value{}, all...)}}
}

func (c *call) sequence() []*value {
	v := c.value(0)
	if !v.isList() {
		panic(fmt.Errorf("expected a sequence as input %q, got a tensor", c.In[0]))
	}
	return v.list
}

// at is a place in a sequence of n.
func (c *call) at(i, n int) int {
	at := c.one(i)
	if at < -n || at >= n {
		panic(fmt.Errorf("expected a place in a sequence of %d, got %d", n, at))
	}
	if at < 0 {
		at += n
	}
	return at
}

func sequenceAt(c *call) []*value {
	all := c.sequence()
	return []*value{all[c.at(1, len(all))]}
}

func sequenceErase(c *call) []*value {
	all := slices.Clone(c.sequence())
	at := len(all) - 1
	if c.has(1) {
		at = c.at(1, len(all))
	}
	return listed(slices.Delete(all, at, at+1))
}

func sequenceInsert(c *call) []*value {
	all := slices.Clone(c.sequence())
	at := len(all)
	if c.has(2) && c.one(2) != len(all) {
		at = c.at(2, len(all))
	}
	return listed(slices.Insert(all, at, c.value(1)))
}

func concatFromSequence(c *call) []*value {
	var nodes []*graph.Node
	for _, v := range c.sequence() {
		nodes = append(nodes, c.node(v))
	}
	if len(nodes) == 0 {
		panic(fmt.Errorf("expected a sequence of at least one tensor"))
	}
	axis := c.int("axis", 0)
	if c.flag("new_axis") {
		return single(graph.Stack(nodes, axisOf(axis, nodes[0].Rank()+1)))
	}
	return single(graph.Concatenate(nodes, axisOf(axis, nodes[0].Rank())))
}

func splitToSequence(c *call) []*value {
	x := c.x(0)
	axis := c.axis(0, x.Rank())
	size := x.Shape().Dimensions[axis]
	var sizes []int
	squeeze := false
	switch {
	case !c.has(1):
		sizes = slices.Repeat([]int{1}, size)
		squeeze = c.int("keepdims", 1) == 0
	case c.value(1).shape().Rank() == 0:
		each := c.one(1)
		if each < 1 {
			panic(fmt.Errorf("expected parts of at least 1, got %d", each))
		}
		for left := size; left > 0; left -= each {
			sizes = append(sizes, min(each, left))
		}
	default:
		sizes = c.ints(1)
	}
	var out []*value
	at := 0
	for _, s := range sizes {
		if s < 0 || at+s > size {
			panic(fmt.Errorf("expected parts that are %d together, got %v", size, sizes))
		}
		y := part(x, axis, at, at+s, 1)
		if squeeze {
			y = graph.Squeeze(y, axis)
		}
		out = append(out, &value{node: y})
		at += s
	}
	return listed(out)
}

// sequenceMap runs its body for each value of a sequence.
func sequenceMap(c *call) []*value {
	body := c.graphOf("body")
	out := make([]*value, len(body.Outputs))
	for j := range out {
		out[j] = &value{list: []*value{}}
	}
	for i := range c.sequence() {
		c.stepped()
		var in []*value
		for k := range c.in {
			v := c.value(k)
			if v.isList() {
				v = v.list[i]
			}
			in = append(in, v)
		}
		for j, v := range c.inner(body, c.scope, in...) {
			out[j].list = append(out[j].list, v)
		}
	}
	return out
}

func optional(c *call) []*value {
	if len(c.in) == 0 {
		return []*value{{none: true}}
	}
	return same(c)
}
