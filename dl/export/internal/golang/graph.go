// Package golang writes ONNX's graphs as Go source: a function for what is computed, in the
// words of package plain, and a file for the weights.
//
// It goes in steps: read makes nodes of a graph, and says what is not supported; simplify
// takes away what need not be computed; write writes each node as a line.
package golang

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// value is a tensor of the graph.
type value struct {
	name  string // in the file
	ident string // in Go
	kind  int    // as in proto
	// constant is the tensor of a weight; static says that it depends on weights only.
	constant *proto.Tensor
	static   bool
	input    bool

	from *node
	uses int
	// root is the value whose array this one shares, which may be itself.
	root *value
}

// node is an operator.
type node struct {
	op      string
	name    string
	in, out []*value // in may have nil for what is left out
	attrs   map[string]proto.Attribute
	opset   int
	// order is a number, which idents are made of.
	order int
	// floor is set where a Relu has become part of a convolution or a product.
	relu bool
	// bias is what is added to a product.
	bias *value
}

func (n *node) String() string {
	if n.name == "" {
		return n.op
	}
	return fmt.Sprintf("%s %q", n.op, n.name)
}

// has says whether an input is given.
func (n *node) has(i int) bool { return i < len(n.in) && n.in[i] != nil }

func (n *node) int(name string, otherwise int) int {
	if a, ok := n.attrs[name]; ok {
		return int(a.I)
	}
	return otherwise
}

func (n *node) float(name string, otherwise float64) float64 {
	if a, ok := n.attrs[name]; ok {
		return float64(a.F)
	}
	return otherwise
}

func (n *node) text(name, otherwise string) string {
	if a, ok := n.attrs[name]; ok {
		return a.S
	}
	return otherwise
}

// ints is nil if the attribute is not there.
func (n *node) ints(name string) []int {
	a, ok := n.attrs[name]
	if !ok {
		return nil
	}
	out := make([]int, len(a.Ints))
	for i, v := range a.Ints {
		out[i] = int(v)
	}
	return out
}

// graph is what is computed.
type graph struct {
	name            string
	inputs, outputs []proto.Value
	ins, outs       []*value
	nodes           []*node
}

// read makes nodes of a model's graph.
func read(m *proto.Model) (*graph, error) {
	if len(m.Functions) > 0 {
		return nil, fmt.Errorf("function %s of %q: functions of a file are not exported", m.Functions[0].Name, m.Functions[0].Domain)
	}
	p := &m.Graph
	if len(p.Sparse) > 0 {
		return nil, fmt.Errorf("tensor %q: sparse tensors are not exported", p.Sparse[0])
	}
	g := &graph{name: p.Name, outputs: p.Outputs}
	known := make(map[string]*value)
	for i := range p.Initializers {
		t := &p.Initializers[i]
		known[t.Name] = &value{name: t.Name, kind: t.Kind, constant: t, static: true}
	}
	for _, in := range p.Inputs {
		if known[in.Name] != nil { // a default for what may be given
			continue
		}
		v := &value{name: in.Name, kind: in.Kind, input: true}
		known[in.Name] = v
		g.inputs, g.ins = append(g.inputs, in), append(g.ins, v)
	}
	for i := range p.Nodes {
		if err := g.read(&p.Nodes[i], m.Opsets, known); err != nil {
			return nil, err
		}
	}
	for _, out := range p.Outputs {
		v := known[out.Name]
		if v == nil {
			return nil, fmt.Errorf("output %q: nothing computes it", out.Name)
		}
		g.outs = append(g.outs, v)
	}
	return g, nil
}

// read adds a node.
func (g *graph) read(p *proto.Node, opsets map[string]int, known map[string]*value) error {
	n := &node{op: p.Op, name: p.Name, attrs: p.Attributes, opset: opsets[proto.Domain(p.Domain)]}
	if proto.Domain(p.Domain) != "" {
		return fmt.Errorf("%s: operators of %q are not exported", n, p.Domain)
	}
	for _, name := range p.In {
		if name == "" {
			n.in = append(n.in, nil)
			continue
		}
		v := known[name]
		if v == nil {
			return fmt.Errorf("%s: nothing before it computes %q", n, name)
		}
		n.in = append(n.in, v)
	}
	for _, name := range p.Out {
		v := &value{name: name, from: n}
		n.out = append(n.out, v)
		if name != "" {
			known[name] = v
		}
	}
	if p.Op == "Constant" {
		return constant(n)
	}
	if operators[n.op].write == nil {
		return fmt.Errorf("%s: the operator is not exported", n)
	}
	if oldest := max(7, operators[n.op].since); n.opset < oldest {
		return fmt.Errorf("%s: expected opset %d or later, got %d; convert the file with onnx.version_converter", n, oldest, n.opset)
	}
	g.nodes = append(g.nodes, n)
	return nil
}

// constant makes a weight of a Constant.
func constant(n *node) error {
	v := n.out[0]
	v.static, v.from = true, nil
	for name, a := range n.attrs {
		var t proto.Tensor
		switch name {
		case "value":
			t = *a.T
		case "value_float":
			t = proto.FloatTensor(v.name, nil, []float32{a.F})
		case "value_floats":
			t = proto.FloatTensor(v.name, []int64{int64(len(a.Floats))}, a.Floats)
		case "value_int":
			t = proto.IntTensor(v.name, nil, []int64{a.I})
		case "value_ints":
			t = proto.IntTensor(v.name, []int64{int64(len(a.Ints))}, a.Ints)
		default:
			return fmt.Errorf("%s: %s is not exported", n, name)
		}
		v.constant, v.kind = &t, t.Kind
	}
	return nil
}

// own gives a node attributes of its own, which can be changed.
func (n *node) own() {
	attrs := make(map[string]proto.Attribute, len(n.attrs)+1)
	for k, v := range n.attrs {
		attrs[k] = v
	}
	n.attrs = attrs
}

func (n *node) setInt(name string, v int) {
	n.own()
	n.attrs[name] = proto.Attribute{Kind: proto.KindInt, I: int64(v)}
}

func (n *node) setPerm(perm []int) {
	n.own()
	a := proto.Attribute{Kind: proto.KindInts}
	for _, p := range perm {
		a.Ints = append(a.Ints, int64(p))
	}
	n.attrs["perm"] = a
}
