package onnx

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Load reads a model from an ONNX file. Its first axis must be the batch, its inputs'
// other axes of known length. It is a model of one layer, a Graph; its weights of
// floats can be trained. What it cannot read is a *dl.FormatError.
//
// The library that GoMLX has for ONNX does not build with GoMLX 0.28.2, and refuses the
// max-pooling of PyTorch and Keras, so the operators are here.
func Load(path string) (*dl.Model, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	m, err := load(text)
	if err != nil {
		return nil, &dl.FormatError{Path: path, Err: fmt.Errorf("onnx: cannot load %s: %w", path, err)}
	}
	return m, nil
}

func load(text []byte) (*dl.Model, error) {
	g, inputs, err := parse(text)
	if err != nil {
		return nil, err
	}
	var in []*dl.Symbol
	for _, v := range inputs {
		var shape layers.Shape
		for _, d := range v.dims[1:] {
			shape = append(shape, int(d))
		}
		in = append(in, dl.InputOf(layers.Input{Shape: shape, Name: v.name}))
	}
	out, err := dl.ApplyAll(g, in...)
	if err != nil {
		return nil, err
	}
	return dl.Functional(in, out)
}

func parse(text []byte) (*Graph, []valueProto, error) {
	var p modelProto
	if err := p.unmarshal(text); err != nil {
		return nil, nil, err
	}
	if len(p.graph.nodes) == 0 || len(p.graph.outputs) == 0 {
		return nil, nil, errors.New("expected an ONNX file with a graph, got none")
	}
	g := &Graph{graph: p.graph, Name: "onnx", opset: int(p.opset)}
	given := make(map[string]bool)
	for _, t := range p.graph.initializers {
		given[t.name] = true
	}
	var inputs []valueProto
	for _, v := range p.graph.inputs {
		if given[v.name] { // older files list their weights among the inputs
			continue
		}
		if len(v.dims) == 0 || slices.Contains(v.dims[1:], -1) {
			return nil, nil, fmt.Errorf("input %q: expected a batch, and axes of known length behind it, got %v", v.name, v.dims)
		}
		inputs = append(inputs, v)
	}
	if len(inputs) == 0 {
		return nil, nil, errors.New("expected at least one input, got none")
	}
	g.inputs = inputs
	return g, inputs, g.check()
}

// probe is the batch size with which shapes are found out: one that no other axis is
// likely to have.
const probe = 3

// values is an initializer of given numbers.
type values []float32

// Init implements initializers.Initializer.
func (v values) Init([]int, *rand.Rand) []float32 { return slices.Clone(v) }

var _ initializers.Initializer = values(nil)

// value is a tensor in the graph. What the file computes with shapes is known while the
// graph is built, and is kept as numbers.
type value struct {
	node   *tensor.Node
	floats []float32 // of a constant; nil if they are not known
	ints   []int64   // nil if they are not known
	dims   []int     // of ints; nil is a scalar
}

// machine runs nodes, one after the other.
type machine struct {
	g      *graph.Graph
	values map[string]value
	opset  int
}

// as converts a node to a type of ONNX.
func (m *machine) as(x *tensor.Node, kind int) *tensor.Node {
	switch kind {
	case typeInt64, typeInt32, typeInt8, typeUint8:
		return graph.ConvertDType(x, dtypes.Int32)
	case typeBool:
		return graph.NotEqual(x, graph.ZerosLike(x))
	}
	return graph.ConvertDType(x, dtypes.Float32)
}

func (m *machine) constant(t tensorProto) value {
	var dims []int
	for _, d := range t.dims {
		dims = append(dims, int(d))
	}
	if t.integers != nil || t.kind == typeInt64 || t.kind == typeInt32 {
		v := value{ints: t.integers, dims: dims}
		if v.ints == nil {
			v.ints = []int64{}
		}
		if t.kind == typeBool {
			return value{node: m.as(m.node(v), typeBool)}
		}
		return v
	}
	return value{node: graph.Reshape(graph.Const(m.g, t.floats), dims...), floats: t.floats}
}

// node is a value in the graph.
func (m *machine) node(v value) *tensor.Node {
	if v.node != nil {
		return v.node
	}
	narrow := make([]int32, len(v.ints))
	for i, x := range v.ints {
		narrow[i] = int32(min(max(x, -1<<31), 1<<31-1))
	}
	return graph.Reshape(graph.Const(m.g, narrow), v.dims...)
}

// in is an input of a node that must be there.
func (m *machine) in(n nodeProto, i int) *tensor.Node {
	v, ok := m.input(n, i)
	if !ok {
		panic(fmt.Errorf("node %q (%s): expected an input %d, got none", n.name, n.op, i))
	}
	return m.node(v)
}

// input is an input of a node, if it is there.
func (m *machine) input(n nodeProto, i int) (value, bool) {
	if i >= len(n.in) || n.in[i] == "" {
		return value{}, false
	}
	v, ok := m.values[n.in[i]]
	if !ok {
		panic(fmt.Errorf("node %q (%s): no node computes its input %q", n.name, n.op, n.in[i]))
	}
	return v, true
}

// ints are an input's numbers, which must be known while the graph is built; or, in
// older files, an attribute's.
func (m *machine) ints(n nodeProto, i int, attribute string) ([]int, bool) {
	if a, ok := n.attributes[attribute]; ok && attribute != "" {
		return narrow(a.ints), true
	}
	v, ok := m.input(n, i)
	if !ok {
		return nil, false
	}
	if v.ints == nil {
		panic(fmt.Errorf("node %q (%s): expected input %q to be known when the model is built; it depends on the data", n.name, n.op, n.in[i]))
	}
	return narrow(v.ints), true
}

func narrow(v []int64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(min(max(x, -1<<31), 1<<31-1))
	}
	return out
}

func (n nodeProto) int(name string, def int) int {
	if a, ok := n.attributes[name]; ok {
		return int(a.i)
	}
	return def
}

func (n nodeProto) float(name string, def float64) float64 {
	if a, ok := n.attributes[name]; ok {
		return float64(a.f)
	}
	return def
}

func (n nodeProto) text(name, def string) string {
	if a, ok := n.attributes[name]; ok {
		return a.s
	}
	return def
}

func (n nodeProto) list(name string, def ...int) []int {
	if a, ok := n.attributes[name]; ok {
		return narrow(a.ints)
	}
	return def
}

// scales are the factors of a Resize, which must be known when the graph is built.
func (m *machine) scales(n nodeProto, v value) []float64 {
	if len(v.floats) != 4 {
		panic(fmt.Errorf("node %q (Resize): expected 4 scales that are known when the model is built, got %v", n.name, v.floats))
	}
	var all []float64
	for _, f := range v.floats {
		all = append(all, float64(f))
	}
	return all
}
