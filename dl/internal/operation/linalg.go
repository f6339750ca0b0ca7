package operation

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	internal "github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	table["matmul"] = func(_ Operation, x []*graph.Node) *graph.Node {
		a, b := oneType(x[0], x[1])
		return graph.MatMul(internal.Solid(a, b), internal.Solid(b, a))
	}
	table["einsum"] = func(o Operation, x []*graph.Node) *graph.Node {
		a, b := oneType(x[0], x[1])
		return graph.Einsum(o.Text, internal.Solid(a, b), internal.Solid(b, a))
	}
	table["norm"] = func(o Operation, x []*graph.Node) *graph.Node {
		v := float(x[0])
		return o.kept(graph.Sqrt(graph.ReduceSum(graph.Square(v), over(o, v)...)), v)
	}
	table["normalize"] = func(o Operation, x []*graph.Node) *graph.Node {
		v := float(x[0])
		square := graph.ReduceAndKeep(graph.Square(v), graph.ReduceSum, o.Ints[0])
		return graph.Mul(v, internal.Rsqrt(graph.MaxScalar(square, 1e-12)))
	}
	table["tril"] = func(_ Operation, x []*graph.Node) *graph.Node { return triangle(x[0], graph.GreaterOrEqual) }
	table["triu"] = func(_ Operation, x []*graph.Node) *graph.Node { return triangle(x[0], graph.LessOrEqual) }
}

// triangle leaves those whose row and column compare so.
func triangle(x *graph.Node, keep func(row, column *graph.Node) *graph.Node) *graph.Node {
	shape := shapes.Make(dtypes.Int32, x.Shape().Dimensions...)
	row, column := graph.Iota(x.Graph(), shape, -2), graph.Iota(x.Graph(), shape, -1)
	return graph.Where(keep(row, column), x, graph.ZerosLike(x))
}
