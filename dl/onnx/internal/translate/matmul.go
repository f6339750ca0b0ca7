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
		"MatMul": {Inputs: 2, Types: numeric, Rule: rule(func(c *call) *graph.Node { return matMul(c.x(0), c.x(1)) })},
		"Gemm":   {Attributes: "alpha beta transA transB broadcast", Inputs: 3, Types: numeric, Rule: rule(gemm)},
		"Einsum": {Attributes: "equation", Inputs: unlimited, Types: numeric, Rule: rule(einsum)},
		"Det":    {Inputs: 1, Types: floating, Rule: rule(func(c *call) *graph.Node { return determinant(c.x(0)) })},
	})
}

// matMul is numpy's: of the last two axes, the others being broadcast.
func matMul(a, b *graph.Node) *graph.Node {
	if a.Rank() == 0 || b.Rank() == 0 {
		panic(fmt.Errorf("expected at least one axis, got shapes %v and %v", a.Shape().Dimensions, b.Shape().Dimensions))
	}
	return wider(a, b, graph.MatMul)
}

// wider adds up products of small numbers in 32 bits, as other runtimes do; XLA's CPU would
// in 16, or 8.
func wider(a, b *graph.Node, f func(a, b *graph.Node) *graph.Node) *graph.Node {
	d := a.DType()
	a, b = ops.Solid(a, b), ops.Solid(b, a)
	if d.Size() >= 4 {
		return f(a, b)
	}
	in := dtypes.Int32
	if d.IsFloat() {
		in = dtypes.Float32
	}
	return graph.ConvertDType(f(graph.ConvertDType(a, in), graph.ConvertDType(b, in)), d)
}

// dot is a product over axes of both that are summed up, with others as a batch.
func dot(a *graph.Node, sumA, batchA []int, b *graph.Node, sumB, batchB []int) *graph.Node {
	return wider(a, b, func(a, b *graph.Node) *graph.Node {
		return graph.DotGeneral(a, sumA, batchA, b, sumB, batchB)
	})
}

func gemm(c *call) *graph.Node {
	a, b := c.x(0), c.x(1)
	if a.Rank() != 2 || b.Rank() != 2 {
		if a.Rank() < 2 || c.opset >= 7 || b.Rank() != 2 {
			panic(fmt.Errorf("expected matrices, got shapes %v and %v", a.Shape().Dimensions, b.Shape().Dimensions))
		}
		a = graph.Reshape(a, a.Shape().Dimensions[0], -1)
	}
	left, right := 1, 0
	if c.flag("transA") {
		left = 0
	}
	if c.flag("transB") {
		right = 1
	}
	y := dot(a, []int{left}, nil, b, []int{right}, nil)
	alpha, beta := c.float("alpha", 1), c.float("beta", 1)
	if y.DType().IsInt() && (alpha != math.Trunc(alpha) || beta != math.Trunc(beta)) {
		panic(fmt.Errorf("alpha %v and beta %v of whole numbers are not supported", alpha, beta))
	}
	if alpha != 1 {
		y = graph.Mul(y, scalar(y, alpha))
	}
	if c.has(2) {
		bias := c.x(2)
		if beta != 1 {
			bias = graph.Mul(bias, scalar(bias, beta))
		}
		y = graph.Add(y, graph.ExpandLeftToRank(bias, 2))
	}
	return y
}

// determinant multiplies what Gauss's elimination leaves on the diagonal, for each of the
// matrices of the last two axes. Rows are changed so that the largest number is above.
func determinant(x *graph.Node) *graph.Node {
	rank := x.Rank()
	if rank < 2 || x.Shape().Dimensions[rank-1] != x.Shape().Dimensions[rank-2] {
		panic(fmt.Errorf("expected square matrices, got shape %v", x.Shape().Dimensions))
	}
	n := x.Shape().Dimensions[rank-1]
	if n > 64 {
		panic(fmt.Errorf("matrices of more than 64 rows are not supported, got %d", n))
	}
	batch := x.Shape().Dimensions[:rank-2]
	m := x.Shape().Size() / max(n*n, 1)
	x = graph.Reshape(x, m, n, n)
	det := graph.OnesLike(graph.Reshape(graph.Slice(x, graph.AxisRange(), graph.AxisElem(0), graph.AxisElem(0)), m))
	for k := range n {
		size := n - k
		column := graph.Reshape(graph.SliceAxis(x, 2, graph.AxisElem(0)), m, size)
		at := graph.ArgMax(absolute(column), 1, dtypes.Int32) // [m]
		rows := graph.OneHot(at, size, x.DType())             // [m, size]
		first := graph.OneHot(graph.ZerosLike(at), size, x.DType())
		pivot := graph.ReduceSum(graph.Mul(x, graph.ExpandAxes(rows, 2)), 1) // [m, size]
		top := graph.Reshape(graph.SliceAxis(x, 1, graph.AxisElem(0)), m, size)
		on := func(rows *graph.Node) *graph.Node {
			y := graph.ExpandAxes(graph.NotEqual(rows, graph.ZerosLike(rows)), 2)
			return graph.BroadcastToDims(y, m, size, size)
		}
		wide := func(row *graph.Node) *graph.Node {
			return graph.BroadcastToDims(graph.ExpandAxes(row, 1), m, size, size)
		}
		x = graph.Where(on(rows), wide(top), x)
		x = graph.Where(on(first), wide(pivot), x)
		swapped := graph.NotEqual(at, graph.ZerosLike(at))
		head := graph.Reshape(graph.SliceAxis(pivot, 1, graph.AxisElem(0)), m)
		det = graph.Mul(det, graph.Where(swapped, graph.Neg(head), head))
		if size == 1 {
			break
		}
		safe := graph.Where(graph.Equal(head, graph.ZerosLike(head)), graph.OnesLike(head), head)
		factor := graph.Div(graph.SliceAxis(x, 2, graph.AxisElem(0)), graph.Reshape(safe, m, 1, 1))
		x = graph.Sub(x, graph.Mul(factor, graph.SliceAxis(x, 1, graph.AxisElem(0))))
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(1), graph.AxisRange(1))
	}
	return graph.Reshape(det, batch...)
}
