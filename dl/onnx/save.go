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

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/atomicfile"
	"github.com/gradbook/gradbook/dl/internal/config"
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
	e := &exporter{graph: &build.Graph{}, done: make(map[*dl.Symbol]string)}
	g, err := e.model(m)
	if err != nil {
		return fmt.Errorf("onnx: cannot save model %q: %w", m.Name(), err)
	}
	p := modelProto{irVersion: writtenIR, opset: writtenOpset, producer: "gradbook", graph: g}
	err = atomicfile.Write(path, 0, func(w io.Writer) error {
		_, err := w.Write(p.marshal())
		return err
	})
	if err != nil {
		return fmt.Errorf("onnx: cannot save model %q: %w", m.Name(), err)
	}
	return nil
}

// exporter builds a graph.
type exporter struct {
	graph *build.Graph
	done  map[*dl.Symbol]string // the names of what is computed already
}

func (e *exporter) model(m *dl.Model) (graphProto, error) {
	inputs, outputs := m.Inputs(), m.Outputs()
	if inputs == nil {
		return graphProto{}, &dl.NotBuiltError{Model: m.Name(), Err: errors.New("expected a model that is built, got one without shapes: begin it with a layers.Input, or call BuildFor")}
	}
	value := func(name string, s *dl.Symbol) valueProto {
		v := valueProto{name: name, kind: typeFloat, dims: []int64{-1}}
		for _, d := range s.Shape() {
			v.dims = append(v.dims, int64(d))
		}
		return v
	}
	var ins, outs []valueProto
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
			return graphProto{}, err
		}
		name := nameOf(s)
		e.graph.Nodes = append(e.graph.Nodes, build.Node{Op: "Identity", In: []string{from}, Out: []string{name}})
		outs = append(outs, value(name, s))
	}
	g, err := proto(e.graph)
	g.name, g.inputs, g.outputs = m.Name(), ins, outs
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
		values, err := tensors.CopyFlatData[float32](w)
		if err != nil {
			return nil, err
		}
		all = append(all, build.Array{Name: names[i], Dims: w.Shape().Dimensions, Values: values})
	}
	return all, nil
}

// proto is the graph as it is written.
func proto(g *build.Graph) (p graphProto, err error) {
	for _, c := range g.Constants {
		t := tensorProto{name: c.Name, dims: wide(c.Dims), kind: typeFloat, floats: c.Floats}
		if c.Ints != nil {
			t.kind, t.integers = typeInt64, wide(c.Ints)
		}
		p.initializers = append(p.initializers, t)
	}
	for _, n := range g.Nodes {
		node := nodeProto{op: n.Op, name: n.Name, in: n.In, out: n.Out, attributes: make(map[string]attribute)}
		for _, a := range n.Attrs {
			if node.attributes[a.Name], err = attributeOf(a.Value); err != nil {
				return p, fmt.Errorf("operator %s, setting %s: %w", n.Op, a.Name, err)
			}
			node.order = append(node.order, a.Name)
		}
		p.nodes = append(p.nodes, node)
	}
	return p, nil
}

func attributeOf(value any) (attribute, error) {
	switch v := value.(type) {
	case int:
		return attribute{kind: kindInt, i: int64(v)}, nil
	case float64:
		return attribute{kind: kindFloat, f: float32(v)}, nil
	case string:
		return attribute{kind: kindString, s: v}, nil
	case []int:
		return attribute{kind: kindInts, ints: wide(v)}, nil
	case []string:
		return attribute{kind: kindStrings, strings: v}, nil
	}
	return attribute{}, fmt.Errorf("expected an int, a float64, a string, []int or []string, got %T", value)
}

func wide(values []int) (all []int64) {
	for _, v := range values {
		all = append(all, int64(v))
	}
	return all
}
