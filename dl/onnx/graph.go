package onnx

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Graph is a layer that computes what an ONNX file says.
type Graph struct {
	Name   string
	graph  *translate.Graph
	inputs []proto.Value
	values map[string]*tensor.Tensor
}

func init() {
	config.Unwritable(Graph{}, "its file is the ONNX file that it came from; dl's own can hold its Weights only (SaveWeights)")
}

// values is an initializer of given numbers.
type given struct{ t *tensors.Tensor }

// Init implements initializers.Initializer.
func (v given) Init([]int, *rand.Rand) []float32 {
	values, err := tensors.CopyFlatData[float32](v.t)
	if err != nil {
		panic(err)
	}
	return values
}

var _ initializers.Initializer = given{}

// Build implements layers.Layer.
func (g *Graph) Build(in layers.Shape) (layers.Spec, error) { return g.BuildAll([]layers.Shape{in}) }

// BuildAll implements layers.Multi.
func (g *Graph) BuildAll(in []layers.Shape) (layers.Spec, error) {
	if len(in) != len(g.inputs) {
		return layers.Spec{}, fmt.Errorf("expected %d inputs, got %d", len(g.inputs), len(in))
	}
	spec := layers.Spec{AnyType: true}
	for _, t := range g.graph.Weights() {
		if translate.Trainable(t) {
			spec.Weights = append(spec.Weights, layers.Weight{Name: t.Name, Shape: narrow(t.Dims), Initializer: given{g.graph.Tensor(t.Name)}})
		}
	}
	outputs, err := g.outputs(in)
	spec.Outputs = outputs
	return spec, err
}

func narrow(dims []int64) layers.Shape {
	out := make(layers.Shape, len(dims))
	for i, d := range dims {
		out[i] = int(d)
	}
	return out
}

// Batch sizes with which the shapes of outputs are found out: an axis that has both is the
// batch.
const (
	probe   = 3
	another = 5
)

// outputs are the shapes of a graph's outputs behind the batch.
func (g *Graph) outputs(in []layers.Shape) ([]layers.Shape, error) {
	batch, err := g.batch()
	if err != nil {
		return nil, err
	}
	sizes := []int{batch}
	if batch < 0 {
		sizes = []int{probe, another}
	}
	var all [][]shapes.Shape
	for _, n := range sizes {
		s, err := g.shapes(n, in)
		if err != nil && batch < 0 { // it may be written for one example at a time
			if s, single := g.shapes(1, in); single == nil {
				return g.behind([][]shapes.Shape{s}, []int{1})
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return g.behind(all, sizes)
}

// batch is the size of a batch that the file says; -1 for any.
func (g *Graph) batch() (int, error) {
	batch := int64(-1)
	for _, v := range g.inputs {
		d := v.Dims[0].Size
		if d >= 0 && batch >= 0 && d != batch {
			return 0, fmt.Errorf("input %q has a first axis of %d and another one of %d, so that it cannot be the batch; use onnx.Open", v.Name, d, batch)
		}
		batch = max(batch, d)
	}
	return int(batch), nil
}

// behind takes the batch off shapes that were found for several sizes of it.
func (g *Graph) behind(all [][]shapes.Shape, sizes []int) (out []layers.Shape, err error) {
	for i, v := range g.graph.Outputs {
		for j, n := range sizes {
			s := all[j][i]
			if s.Rank() == 0 || s.Dimensions[0] != n || !slices.Equal(s.Dimensions[1:], all[0][i].Dimensions[1:]) {
				return nil, fmt.Errorf("output %q: expected the batch as the first axis, got shape %v for a batch of %d; use onnx.Open", v.Name, s.Dimensions, n)
			}
			if d := s.DType; !d.IsFloat() && d != dtypes.Bool && d.Size() > 2 || d == dtypes.Float64 {
				return nil, fmt.Errorf("output %q: expected numbers that fit float32, got %s; use onnx.Open", v.Name, d)
			}
		}
		out = append(out, all[0][i].Dimensions[1:])
	}
	return out, nil
}

// shapes builds the graph for a batch, without running it.
func (g *Graph) shapes(batch int, in []layers.Shape) ([]shapes.Shape, error) {
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	var params []engine.Param
	for i, s := range in {
		params = append(params, engine.Param{Name: g.inputs[i].Name, Shape: shapes.Make(translate.DType(g.inputs[i].Kind), append([]int{batch}, s...)...)})
	}
	var names []string
	for _, t := range g.graph.Weights() {
		if translate.Trainable(t) {
			names = append(names, t.Name)
			params = append(params, engine.Param{Name: t.Name, Shape: shapes.Make(dtypes.Float32, narrow(t.Dims)...)})
		}
	}
	return engine.Shapes(d, params, func(nodes []*tensor.Node) []*tensor.Node {
		byName := make(map[string]*tensor.Node)
		for i, name := range names {
			byName[name] = nodes[len(in)+i]
		}
		return g.run(nodes[0].Graph(), nodes[:len(in)], func(name string) *tensor.Node { return byName[name] })
	})
}

// Call implements layers.Layer.
func (g *Graph) Call(c *layers.Context, x *tensor.Node) *tensor.Node {
	return g.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements layers.Multi.
func (g *Graph) CallAll(c *layers.Context, in []*tensor.Node) []*tensor.Node {
	batch, err := g.batch()
	if err == nil && batch >= 0 && in[0].Shape().Dimensions[0] != batch {
		err = fmt.Errorf("the file is for batches of %d, got one of %d; set BatchSize, or use onnx.Open", batch, in[0].Shape().Dimensions[0])
	}
	if err != nil {
		panic(err)
	}
	typed := make([]*tensor.Node, len(in))
	for i, x := range in {
		typed[i] = graph.ConvertDType(x, translate.DType(g.inputs[i].Kind))
	}
	out := g.run(in[0].Graph(), typed, c.Weight)
	for i, y := range out {
		if y.DType() != dtypes.Float32 {
			out[i] = graph.ConvertDType(y, dtypes.Float32)
		}
	}
	return out
}

func (g *Graph) run(to *graph.Graph, in []*tensor.Node, weight func(name string) *tensor.Node) []*tensor.Node {
	s := translate.Source{
		Input: func(name string) *graph.Node {
			return in[slices.IndexFunc(g.inputs, func(v proto.Value) bool { return v.Name == name })]
		},
		Known: g.values,
		Weight: func(t *proto.Tensor, axes []int) *graph.Node {
			if !translate.Trainable(t) || axes != nil {
				return nil
			}
			return weight(t.Name)
		},
		Trained: true,
	}
	out, asked := g.graph.Translate(to, s)
	if asked != nil {
		panic(errors.New("onnx: a graph asked for numbers that it cannot have"))
	}
	return out
}
