package ops

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	internal "github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	table["matmul"] = func(_ operation, x []*graph.Node) *graph.Node {
		a, b := oneType(x[0], x[1])
		return graph.MatMul(internal.Solid(a, b), internal.Solid(b, a))
	}
	table["einsum"] = func(o operation, x []*graph.Node) *graph.Node {
		a, b := oneType(x[0], x[1])
		return graph.Einsum(o.Text, internal.Solid(a, b), internal.Solid(b, a))
	}
	table["norm"] = func(o operation, x []*graph.Node) *graph.Node {
		v := float(x[0])
		return graph.Sqrt(graph.ReduceSum(graph.Square(v), over(o, v)...))
	}
	table["normalize"] = func(o operation, x []*graph.Node) *graph.Node {
		v := float(x[0])
		square := graph.ReduceAndKeep(graph.Square(v), graph.ReduceSum, o.Ints[0])
		return graph.Mul(v, internal.Rsqrt(graph.MaxScalar(square, 1e-12)))
	}
	table["tril"] = func(_ operation, x []*graph.Node) *graph.Node { return triangle(x[0], graph.GreaterOrEqual) }
	table["triu"] = func(_ operation, x []*graph.Node) *graph.Node { return triangle(x[0], graph.LessOrEqual) }
}

// triangle leaves those whose row and column compare so.
func triangle(x *graph.Node, keep func(row, column *graph.Node) *graph.Node) *graph.Node {
	shape := shapes.Make(dtypes.Int32, x.Shape().Dimensions...)
	row, column := graph.Iota(x.Graph(), shape, -2), graph.Iota(x.Graph(), shape, -1)
	return graph.Where(keep(row, column), x, graph.ZerosLike(x))
}

// MatMul is the product of matrices, which the last two axes are; the others are broadcast.
func MatMul[T Value](a, b T) T { return apply(operation{Op: "matmul"}, a, b) }

// Einsum is the sum of products that an equation describes: "bij,bjk->bik".
func Einsum[T Value](equation string, a, b T) T {
	return apply(operation{Op: "einsum", Text: equation}, a, b)
}

// Norm is the length of x along axes, √Σx²; without axes along all, which only nodes can do.
func Norm[T Value](x T, axes ...int) T { return along("norm", x, axes) }

// Normalize divides x by its length along an axis.
func Normalize[T Value](x T, axis int) T { return along("normalize", x, []int{axis}) }

// Tril leaves of matrices what is on the diagonal and below.
func Tril[T Value](x T) T { return one("tril", x) }

// Triu leaves of matrices what is on the diagonal and above.
func Triu[T Value](x T) T { return one("triu", x) }
