// Package translate turns the graph of an ONNX file into a graph of GoMLX.
//
// The graph is read as it is written: every operator gets its inputs in the types and
// shapes that they have. What only depends on the file, or on shapes, is computed at once
// and is known to operators that need numbers to know the shape of what they return. If
// such an operator needs numbers that depend on the model's inputs, it asks for them, and
// whoever runs the graph computes them first and translates it again.
package translate

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// Graph is a model's graph, checked.
type Graph struct {
	// Inputs are those that a caller gives, Outputs what they lead to.
	Inputs, Outputs []proto.Value

	graph     *proto.Graph
	opsets    map[string]int
	functions map[[2]string]*proto.Function
	weights   map[string]*proto.Tensor

	mu      sync.Mutex
	tensors map[string]*tensors.Tensor // of weights
}

// The versions of ONNX's operators that are honoured. Files of opset 6 are what Caffe2 and
// early PyTorch wrote; 28 is that of onnx 1.23.
const (
	oldestOpset = 6
	newestOpset = 28
)

// New checks that a model says nothing that is not honoured.
func New(m *proto.Model) (*Graph, error) {
	p := &m.Graph
	if len(p.Outputs) == 0 {
		return nil, errors.New("expected an ONNX file with a graph that has outputs, got none")
	}
	g := &Graph{graph: p, opsets: m.Opsets, functions: make(map[[2]string]*proto.Function), weights: make(map[string]*proto.Tensor), tensors: make(map[string]*tensors.Tensor)}
	if v := m.Opsets[""]; v < 1 || v > newestOpset {
		if _, has := m.Opsets[""]; has || usesOwn(p.Nodes) {
			return nil, fmt.Errorf("expected opset %d to %d, got %d", oldestOpset, newestOpset, v)
		}
	}
	for i := range m.Functions {
		f := &m.Functions[i]
		if g.functions[[2]string{f.Domain, f.Name}] != nil {
			return nil, fmt.Errorf("function %s of %q is there twice, which is not supported", f.Name, f.Domain)
		}
		g.functions[[2]string{f.Domain, f.Name}] = f
	}
	for i := range p.Initializers {
		t := &p.Initializers[i]
		if g.weights[t.Name] != nil {
			return nil, fmt.Errorf("tensor %q is there twice", t.Name)
		}
		g.weights[t.Name] = t
	}
	if err := g.check(p, m.Opsets); err != nil {
		return nil, err
	}
	for _, f := range m.Functions {
		if err := g.nodes(f.Nodes, f.Opsets); err != nil {
			return nil, fmt.Errorf("function %s of %q: %w", f.Name, f.Domain, err)
		}
	}
	for _, v := range p.Inputs {
		if g.weights[v.Name] == nil { // older files list their weights among the inputs
			g.Inputs = append(g.Inputs, v)
		}
	}
	g.Outputs = p.Outputs
	return g, nil
}

func usesOwn(nodes []proto.Node) bool {
	return slices.ContainsFunc(nodes, func(n proto.Node) bool { return n.Domain == "" })
}

// check goes through a graph and those in its attributes.
func (g *Graph) check(p *proto.Graph, opsets map[string]int) error {
	if len(p.Sparse) > 0 {
		return fmt.Errorf("tensor %q is sparse, which is not supported", p.Sparse[0])
	}
	for i := range p.Initializers {
		if t := &p.Initializers[i]; DType(t.Kind) == 0 {
			return fmt.Errorf("tensor %q: numbers of type %s are not supported", t.Name, proto.KindNames[t.Kind])
		}
	}
	for _, v := range slices.Concat(p.Inputs, p.Outputs) {
		if v.Kind != 0 && DType(v.Kind) == 0 {
			return fmt.Errorf("%q: tensors of type %s are not supported", v.Name, proto.KindNames[v.Kind])
		}
	}
	return g.nodes(p.Nodes, opsets)
}

// nodes reports what nodes ask for and no operator here does.
func (g *Graph) nodes(nodes []proto.Node, opsets map[string]int) error {
	for i := range nodes {
		n := &nodes[i]
		if g.functions[[2]string{n.Domain, n.Op}] == nil {
			if err := known(n, opsets[""]); err != nil {
				return err
			}
		}
		for name, a := range n.Attributes {
			if a.G != nil {
				if err := g.check(a.G, opsets); err != nil {
					return fmt.Errorf("node %q (%s), its graph %s: %w", n.Name, n.Op, name, err)
				}
			}
			if a.T != nil && DType(a.T.Kind) == 0 {
				return fmt.Errorf("node %q (%s): its attribute %s: numbers of type %s are not supported", n.Name, n.Op, name, proto.KindNames[a.T.Kind])
			}
		}
	}
	return nil
}

// Tensor is a weight of the file.
func (g *Graph) Tensor(name string) *tensors.Tensor {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.tensors[name]; t != nil {
		return t
	}
	t := Tensor(g.weights[name])
	g.tensors[name] = t
	return t
}

// Weights are the file's tensors, in its order.
func (g *Graph) Weights() []*proto.Tensor {
	var all []*proto.Tensor
	for i := range g.graph.Initializers {
		all = append(all, &g.graph.Initializers[i])
	}
	return all
}
