package translate

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	add(map[string]operator{
		"QuantizeLinear":        {Attributes: "axis saturate block_size output_dtype precision", Inputs: 3, Types: numeric, Rule: rule(quantizeLinear)},
		"DequantizeLinear":      {Attributes: "axis block_size output_dtype", Inputs: 3, Types: integers, Rule: rule(dequantizeLinear)},
		"DynamicQuantizeLinear": {Inputs: 1, Outputs: 3, Types: floating, Rule: dynamicQuantizeLinear},
		"MatMulInteger":         {Inputs: 4, Types: integers, Rule: rule(matMulInteger)},
		"QLinearMatMul":         {Inputs: 8, Types: integers, Rule: rule(qLinearMatMul)},
		"ConvInteger":           {Attributes: window + " group", Inputs: 4, Types: integers, Rule: convInteger},
		"QLinearConv":           {Attributes: window + " group", Inputs: 9, Types: integers, Rule: qLinearConv},
	})
}

// spreadOver gives a scale or zero point the shape that it has over x: one number, one for
// each place of an axis, or one for each block of it.
func (c *call) spreadOver(s *graph.Node, x []int, axis int) *graph.Node {
	if s.Shape().Size() == 1 && s.Rank() <= 1 {
		return graph.ExpandLeftToRank(graph.Reshape(s), len(x))
	}
	if s.Rank() == 1 {
		dims := ones(len(x))
		if dims[axis] = s.Shape().Size(); dims[axis] != x[axis] {
			panic(fmt.Errorf("expected a scale for each of %d places of axis %d, got %d", x[axis], axis, dims[axis]))
		}
		return graph.Reshape(s, dims...)
	}
	block := c.int("block_size", 0)
	if block < 1 || s.Rank() != len(x) {
		panic(fmt.Errorf("expected a scale for the tensor, an axis, or blocks of an axis, got shape %v and block_size %d", s.Shape().Dimensions, block))
	}
	return part(ops.Repeat(s, axis, block), axis, 0, x[axis], 1)
}

func (c *call) quantAxis(rank int) int {
	if rank == 0 {
		return 0
	}
	a := c.int("axis", 1)
	if a == 1 && rank == 1 {
		a = 0
	}
	return axisOf(a, rank)
}

// limits are the smallest and largest number of a type.
func limits(d dtypes.DType) (low, high float64) {
	bits := float64(8 * d.Size())
	if d.IsUnsigned() {
		return 0, math.Pow(2, bits) - 1
	}
	return -math.Pow(2, bits-1), math.Pow(2, bits-1) - 1
}

// quantized rounds x / scale to the nearest number, an even one in the middle, and keeps
// it within its type.
func quantized(x, scale, zero *graph.Node, to dtypes.DType) *graph.Node {
	y := graph.Round(quotient(x, scale))
	if y.DType().Size() < 4 {
		y = graph.ConvertDType(y, dtypes.Float32)
	}
	if zero != nil {
		y = graph.Add(y, graph.ConvertDType(zero, y.DType()))
	}
	low, high := limits(to)
	y = graph.Min(graph.Max(y, scalar(y, low)), scalar(y, high))
	return graph.ConvertDType(graph.ConvertDType(y, dtypes.Int32), to)
}

// quotient is x / scale to the last place, where XLA would multiply by one over the scale:
// in the middle between two numbers the last place decides.
func quotient(x, scale *graph.Node) *graph.Node {
	if x.DType() != dtypes.Float32 {
		return graph.Div(x, scale)
	}
	y := graph.Div(graph.ConvertDType(x, dtypes.Float64), graph.ConvertDType(scale, dtypes.Float64))
	return graph.ConvertDType(y, dtypes.Float32)
}

func quantizeLinear(c *call) *graph.Node {
	x := c.x(0)
	to := c.dtype("output_dtype", dtypes.Uint8)
	axis := c.quantAxis(x.Rank())
	var zero *graph.Node
	if c.has(2) {
		to = c.value(2).shape().DType
		zero = c.spreadOver(c.x(2), x.Shape().Dimensions, axis)
	}
	if !to.IsInt() {
		panic(fmt.Errorf("quantizing to %s is not supported", to))
	}
	scale := c.spreadOver(c.x(1), x.Shape().Dimensions, axis)
	if d := c.dtype("precision", dtypes.InvalidDType); d != dtypes.InvalidDType {
		x, scale = casted(x, d), casted(scale, d)
	}
	if x.DType().IsInt() {
		x = graph.ConvertDType(x, scale.DType())
	}
	return quantized(x, c.toSame(scale, x), zero, to)
}

func dequantizeLinear(c *call) *graph.Node {
	x := c.x(0)
	axis := c.quantAxis(x.Rank())
	scale := c.x(1)
	y := casted(x, dtypes.Float32)
	if c.has(2) {
		y = graph.Sub(y, casted(c.spreadOver(c.x(2), x.Shape().Dimensions, axis), dtypes.Float32))
	}
	y = graph.Mul(y, casted(c.spreadOver(scale, x.Shape().Dimensions, axis), dtypes.Float32))
	return casted(y, c.dtype("output_dtype", scale.DType()))
}

func dynamicQuantizeLinear(c *call) []*value {
	x := c.x(0)
	all := from(0, x.Rank())
	zero := scalar(x, 0)
	high, low := graph.Max(graph.ReduceMax(x, all...), zero), graph.Min(graph.ReduceMin(x, all...), zero)
	scale := graph.Div(graph.Sub(high, low), scalar(x, 255))
	scale = graph.Where(graph.Equal(high, low), scalar(x, 1.0/255), scale)
	point := graph.Round(graph.Min(graph.Max(graph.Neg(graph.Div(low, scale)), zero), scalar(x, 255)))
	y := quantized(x, scale, point, dtypes.Uint8)
	return several(y, scale, graph.ConvertDType(point, dtypes.Uint8))
}

// whole is an input in int32, less its zero point, which is one number, or one for each
// place of an axis.
func (c *call) whole(i, zero, axis int) *graph.Node {
	x := graph.ConvertDType(c.x(i), dtypes.Int32)
	if !c.has(zero) {
		return x
	}
	z := graph.ConvertDType(c.x(zero), dtypes.Int32)
	if z.Shape().Size() == 1 {
		return graph.Sub(x, graph.Reshape(z))
	}
	if z.Rank() == 1 {
		dims := ones(x.Rank())
		dims[axisOf(axis, x.Rank())] = z.Shape().Size()
		z = graph.Reshape(z, dims...)
	}
	return graph.Sub(x, z)
}

func matMulInteger(c *call) *graph.Node {
	return graph.MatMul(c.whole(0, 2, -2), c.whole(1, 3, -1))
}

func qLinearMatMul(c *call) *graph.Node {
	a, b := c.whole(0, 2, -2), c.whole(3, 5, -1)
	y := graph.ConvertDType(graph.MatMul(a, b), dtypes.Float32)
	scale := graph.Mul(row(casted(c.x(1), dtypes.Float32), y.Rank(), -2), row(casted(c.x(4), dtypes.Float32), y.Rank(), -1))
	return quantized(graph.Mul(y, scale), row(casted(c.x(6), dtypes.Float32), y.Rank(), -2), row(c.x(7), y.Rank(), -2), c.value(7).shape().DType)
}

// row gives a vector its place among the axes of a product.
func row(x *graph.Node, rank, axis int) *graph.Node {
	if x.Rank() != 1 || x.Shape().Size() == 1 {
		if x.Shape().Size() == 1 {
			return graph.ExpandLeftToRank(graph.Reshape(x), rank)
		}
		return graph.ExpandLeftToRank(x, rank)
	}
	dims := ones(rank)
	dims[axisOf(axis, rank)] = x.Shape().Size()
	return graph.Reshape(x, dims...)
}

// integerConv convolves in float64, which holds the sums of products of 8 bits exactly.
func (c *call) integerConv(x, k *graph.Node) *graph.Node {
	in, kd := x.Shape().Dimensions, k.Shape().Dimensions
	groups := c.int("group", 1)
	if len(in) < 3 || len(kd) != len(in) || groups < 1 || in[1] != kd[1]*groups {
		panic(fmt.Errorf("an input of shape %v in %d groups does not fit a kernel of shape %v", in, groups, kd))
	}
	f := c.frame(in[2:], kd[2:])
	f.out(in[2:])
	kernel := graph.TransposeAllAxes(graph.ConvertDType(k, dtypes.Float64), windowFirst(len(kd))...)
	return c.convolve(channelsLast(graph.ConvertDType(x, dtypes.Float64)), kernel, f, groups)
}

func convInteger(c *call) []*value {
	y := c.integerConv(c.whole(0, 2, 1), c.whole(1, 3, 0))
	return []*value{{node: graph.ConvertDType(y, dtypes.Int32), last: true}}
}

func qLinearConv(c *call) []*value {
	y := c.integerConv(c.whole(0, 2, 1), c.whole(3, 5, 0))
	if c.has(8) {
		y = graph.Add(y, graph.ExpandLeftToRank(graph.ConvertDType(c.x(8), y.DType()), y.Rank()))
	}
	f := graph.ConvertDType(y, dtypes.Float32)
	scale := graph.Mul(graph.Reshape(c.x(1)), row(c.x(4), y.Rank(), -1))
	out := quantized(graph.Mul(f, scale), graph.ExpandLeftToRank(graph.Reshape(c.x(6)), y.Rank()), graph.ExpandLeftToRank(graph.Reshape(c.x(7)), y.Rank()), c.value(7).shape().DType)
	return []*value{{node: out, last: true}}
}
