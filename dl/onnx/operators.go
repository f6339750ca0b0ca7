package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
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
		"Pow": pairwise(graph.Pow), "PRelu": pairwise(func(x, a *graph.Node) *graph.Node {
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
		"ReduceL2": reduce(func(x *graph.Node, axes ...int) *graph.Node {
			return graph.Sqrt(graph.ReduceSum(graph.Square(x), axes...))
		}),
		"Reshape": reshape, "Flatten": flatten, "Transpose": transpose, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Concat": concat,
		"Slice": slice, "Split": split, "Pad": pad, "Expand": expand, "Shape": shapeOf, "Gather": gather, "Constant": constant,
		"ConstantOfShape": constantOfShape, "Resize": resize, "RNN": recurrent, "LSTM": recurrent, "GRU": recurrent,
	}
}

func single(n *graph.Node) []value { return []value{{node: n}} }

func unary(f func(*graph.Node) *graph.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value { return single(f(m.in(n, 0))) }
}

func of(a activations.Activation) func(*machine, nodeProto) []value { return unary(a.Apply) }

func parametric(name string, def float64, make func(float64) layers.Layer) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		return single(make(n.float(name, def)).Call(nil, m.in(n, 0)))
	}
}

// together gives two nodes one type, and one rank.
func together(a, b *graph.Node) (*graph.Node, *graph.Node) {
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

func pairwise(f func(a, b *graph.Node) *graph.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value {
		a, b := together(m.in(n, 0), m.in(n, 1))
		return single(f(a, b))
	}
}

// arithmetic is pairwise for what is also done with shapes.
func arithmetic(f func(a, b *graph.Node) *graph.Node, known func(a, b int64) int64) func(*machine, nodeProto) []value {
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

func folded(f func(a, b *graph.Node) *graph.Node) func(*machine, nodeProto) []value {
	return func(m *machine, n nodeProto) []value { return single(fold(m, n, f)) }
}

func fold(m *machine, n nodeProto, f func(a, b *graph.Node) *graph.Node) *graph.Node {
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
	wide := func(x *graph.Node) *graph.Node { return graph.BroadcastToDims(x, dims...) }
	return single(graph.Where(wide(c), wide(a), wide(b)))
}

func softmax(f func(x *graph.Node, axes ...int) *graph.Node) func(*machine, nodeProto) []value {
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
func reduce(f func(x *graph.Node, axes ...int) *graph.Node) func(*machine, nodeProto) []value {
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

func reshape(m *machine, n nodeProto) []value {
	v, _ := m.input(n, 0)
	to, ok := m.ints(n, 1, "shape")
	if !ok {
		panic(fmt.Errorf("node %q (Reshape): expected a shape, got none", n.name))
	}
	if v.ints != nil {
		to = slices.Clone(to)
		if i := slices.Index(to, -1); i >= 0 {
			to[i] = len(v.ints)
		}
		return []value{{ints: v.ints, dims: to}}
	}
	x := m.in(n, 0)
	dims, size, free := slices.Clone(to), 1, -1
	for i, d := range dims {
		if d == 0 && n.int("allowzero", 0) == 0 {
			dims[i] = x.Shape().Dimensions[i]
		}
		if d == -1 {
			free = i
		} else {
			size *= dims[i]
		}
	}
	if free >= 0 {
		dims[free] = x.Shape().Size() / max(size, 1)
	}
	return single(graph.Reshape(x, dims...))
}

func flatten(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	axis := n.int("axis", 1)
	if axis < 0 {
		axis += x.Rank()
	}
	rows := 1
	for _, d := range x.Shape().Dimensions[:axis] {
		rows *= d
	}
	return single(graph.Reshape(x, rows, x.Shape().Size()/rows))
}

func transpose(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	perm := n.list("perm")
	if perm == nil {
		for i := x.Rank() - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
	}
	return single(graph.TransposeAllAxes(x, perm...))
}

func squeeze(m *machine, n nodeProto) []value {
	axes, _ := m.ints(n, 1, "axes")
	if v, ok := m.input(n, 0); ok && v.ints != nil {
		return []value{{ints: v.ints}}
	}
	return single(graph.Squeeze(m.in(n, 0), axes...))
}

func unsqueeze(m *machine, n nodeProto) []value {
	axes, _ := m.ints(n, 1, "axes")
	if v, ok := m.input(n, 0); ok && v.ints != nil {
		return []value{{ints: v.ints, dims: []int{len(v.ints)}}}
	}
	x := m.in(n, 0)
	rank := x.Rank() + len(axes)
	for i := range axes {
		if axes[i] < 0 {
			axes[i] += rank
		}
	}
	slices.Sort(axes)
	dims := slices.Clone(x.Shape().Dimensions)
	for _, a := range axes {
		dims = slices.Insert(dims, a, 1)
	}
	return single(graph.Reshape(x, dims...))
}

func concat(m *machine, n nodeProto) []value {
	var known value
	all := true
	var nodes []*graph.Node
	for i := range n.in {
		v, ok := m.input(n, i)
		if !ok || v.ints == nil {
			all = false
		}
		known.ints = append(known.ints, v.ints...)
	}
	if all {
		known.dims = []int{len(known.ints)}
		return []value{known}
	}
	for i := range n.in {
		nodes = append(nodes, m.in(n, i))
	}
	return single(graph.Concatenate(nodes, n.int("axis", 0)))
}

func slice(m *machine, n nodeProto) []value {
	from, _ := m.ints(n, 1, "starts")
	to, _ := m.ints(n, 2, "ends")
	axes, ok := m.ints(n, 3, "axes")
	if !ok {
		for i := range from {
			axes = append(axes, i)
		}
	}
	steps, ok := m.ints(n, 4, "")
	if !ok {
		steps = slices.Repeat([]int{1}, len(from))
	}
	bounds := func(i, size int) (a, b int) {
		clamp := func(v, low, high int) int {
			if v < 0 {
				v += size
			}
			return min(max(v, low), high)
		}
		if steps[i] < 0 {
			return clamp(from[i], 0, size-1), clamp(to[i], -1, size-1)
		}
		return clamp(from[i], 0, size), clamp(to[i], 0, size)
	}
	if v, ok := m.input(n, 0); ok && v.ints != nil {
		a, b := bounds(0, len(v.ints))
		var out value
		for j := a; steps[0] > 0 && j < b || steps[0] < 0 && j > b; j += steps[0] {
			out.ints = append(out.ints, v.ints[j])
		}
		out.dims = []int{len(out.ints)}
		return []value{out}
	}
	x := m.in(n, 0)
	for i, axis := range axes {
		if axis < 0 {
			axis += x.Rank()
		}
		a, b := bounds(i, x.Shape().Dimensions[axis])
		if steps[i] < 0 {
			size := x.Shape().Dimensions[axis]
			x = reversed(x, axis)
			a, b = size-1-a, size-1-b
		}
		step := steps[i]
		if step < 0 {
			step = -step
		}
		x = graph.SliceAxis(x, axis, graph.AxisRange(a, b).Stride(step))
	}
	return single(x)
}

func split(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	axis := n.int("axis", 0)
	if axis < 0 {
		axis += x.Rank()
	}
	sizes, ok := m.ints(n, 1, "split")
	if !ok {
		parts := n.int("num_outputs", len(n.out))
		size := (x.Shape().Dimensions[axis] + parts - 1) / parts
		for range parts {
			sizes = append(sizes, size)
		}
	}
	var out []value
	at := 0
	for _, s := range sizes {
		end := min(at+s, x.Shape().Dimensions[axis])
		out = append(out, value{node: graph.SliceAxis(x, axis, graph.AxisRange(at, end))})
		at = end
	}
	return out
}

func expand(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	to, _ := m.ints(n, 1, "")
	rank := max(x.Rank(), len(to))
	x = graph.ExpandLeftToRank(x, rank)
	dims := slices.Clone(x.Shape().Dimensions)
	for i, d := range to {
		j := rank - len(to) + i
		dims[j] = max(dims[j], d)
	}
	return single(graph.BroadcastToDims(x, dims...))
}

func shapeOf(m *machine, n nodeProto) []value {
	v, _ := m.input(n, 0)
	dims := v.dims
	if v.node != nil {
		dims = v.node.Shape().Dimensions
	}
	end := n.int("end", len(dims))
	if end < 0 {
		end += len(dims)
	}
	dims = dims[n.int("start", 0):min(end, len(dims))]
	return []value{{ints: wide(dims), dims: []int{len(dims)}}}
}

func gather(m *machine, n nodeProto) []value {
	data, _ := m.input(n, 0)
	at, _ := m.input(n, 1)
	if data.ints != nil && at.ints != nil && n.int("axis", 0) == 0 {
		out := value{dims: at.dims}
		for _, i := range at.ints {
			if i < 0 {
				i += int64(len(data.ints))
			}
			out.ints = append(out.ints, data.ints[i])
		}
		return []value{out}
	}
	x, ids := m.node(data), graph.ConvertDType(m.node(at), dtypes.Int32)
	axis := n.int("axis", 0)
	if axis < 0 {
		axis += x.Rank()
	}
	size := x.Shape().Dimensions[axis]
	ids = graph.Where(graph.LessThan(ids, graph.ZerosLike(ids)), graph.AddScalar(ids, size), ids)
	if axis == 0 {
		return single(graph.Gather(x, graph.InsertAxes(ids, -1)))
	}
	// The axis comes first, and the axes of the places go where it was.
	perm := []int{axis}
	for i := range x.Rank() {
		if i != axis {
			perm = append(perm, i)
		}
	}
	y := graph.Gather(graph.TransposeAllAxes(x, perm...), graph.InsertAxes(ids, -1))
	var back []int
	for i := range axis {
		back = append(back, ids.Rank()+i)
	}
	for i := range ids.Rank() {
		back = append(back, i)
	}
	for i := axis; i < x.Rank()-1; i++ {
		back = append(back, ids.Rank()+i)
	}
	return single(graph.TransposeAllAxes(y, back...))
}

func constant(m *machine, n nodeProto) []value {
	for name, a := range n.attributes {
		switch name {
		case "value":
			return []value{m.constant(*a.t)}
		case "value_int":
			return []value{{ints: []int64{a.i}}}
		case "value_ints":
			return []value{{ints: a.ints, dims: []int{len(a.ints)}}}
		case "value_float":
			return single(graph.Const(m.g, a.f))
		case "value_floats":
			return single(graph.Const(m.g, a.floats))
		}
	}
	panic(fmt.Errorf("node %q (Constant): expected a value, got none that is supported", n.name))
}

func constantOfShape(m *machine, n nodeProto) []value {
	dims, _ := m.ints(n, 0, "")
	t := tensorProto{kind: typeFloat, floats: []float32{0}}
	if a, ok := n.attributes["value"]; ok {
		t = *a.t
	}
	if t.integers != nil {
		size := 1
		for _, d := range dims {
			size *= d
		}
		return []value{{ints: slices.Repeat(t.integers[:1], size), dims: dims}}
	}
	return single(graph.FillScalar(m.g, shapes.Make(dtypes.Float32, dims...), float64(t.floats[0])))
}
