// Package onnx writes models as ONNX, for other programs to run, and reads what other
// programs wrote.
//
//	err := onnx.Save(m, "model.onnx")
//	m, err := onnx.Load("model.onnx")
//
// Source: https://onnx.ai/onnx/
package onnx

import (
	"errors"
	"fmt"
	"io"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/atomicfile"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/onnx/build"
)

// The versions that are written: opset 20 is the first with all the operators that
// layers need.
const (
	writtenOpset = 20
	writtenIR    = 9
)

// Save writes a model to a file, with its weights, for inference: with any number of
// examples in a batch, inputs and outputs in float32 and under the names of their
// layers. Layers that only training uses are left out. The file is replaced when it is
// complete.
//
// Masks have no counterpart in ONNX and are refused, as are layers of one's own that do not say
// what they are there; see package build for how.
func Save(m *dl.Model, path string) error {
	g, err := encode(m)
	if err == nil {
		err = atomicfile.Write(path, 0, func(w io.Writer) error {
			_, err := w.Write(g)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("onnx: cannot save model %q: %w", m.Name(), err)
	}
	return nil
}

// Write writes what Save writes to a file.
func Write(w io.Writer, m *dl.Model) error {
	g, err := encode(m)
	if err == nil {
		_, err = w.Write(g)
	}
	if err != nil {
		return fmt.Errorf("onnx: cannot write model %q: %w", m.Name(), err)
	}
	return nil
}

func encode(m *dl.Model) ([]byte, error) {
	e := &exporter{graph: &build.Graph{}, done: make(map[*dl.Symbol]string)}
	g, err := e.model(m)
	if err != nil {
		return nil, err
	}
	p := proto.Model{IRVersion: writtenIR, Opsets: map[string]int{"": writtenOpset}, Producer: "gradbook", Graph: g}
	return p.Bytes(), nil
}

// exporter builds a graph.
type exporter struct {
	graph *build.Graph
	done  map[*dl.Symbol]string // the names of what is computed already
}

func (e *exporter) model(m *dl.Model) (proto.Graph, error) {
	inputs, outputs := m.Inputs(), m.Outputs()
	if inputs == nil {
		return proto.Graph{}, &dl.NotBuiltError{Model: m.Name(), Err: errors.New("expected a model that is built, got one without shapes: begin it with a layers.Input, or call BuildFor")}
	}
	value := func(name string, s *dl.Symbol) proto.Value {
		v := proto.Value{Name: name, Kind: proto.Float, Dims: []proto.Dim{{Size: -1, Name: "batch"}}}
		for _, d := range s.Shape() {
			v.Dims = append(v.Dims, proto.Dim{Size: int64(d)})
		}
		return v
	}
	var ins, outs []proto.Value
	names := make(map[string]bool)
	nameOf := func(s *dl.Symbol) string {
		l, _, output := s.Origin()
		name := l.Name()
		if output > 0 {
			name = fmt.Sprintf("%s_%d", name, output)
		}
		for names[name] {
			name += "_"
		}
		names[name] = true
		return name
	}
	for _, s := range inputs {
		e.done[s] = nameOf(s)
		ins = append(ins, value(e.done[s], s))
	}
	for _, s := range outputs {
		from, err := e.symbol(s)
		if err != nil {
			return proto.Graph{}, err
		}
		name := nameOf(s)
		e.graph.Nodes = append(e.graph.Nodes, build.Node{Op: "Identity", In: []string{from}, Out: []string{name}})
		outs = append(outs, value(name, s))
	}
	g, err := written(e.graph)
	g.Name, g.Inputs, g.Outputs = m.Name(), ins, outs
	return g, err
}

// symbol returns the name of what computes a symbol.
func (e *exporter) symbol(s *dl.Symbol) (string, error) {
	if name, ok := e.done[s]; ok {
		return name, nil
	}
	l, in, output := s.Origin()
	var names []string
	var shapes [][]int
	for _, i := range in {
		name, err := e.symbol(i)
		if err != nil {
			return "", err
		}
		names, shapes = append(names, name), append(shapes, i.Shape())
	}
	outs, err := e.layer(l, names, shapes, s.Shape())
	if err != nil {
		return "", fmt.Errorf("%s: %w", l, err)
	}
	if output >= len(outs) {
		return "", fmt.Errorf("%s: its output %d has no counterpart in ONNX", l, output)
	}
	e.done[s] = outs[output]
	return outs[output], nil
}

// nested runs a model that is a layer.
func (e *exporter) nested(m *dl.Model, in []string) ([]string, error) {
	inner := &exporter{graph: e.graph, done: make(map[*dl.Symbol]string)}
	for i, s := range m.Inputs() {
		inner.done[s] = in[i]
	}
	var outs []string
	for _, s := range m.Outputs() {
		name, err := inner.symbol(s)
		if err != nil {
			return nil, err
		}
		outs = append(outs, name)
	}
	return outs, nil
}

// layer adds a layer's operators and returns the names of its outputs.
func (e *exporter) layer(l *dl.Layer, in []string, shapes [][]int, out []int) ([]string, error) {
	if m, ok := l.Config().(*dl.Model); ok {
		return e.nested(m, in)
	}
	f, ok := config.As[build.Layer](l.Config())
	if !ok {
		return nil, errors.New("it has no counterpart in ONNX")
	}
	w, err := arrays(l)
	if err != nil {
		return nil, err
	}
	return f.ONNX(e.graph, build.Call{In: in, Shapes: shapes, Out: out, Weights: w})
}

// arrays are a layer's weights.
func arrays(l *dl.Layer) ([]build.Array, error) {
	weights, err := l.Weights()
	if err != nil {
		return nil, err
	}
	names := l.WeightNames()
	var all []build.Array
	for i, w := range weights {
		values, err := network.Floats(w)
		if err != nil {
			return nil, err
		}
		all = append(all, build.Array{Name: names[i], Dims: w.Shape().Dimensions, Values: values})
	}
	return all, nil
}

func initializer(c build.Constant) proto.Tensor {
	switch {
	case c.Ints != nil:
		return proto.IntTensor(c.Name, wide(c.Dims), wide(c.Ints))
	case c.Int8s != nil:
		raw := make([]byte, len(c.Int8s))
		for i, v := range c.Int8s {
			raw[i] = byte(v)
		}
		return proto.ByteTensor(c.Name, wide(c.Dims), proto.Int8, raw)
	case c.Uint8s != nil:
		return proto.ByteTensor(c.Name, wide(c.Dims), proto.Uint8, c.Uint8s)
	}
	return proto.FloatTensor(c.Name, wide(c.Dims), c.Floats)
}

// written is the graph as it goes into a file.
func written(g *build.Graph) (p proto.Graph, err error) {
	for _, c := range g.Constants {
		p.Initializers = append(p.Initializers, initializer(c))
	}
	for _, n := range g.Nodes {
		node := proto.Node{Op: n.Op, Name: n.Name, In: n.In, Out: n.Out, Attributes: make(map[string]proto.Attribute)}
		for _, a := range n.Attrs {
			if node.Attributes[a.Name], err = attributeOf(a.Value); err != nil {
				return p, fmt.Errorf("operator %s, setting %s: %w", n.Op, a.Name, err)
			}
			node.Order = append(node.Order, a.Name)
		}
		p.Nodes = append(p.Nodes, node)
	}
	return p, nil
}

func attributeOf(value any) (proto.Attribute, error) {
	switch v := value.(type) {
	case int:
		return proto.Attribute{Kind: proto.KindInt, I: int64(v)}, nil
	case float64:
		return proto.Attribute{Kind: proto.KindFloat, F: float32(v)}, nil
	case string:
		return proto.Attribute{Kind: proto.KindString, S: v}, nil
	case []int:
		return proto.Attribute{Kind: proto.KindInts, Ints: wide(v)}, nil
	case []string:
		return proto.Attribute{Kind: proto.KindStrings, Strings: v}, nil
	}
	return proto.Attribute{}, fmt.Errorf("expected an int, a float64, a string, []int or []string, got %T", value)
}

func wide(values []int) (all []int64) {
	for _, v := range values {
		all = append(all, int64(v))
	}
	return all
}
