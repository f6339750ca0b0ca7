package onnx

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// operators are those that can be read, by name.
//
// Source: https://onnx.ai/onnx/operators/
var operators map[string]func(m *machine, n nodeProto) []value

func init() { // or operators and what they call would need each other first
	operators = map[string]func(m *machine, n nodeProto) []value{
		"Add": arithmetic(graph.Add, func(a, b int64) int64 { return a + b }),
		"Sub": arithmetic(graph.Sub, func(a, b int64) int64 { return a - b }),
		"Mul": arithmetic(graph.Mul, func(a, b int64) int64 { return a * b }),
		"Div": arithmetic(graph.Div, func(a, b int64) int64 { return a / max(b, 1) }),
		"Pow": pairwise(graph.Pow), "PRelu": pairwise(func(x, a *tensor.Node) *tensor.Node {
			return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), x, graph.Mul(a, x))
		}),
		"Greater": pairwise(graph.GreaterThan), "GreaterOrEqual": pairwise(graph.GreaterOrEqual),
		"Less": pairwise(graph.LessThan), "LessOrEqual": pairwise(graph.LessOrEqual), "Equal": pairwise(graph.Equal),
		"And": pairwise(graph.LogicalAnd), "Or": pairwise(graph.LogicalOr),
		"Sum": folded(graph.Add), "Max": folded(graph.Max), "Min": folded(graph.Min), "Mean": mean,
		"Identity": same, "Dropout": same, "Cast": cast,
		"Sqrt": unary(graph.Sqrt), "Exp": unary(graph.Exp), "Log": unary(graph.Log), "Erf": unary(graph.Erf), "Neg": unary(graph.Neg),
		"Abs": unary(graph.Abs), "Reciprocal": unary(graph.Reciprocal), "Floor": unary(graph.Floor), "Ceil": unary(graph.Ceil),
		"Sin": unary(graph.Sin), "Cos": unary(graph.Cos), "Not": unary(graph.LogicalNot), "Sign": unary(graph.Sign),
		"Relu": of(activations.ReLU), "Sigmoid": of(activations.Sigmoid), "Tanh": of(activations.Tanh), "Selu": of(activations.SELU),
		"Softplus": of(activations.Softplus), "Softsign": of(activations.Softsign), "Mish": of(activations.Mish),
		"Elu":       parametric("alpha", 1, func(a float64) layers.Layer { return layers.ELU{Alpha: a} }),
		"LeakyRelu": parametric("alpha", 0.01, func(a float64) layers.Layer { return layers.LeakyReLU{NegativeSlope: a} }),
		"Gelu":      gelu, "HardSigmoid": hardSigmoid, "Clip": clip, "Where": where,
		"Softmax": softmax(graph.Softmax), "LogSoftmax": softmax(graph.LogSoftmax),
		"MatMul": matMul, "Gemm": gemm, "Conv": conv, "ConvTranspose": convTranspose,
		"MaxPool": pool(true), "AveragePool": pool(false),
		"GlobalMaxPool": globalPool(graph.ReduceMax), "GlobalAveragePool": globalPool(graph.ReduceMean),
		"BatchNormalization": batchNormalization, "InstanceNormalization": instanceNormalization, "LayerNormalization": layerNormalization,
		"ReduceMean": reduce(graph.ReduceMean), "ReduceSum": reduce(graph.ReduceSum), "ReduceMax": reduce(graph.ReduceMax), "ReduceMin": reduce(graph.ReduceMin),
		"ReduceL2": reduce(func(x *tensor.Node, axes ...int) *tensor.Node {
			return graph.Sqrt(graph.ReduceSum(graph.Square(x), axes...))
		}),
		"Reshape": reshape, "Flatten": flatten, "Transpose": transpose, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Concat": concat,
		"Slice": slice, "Split": split, "Pad": pad, "Expand": expand, "Shape": shapeOf, "Gather": gather, "Constant": constant,
		"ConstantOfShape": constantOfShape, "Resize": resize, "RNN": recurrent, "LSTM": recurrent, "GRU": recurrent,
	}
}

func single(n *tensor.Node) []value { return []value{{node: n}} }

func unary(f func(*tensor.Node) *tensor.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value { return single(f(m.in(n, 0))) }
}

func of(a activations.Activation) func(*machine, nodeProto) []value { return unary(a.Apply) }

func parametric(name string, def float64, layer func(float64) layers.Layer) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		return single(layer(n.float(name, def)).Call(nil, m.in(n, 0)))
	}
}

// together gives two nodes one type, and one rank.
func together(a, b *tensor.Node) (*tensor.Node, *tensor.Node) {
	if a.DType() != b.DType() {
		if a.DType().IsFloat() {
			b = graph.ConvertDType(b, a.DType())
		} else {
			a = graph.ConvertDType(a, b.DType())
		}
	}
	rank := max(a.Rank(), b.Rank())
	return graph.ExpandLeftToRank(a, rank), graph.ExpandLeftToRank(b, rank)
}

func pairwise(f func(a, b *tensor.Node) *tensor.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		a, b := together(m.in(n, 0), m.in(n, 1))
		return single(f(a, b))
	}
}

// arithmetic is pairwise for what is also done with shapes.
func arithmetic(f func(a, b *tensor.Node) *tensor.Node, known func(a, b int64) int64) func(*machine, nodeProto) []value {
	plain := pairwise(f)
	return func(m *machine, n nodeProto) []value {
		a, okA := m.input(n, 0)
		b, okB := m.input(n, 1)
		if !okA || !okB || a.ints == nil || b.ints == nil || len(a.ints) != len(b.ints) && len(a.ints) != 1 && len(b.ints) != 1 {
			return plain(m, n)
		}
		size := max(len(a.ints), len(b.ints))
		v := value{dims: a.dims}
		if len(b.dims) > len(a.dims) || len(b.ints) > len(a.ints) {
			v.dims = b.dims
		}
		for i := range size {
			v.ints = append(v.ints, known(a.ints[i%len(a.ints)], b.ints[i%len(b.ints)]))
		}
		return []value{v}
	}
}

func folded(f func(a, b *tensor.Node) *tensor.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value { return single(fold(m, n, f)) }
}

func fold(m *machine, n nodeProto, f func(a, b *tensor.Node) *tensor.Node) *tensor.Node {
	x := m.in(n, 0)
	for i := range n.in[1:] {
		a, b := together(x, m.in(n, i+1))
		x = f(a, b)
	}
	return x
}

func mean(m *machine, n nodeProto) []value {
	return single(graph.DivScalar(fold(m, n, graph.Add), float64(len(n.in))))
}

func same(m *machine, n nodeProto) []value {
	v, ok := m.input(n, 0)
	if !ok {
		panic(fmt.Errorf("node %q (%s): expected an input, got none", n.name, n.op))
	}
	return []value{v}
}

func cast(m *machine, n nodeProto) []value {
	v, _ := m.input(n, 0)
	to := n.int("to", typeFloat)
	if v.ints != nil && (to == typeInt64 || to == typeInt32) {
		return []value{v}
	}
	return single(m.as(m.in(n, 0), to))
}

func gelu(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	if n.text("approximate", "none") == "none" {
		return single(activations.GELU.Apply(x))
	}
	cubic := graph.Add(x, graph.MulScalar(graph.Mul(x, graph.Square(x)), 0.044715))
	return single(graph.Mul(graph.MulScalar(x, 0.5), graph.OnePlus(graph.Tanh(graph.MulScalar(cubic, math.Sqrt(2/math.Pi))))))
}

func hardSigmoid(m *machine, n nodeProto) []value {
	x := graph.AddScalar(graph.MulScalar(m.in(n, 0), n.float("alpha", 0.2)), n.float("beta", 0.5))
	return single(graph.ClipScalar(x, 0, 1))
}

func clip(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	if _, ok := m.input(n, 1); ok {
		a, b := together(x, m.in(n, 1))
		x = graph.Max(a, b)
	} else if _, ok := n.attributes["min"]; ok {
		x = graph.MaxScalar(x, n.float("min", 0))
	}
	if _, ok := m.input(n, 2); ok {
		a, b := together(x, m.in(n, 2))
		x = graph.Min(a, b)
	} else if _, ok := n.attributes["max"]; ok {
		x = graph.MinScalar(x, n.float("max", 0))
	}
	return single(x)
}

func where(m *machine, n nodeProto) []value {
	a, b := together(m.in(n, 1), m.in(n, 2))
	c := m.in(n, 0)
	rank := max(a.Rank(), c.Rank())
	a, b, c = graph.ExpandLeftToRank(a, rank), graph.ExpandLeftToRank(b, rank), graph.ExpandLeftToRank(c, rank)
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = max(a.Shape().Dimensions[i], b.Shape().Dimensions[i], c.Shape().Dimensions[i])
	}
	wide := func(x *tensor.Node) *tensor.Node { return graph.BroadcastToDims(x, dims...) }
	return single(graph.Where(wide(c), wide(a), wide(b)))
}

func softmax(f func(x *tensor.Node, axes ...int) *tensor.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		x, def := m.in(n, 0), -1
		if m.opset < 13 {
			def = 1
		}
		return single(f(x, n.int("axis", def)))
	}
}

func matMul(m *machine, n nodeProto) []value { return single(graph.MatMul(m.in(n, 0), m.in(n, 1))) }

func gemm(m *machine, n nodeProto) []value {
	a, b := m.in(n, 0), m.in(n, 1)
	if n.int("transA", 0) == 1 {
		a = graph.Transpose(a, 0, 1)
	}
	if n.int("transB", 0) == 1 {
		b = graph.Transpose(b, 0, 1)
	}
	y := graph.MulScalar(graph.MatMul(a, b), n.float("alpha", 1))
	if _, ok := m.input(n, 2); ok {
		c := graph.MulScalar(m.in(n, 2), n.float("beta", 1))
		y = graph.Add(y, graph.ExpandLeftToRank(c, 2))
	}
	return single(y)
}

// reduce adds a reduction, whose axes are an input or, in older files, an attribute.
func reduce(f func(x *tensor.Node, axes ...int) *tensor.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		x := m.in(n, 0)
		axes, ok := m.ints(n, 1, "axes")
		if !ok || len(axes) == 0 {
			if n.int("noop_with_empty_axes", 0) == 1 {
				return single(x)
			}
			axes = nil
			for i := range x.Rank() {
				axes = append(axes, i)
			}
		}
		if n.int("keepdims", 1) == 1 {
			return single(graph.ReduceAndKeep(x, f, axes...))
		}
		return single(f(x, axes...))
	}
}
