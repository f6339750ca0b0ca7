// Package onnx writes models as ONNX, for other programs to run, and reads what other
// programs wrote.
//
//	err := onnx.Save(m, "model.onnx")
//	m, err := onnx.Load("model.onnx")
//
// Source: https://onnx.ai/onnx/
package onnx

import (
	"fmt"
	"io"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/atomicfile"
	"github.com/gradbook/gradbook/dl/layers"
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
// Masks, and layers of your own, have no counterpart in ONNX and are refused.
func Save(m *dl.Model, path string) error {
	e := &exporter{done: make(map[*dl.Symbol]string)}
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
	graph graphProto
	done  map[*dl.Symbol]string // the names of what is computed already
	count int
}

func (e *exporter) model(m *dl.Model) (graphProto, error) {
	inputs, outputs := m.Inputs(), m.Outputs()
	if inputs == nil {
		return graphProto{}, fmt.Errorf("expected a model that is built")
	}
	e.graph.name = m.Name()
	value := func(name string, s *dl.Symbol) valueProto {
		v := valueProto{name: name, kind: typeFloat, dims: []int64{-1}}
		for _, d := range s.Shape() {
			v.dims = append(v.dims, int64(d))
		}
		return v
	}
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
		e.graph.inputs = append(e.graph.inputs, value(e.done[s], s))
	}
	for _, s := range outputs {
		from, err := e.symbol(s)
		if err != nil {
			return graphProto{}, err
		}
		name := nameOf(s)
		e.graph.nodes = append(e.graph.nodes, nodeProto{op: "Identity", in: []string{from}, out: []string{name}})
		e.graph.outputs = append(e.graph.outputs, value(name, s))
	}
	return e.graph, nil
}

// symbol returns the name of what computes a symbol.
func (e *exporter) symbol(s *dl.Symbol) (string, error) {
	if name, ok := e.done[s]; ok {
		return name, nil
	}
	l, in, output := s.Origin()
	var names []string
	var shapes []layers.Shape
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
	inner := &exporter{graph: e.graph, count: e.count, done: make(map[*dl.Symbol]string)}
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
	e.graph, e.count = inner.graph, inner.count
	return outs, nil
}

func (e *exporter) name(prefix string) string {
	e.count++
	return fmt.Sprintf("%s_%d", prefix, e.count)
}

// floats adds a constant.
func (e *exporter) floats(values []float32, dims ...int) string {
	t := tensorProto{name: e.name("weight"), kind: typeFloat, floats: values}
	for _, d := range dims {
		t.dims = append(t.dims, int64(d))
	}
	e.graph.initializers = append(e.graph.initializers, t)
	return t.name
}

func (e *exporter) scalar(v float64) string { return e.floats([]float32{float32(v)}) }

// ints adds a constant vector of int64.
func (e *exporter) ints(values ...int) string {
	t := tensorProto{name: e.name("shape"), kind: typeInt64, dims: []int64{int64(len(values))}, integers: wide(values)}
	e.graph.initializers = append(e.graph.initializers, t)
	return t.name
}

func wide(values []int) (all []int64) {
	for _, v := range values {
		all = append(all, int64(v))
	}
	return all
}

// attr is a setting of an operator.
type attr struct {
	name string
	attribute
}

func intAttr(name string, v int) attr { return attr{name, attribute{kind: kindInt, i: int64(v)}} }
func floatAttr(name string, v float64) attr {
	return attr{name, attribute{kind: kindFloat, f: float32(v)}}
}
func textAttr(name, v string) attr { return attr{name, attribute{kind: kindString, s: v}} }
func intsAttr(name string, v ...int) attr {
	return attr{name, attribute{kind: kindInts, ints: wide(v)}}
}

// ops adds an operator of several outputs.
func (e *exporter) ops(op string, outs int, in []string, attrs ...attr) []string {
	n := nodeProto{op: op, name: e.name(op), in: in, attributes: make(map[string]attribute)}
	for _, a := range attrs {
		n.attributes[a.name] = a.attribute
		n.order = append(n.order, a.name)
	}
	for i := range outs {
		n.out = append(n.out, fmt.Sprintf("%s_out%d", n.name, i))
	}
	e.graph.nodes = append(e.graph.nodes, n)
	return n.out
}

// op adds an operator of one output.
func (e *exporter) op(op string, in []string, attrs ...attr) string {
	return e.ops(op, 1, in, attrs...)[0]
}

// array is a weight that is laid out anew for ONNX.
type array struct {
	dims   []int
	values []float32
}

// arrays are a layer's weights.
func arrays(l *dl.Layer) ([]array, error) {
	weights, err := l.Weights()
	if err != nil {
		return nil, err
	}
	var all []array
	for _, w := range weights {
		values, err := tensors.CopyFlatData[float32](w)
		if err != nil {
			return nil, err
		}
		all = append(all, array{w.Shape().Dimensions, values})
	}
	return all, nil
}

// permuted is the array with its axes in another order.
func (a array) permuted(axes ...int) array {
	out := array{make([]int, len(axes)), make([]float32, len(a.values))}
	strides := make([]int, len(a.dims))
	step := 1
	for i := len(a.dims) - 1; i >= 0; i-- {
		strides[i] = step
		step *= a.dims[i]
	}
	for i, axis := range axes {
		out.dims[i] = a.dims[axis]
	}
	at := make([]int, len(axes))
	for i := range out.values {
		from := 0
		for j, axis := range axes {
			from += at[j] * strides[axis]
		}
		out.values[i] = a.values[from]
		for j := len(axes) - 1; j >= 0; j-- {
			if at[j]++; at[j] < out.dims[j] {
				break
			}
			at[j] = 0
		}
	}
	return out
}

func (a array) reshaped(dims ...int) array { return array{dims, a.values} }

// blocks puts the n equal parts of the last axis into another order.
func (a array) blocks(order ...int) array {
	columns := a.dims[len(a.dims)-1]
	width := columns / len(order)
	out := array{slices.Clone(a.dims), make([]float32, len(a.values))}
	for row := 0; row < len(a.values); row += columns {
		for i, from := range order {
			copy(out.values[row+i*width:row+(i+1)*width], a.values[row+from*width:row+(from+1)*width])
		}
	}
	return out
}

// constant adds an array.
func (e *exporter) constant(a array) string { return e.floats(a.values, a.dims...) }
