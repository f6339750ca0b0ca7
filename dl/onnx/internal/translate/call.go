package translate

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// call is a node with its inputs.
type call struct {
	*trace
	*proto.Node
	in    []*value
	scope *scope
	opset int
}

// Inputs.

// has says whether an input is there.
func (c *call) has(i int) bool { return i < len(c.in) && c.in[i] != nil && !c.in[i].none }

// value is an input that must be there.
func (c *call) value(i int) *value {
	if !c.has(i) {
		panic(fmt.Errorf("expected an input %d, got none", i))
	}
	return c.in[i]
}

// once says whether nothing but this node needs an input: what that is made of can be computed together with what
// this makes of it.
func (c *call) once(i int) bool {
	own := c.scope.values[c.In[i]] == c.in[i]
	return own && c.scope.uses[c.In[i]] == 1
}

// x is the node of an input that must be there.
func (c *call) x(i int) *graph.Node { return c.node(c.value(i)) }

// known are the numbers of an input that must be there.
func (c *call) known(i int) *tensors.Tensor { return c.numbers(c.value(i), c.In[i]) }

// ints are an input's whole numbers.
func (c *call) ints(i int) []int {
	t := c.known(i)
	v, ok := numbers(t)
	if !ok {
		panic(fmt.Errorf("expected whole numbers as input %q, got %v", c.In[i], t.Shape()))
	}
	return v
}

// one is an input of a single whole number.
func (c *call) one(i int) int {
	v := c.ints(i)
	if len(v) != 1 {
		panic(fmt.Errorf("expected one number as input %q, got %d", c.In[i], len(v)))
	}
	return v[0]
}

// real is an input of a single number.
func (c *call) real(i int) float64 {
	v := Reals(c.known(i))
	if len(v) != 1 {
		panic(fmt.Errorf("expected one number as input %q, got %d", c.In[i], len(v)))
	}
	return v[0]
}

// intsOr are an input's whole numbers or, in older files, an attribute's.
func (c *call) intsOr(i int, attribute string) ([]int, bool) {
	if c.has(i) {
		return c.ints(i), true
	}
	if a, ok := c.attribute(attribute); ok {
		return narrow(a.Ints), true
	}
	return nil, false
}

// Attributes.

func (c *call) attribute(name string) (proto.Attribute, bool) {
	a, ok := c.Attributes[name]
	if ok && a.Ref != "" {
		a, ok = c.scope.around[a.Ref]
	}
	return a, ok
}

// of is an attribute that must be of a kind, if the file says of which.
func (c *call) of(name string, kind int) (proto.Attribute, bool) {
	a, ok := c.attribute(name)
	if ok && a.Kind != 0 && a.Kind != kind {
		panic(fmt.Errorf("expected attribute %s of kind %d, got %d", name, kind, a.Kind))
	}
	return a, ok
}

func (c *call) int(name string, def int) int {
	if a, ok := c.of(name, proto.KindInt); ok {
		return int(a.I)
	}
	return def
}

func (c *call) flag(name string) bool { return c.int(name, 0) != 0 }

func (c *call) float(name string, def float64) float64 {
	if a, ok := c.of(name, proto.KindFloat); ok {
		return float64(a.F)
	}
	return def
}

func (c *call) list(name string, def ...int) []int {
	if a, ok := c.of(name, proto.KindInts); ok {
		return narrow(a.Ints)
	}
	return def
}

// text is an attribute that must be one of some words, the first being the default.
func (c *call) text(name string, words ...string) string {
	a, ok := c.of(name, proto.KindString)
	if !ok {
		return words[0]
	}
	for _, w := range words {
		if a.S == w {
			return w
		}
	}
	panic(fmt.Errorf("expected attribute %s to be one of %q, got %q", name, words, a.S))
}

// dtype is an attribute that is a type.
func (c *call) dtype(name string, def dtypes.DType) dtypes.DType {
	a, ok := c.attribute(name)
	if !ok || a.I == 0 {
		return def
	}
	d := DType(int(a.I))
	if d == 0 {
		panic(fmt.Errorf("attribute %s: tensors of type %s are not supported", name, proto.KindNames[int(a.I)]))
	}
	return d
}

// axisOf is a number counted from the end if it is negative.
func axisOf(axis, rank int) int {
	at := axis
	if at < 0 {
		at += rank
	}
	if at < 0 || at >= max(rank, 1) {
		panic(fmt.Errorf("expected an axis of %d, got %d", rank, axis))
	}
	return at
}

func axesOf(axes []int, rank int) []int {
	out := make([]int, len(axes))
	seen := make(map[int]bool)
	for i, a := range axes {
		out[i] = axisOf(a, rank)
		if seen[out[i]] {
			panic(fmt.Errorf("expected axes that differ, got %v", axes))
		}
		seen[out[i]] = true
	}
	return out
}

func (c *call) axis(def, rank int) int { return axisOf(c.int("axis", def), rank) }

// Outputs.

func single(n *graph.Node) []*value { return []*value{{node: n}} }

func several(nodes ...*graph.Node) []*value {
	out := make([]*value, len(nodes))
	for i, n := range nodes {
		if n != nil {
			out[i] = &value{node: n}
		}
	}
	return out
}

func knownValues(all ...*tensors.Tensor) []*value {
	out := make([]*value, len(all))
	for i, t := range all {
		out[i] = &value{known: t}
	}
	return out
}

// rule makes an operator of a function of one output.
func rule(f func(c *call) *graph.Node) func(c *call) []*value {
	return func(c *call) []*value { return single(f(c)) }
}

// scalar is a number in the type of x.
func scalar(x *graph.Node, v float64) *graph.Node {
	return graph.Scalar(x.Graph(), x.DType(), v)
}

func (c *call) fill(d dtypes.DType, v float64, dims ...int) *graph.Node {
	s := shapes.Make(d, dims...)
	c.fits(s)
	return graph.BroadcastToDims(graph.Scalar(c.g, d, v), dims...)
}

// function calls an operator that the file defines.
func (c *call) function(f *proto.Function) []*value {
	if c.depth >= deepest {
		panic(errors.New("functions call each other without an end"))
	}
	c.depth++
	defer func() { c.depth-- }()
	s := &scope{values: make(map[string]*value), opsets: f.Opsets, around: make(map[string]proto.Attribute), missing: make(map[string]bool)}
	for name, a := range f.Defaults {
		s.around[name] = a
	}
	for name := range c.Attributes {
		if a, ok := c.attribute(name); ok {
			s.around[name] = a
		}
	}
	for i, name := range f.In {
		if c.has(i) {
			s.values[name] = c.in[i]
		} else {
			s.missing[name] = true
		}
	}
	for i := range f.Nodes {
		c.run(&f.Nodes[i], s)
	}
	var out []*value
	for i, name := range f.Out {
		v, ok := s.find(name)
		if i < len(c.Out) && c.Out[i] != "" && (!ok || v == nil) {
			panic(fmt.Errorf("function %s: no node computes its output %q", f.Name, name))
		}
		out = append(out, v)
	}
	return out
}
