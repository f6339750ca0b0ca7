package ops_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// compute prints what a function of nodes makes of a matrix.
func compute(f func(x *dl.Node) *dl.Node) {
	x := dl.Input(layers.Shape{3})
	m, err := dl.Functional([]*dl.Symbol{x}, []*dl.Symbol{x.Then(layers.Lambda{Function: func(_ *layers.Context, in ...*dl.Node) *dl.Node {
		return f(in[0])
	}})})
	if err != nil {
		panic(err)
	}
	y, err := m.PredictOnBatch(tensor.Of([][]float32{{1, 2, 3}, {-1, 0.5, 0}}))
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3g\n", y[0].Value())
}

// halfway is between two values: of symbols as of nodes.
func halfway[T ops.Value](a, b T) T { return ops.Multiply(ops.Add(a, b), 0.5) }

func shape(s *dl.Symbol) {
	if err := s.Err(); err != nil {
		panic(err)
	}
	fmt.Println(s.Shape())
}

func Example() {
	a, b := dl.Input(layers.Shape{3}), dl.Input(layers.Shape{3})
	shape(ops.Multiply(ops.Add(a, b), 0.5))
	shape(ops.Add(a, dl.Input(layers.Shape{1})))
	fmt.Println(ops.Add(a, dl.Input(layers.Shape{4})).Err())
	// Output:
	// (None, 3)
	// (None, 3)
	// layer "add" (Add): of [(None, 3) (None, 4)]: expected shapes that can be broadcast, got [3 3] and [3 4]
}

func ExampleNegative() {
	compute(ops.Negative[*dl.Node])
	compute(ops.Absolute[*dl.Node])
	compute(ops.Sign[*dl.Node])
	compute(ops.Square[*dl.Node])
	compute(ops.Exp[*dl.Node])
	compute(ops.Expm1[*dl.Node])
	compute(ops.Sin[*dl.Node])
	compute(ops.Cos[*dl.Node])
	compute(ops.Tan[*dl.Node])
	compute(ops.Sinh[*dl.Node])
	compute(ops.Cosh[*dl.Node])
	compute(ops.Floor[*dl.Node])
	compute(ops.Ceil[*dl.Node])
	compute(ops.Round[*dl.Node])
	compute(ops.Erf[*dl.Node])
	// Output:
	// [[-1 -2 -3] [1 -0.5 -0]]
	// [[1 2 3] [1 0.5 0]]
	// [[1 1 1] [-1 1 0]]
	// [[1 4 9] [1 0.25 0]]
	// [[2.72 7.39 20.1] [0.368 1.65 1]]
	// [[1.72 6.39 19.1] [-0.632 0.649 0]]
	// [[0.841 0.909 0.141] [-0.841 0.479 0]]
	// [[0.54 -0.416 -0.99] [0.54 0.878 1]]
	// [[1.56 -2.19 -0.143] [-1.56 0.546 0]]
	// [[1.18 3.63 10] [-1.18 0.521 0]]
	// [[1.54 3.76 10.1] [1.54 1.13 1]]
	// [[1 2 3] [-1 0 0]]
	// [[1 2 3] [-1 1 0]]
	// [[1 2 3] [-1 0 0]]
	// [[0.843 0.995 1] [-0.843 0.52 0]]
}

func ExampleSqrt() {
	positive := func(f func(x *dl.Node) *dl.Node) {
		compute(func(x *dl.Node) *dl.Node { return f(ops.Add(ops.Absolute(x), 1)) })
	}
	positive(ops.Sqrt[*dl.Node])
	positive(ops.Rsqrt[*dl.Node])
	positive(ops.Log[*dl.Node])
	positive(ops.Log1p[*dl.Node])
	positive(ops.Reciprocal[*dl.Node])
	// Output:
	// [[1.41 1.73 2] [1.41 1.22 1]]
	// [[0.707 0.577 0.5] [0.707 0.816 1]]
	// [[0.693 1.1 1.39] [0.693 0.405 0]]
	// [[1.1 1.39 1.61] [1.1 0.916 0.693]]
	// [[0.5 0.333 0.25] [0.5 0.667 1]]
}

func ExampleAdd() {
	compute(func(x *dl.Node) *dl.Node { return ops.Add(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Subtract(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Multiply(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Divide(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.FloorDivide(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Mod(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Power(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Maximum(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Minimum(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Clip(x, 0, 2) })
	// Output:
	// [[3 4 5] [1 2.5 2]]
	// [[-1 0 1] [-3 -1.5 -2]]
	// [[2 4 6] [-2 1 0]]
	// [[0.5 1 1.5] [-0.5 0.25 0]]
	// [[0 1 1] [-1 0 0]]
	// [[1 0 1] [1 0.5 0]]
	// [[1 4 9] [1 0.25 0]]
	// [[2 2 3] [2 2 2]]
	// [[1 2 2] [-1 0.5 0]]
	// [[1 2 2] [0 0.5 0]]
}

func ExampleEqual() {
	compute(func(x *dl.Node) *dl.Node { return ops.Equal(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.NotEqual(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Greater(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.GreaterEqual(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.Less(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.LessEqual(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.LogicalAnd(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.LogicalOr(x, 2) })
	compute(func(x *dl.Node) *dl.Node { return ops.LogicalXor(x, 2) })
	compute(ops.LogicalNot[*dl.Node])
	compute(ops.IsNaN[*dl.Node])
	compute(ops.IsFinite[*dl.Node])
	// Output:
	// [[0 1 0] [0 0 0]]
	// [[1 0 1] [1 1 1]]
	// [[0 0 1] [0 0 0]]
	// [[0 1 1] [0 0 0]]
	// [[1 0 0] [1 1 1]]
	// [[1 1 0] [1 1 1]]
	// [[1 1 1] [1 1 0]]
	// [[1 1 1] [1 1 1]]
	// [[0 0 0] [0 0 1]]
	// [[0 0 0] [0 0 1]]
	// [[0 0 0] [0 0 0]]
	// [[1 1 1] [1 1 1]]
}

func ExampleWhere() {
	compute(func(x *dl.Node) *dl.Node { return ops.Where(ops.Greater(x, 1), x, ops.Multiply(x, 10)) })
	// Output:
	// [[10 2 3] [-10 5 0]]
}

func ExampleSum() {
	compute(func(x *dl.Node) *dl.Node { return ops.Sum(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Mean(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Prod(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Max(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Min(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Var(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Std(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.LogSumExp(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Any(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.All(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.ArgMax(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.ArgMin(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.CumSum(x, -1) })
	// Output:
	// [6 -0.5]
	// [2 -0.167]
	// [6 -0]
	// [3 0.5]
	// [1 -1]
	// [0.667 0.389]
	// [0.816 0.624]
	// [3.41 1.1]
	// [1 1]
	// [1 0]
	// [2 1]
	// [0 0]
	// [[1 3 6] [-1 -0.5 -0.5]]
}

func ExampleReshape() {
	x := dl.Input(layers.Shape{4, 3})
	shape(ops.Reshape(x, -1, 2, 6))
	shape(ops.Transpose(x, 0, 2, 1))
	shape(ops.SwapAxes(x, 1, 2))
	shape(ops.MoveAxis(x, 1, -1))
	shape(ops.ExpandDims(x, 1))
	shape(ops.Squeeze(ops.ExpandDims(x, 1), 1))
	shape(ops.BroadcastTo(ops.ExpandDims(x, 1), -1, 5, 4, 3))
	shape(ops.Concatenate([]*dl.Symbol{x, x}, -1))
	shape(ops.Stack([]*dl.Symbol{x, x}, 1))
	shape(ops.Repeat(x, 2, 1))
	shape(ops.Tile(x, 3, 2))
	shape(ops.Pad(x, 1, 1, 2, 0))
	shape(ops.Slice(x, 1, 1, 3))
	// Output:
	// (None, 2, 6)
	// (None, 3, 4)
	// (None, 3, 4)
	// (None, 3, 4)
	// (None, 1, 4, 3)
	// (None, 4, 3)
	// (None, 5, 4, 3)
	// (None, 4, 6)
	// (None, 2, 4, 3)
	// (None, 8, 3)
	// (None, 4, 9)
	// (None, 7, 3)
	// (None, 2, 3)
}

func ExampleFlip() {
	compute(func(x *dl.Node) *dl.Node { return ops.Flip(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Take(x, ops.Cast(ops.ArgMax(x, 0), "int32"), 1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Cast(x, "int32") })
	// Output:
	// [[3 2 1] [0 0.5 -1]]
	// [[1 1 1] [-1 -1 -1]]
	// [[1 2 3] [-1 0 0]]
}

func ExampleMatMul() {
	compute(func(x *dl.Node) *dl.Node { return ops.MatMul(ops.ExpandDims(x, 1), ops.ExpandDims(x, 2)) })
	compute(func(x *dl.Node) *dl.Node { return ops.Einsum("ij,ij->i", x, x) })
	compute(func(x *dl.Node) *dl.Node { return ops.Norm(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Normalize(x, -1) })
	compute(ops.Tril[*dl.Node])
	compute(ops.Triu[*dl.Node])
	// Output:
	// [[[14]] [[1.25]]]
	// [14 1.25]
	// [3.74 1.12]
	// [[0.267 0.535 0.802] [-0.894 0.447 0]]
	// [[1 0 0] [-1 0.5 0]]
	// [[1 2 3] [0 0.5 0]]
}

func ExampleReLU() {
	compute(ops.ReLU[*dl.Node])
	compute(ops.ReLU6[*dl.Node])
	compute(ops.Sigmoid[*dl.Node])
	compute(ops.HardSigmoid[*dl.Node])
	compute(ops.Tanh[*dl.Node])
	compute(ops.Softplus[*dl.Node])
	compute(ops.Softsign[*dl.Node])
	compute(ops.SiLU[*dl.Node])
	compute(ops.GELU[*dl.Node])
	compute(ops.ELU[*dl.Node])
	compute(ops.SELU[*dl.Node])
	compute(ops.Mish[*dl.Node])
	compute(ops.StopGradient[*dl.Node])
	compute(func(x *dl.Node) *dl.Node { return ops.LeakyReLU(x, 0.1) })
	compute(func(x *dl.Node) *dl.Node { return ops.Softmax(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.LogSoftmax(x, -1) })
	compute(func(x *dl.Node) *dl.Node { return ops.OneHot(ops.ArgMax(x, -1), 3) })
	// Output:
	// [[1 2 3] [0 0.5 0]]
	// [[1 2 3] [0 0.5 0]]
	// [[0.731 0.881 0.953] [0.269 0.622 0.5]]
	// [[0.667 0.833 1] [0.333 0.583 0.5]]
	// [[0.762 0.964 0.995] [-0.762 0.462 0]]
	// [[1.31 2.13 3.05] [0.313 0.974 0.693]]
	// [[0.5 0.667 0.75] [-0.5 0.333 0]]
	// [[0.731 1.76 2.86] [-0.269 0.311 0]]
	// [[0.841 1.95 3] [-0.159 0.346 0]]
	// [[1 2 3] [-0.632 0.5 0]]
	// [[1.05 2.1 3.15] [-1.11 0.525 0]]
	// [[0.865 1.94 2.99] [-0.303 0.375 0]]
	// [[1 2 3] [-1 0.5 0]]
	// [[1 2 3] [-0.1 0.5 0]]
	// [[0.09 0.245 0.665] [0.122 0.547 0.331]]
	// [[-2.41 -1.41 -0.408] [-2.1 -0.604 -1.1]]
	// [[0 0 1] [0 1 0]]
}

func ExampleResize() {
	images := dl.Input(layers.Shape{8, 6, 3})
	shape(ops.Resize(images, 4, 4, "bilinear"))
	shape(ops.RGBToGrayscale(images))
	shape(ops.CropImages(images, 1, 2, 4, 3))
	shape(ops.PadImages(images, 1, 2, 1, 2))
	// Output:
	// (None, 4, 4, 3)
	// (None, 8, 6, 1)
	// (None, 4, 3, 3)
	// (None, 10, 10, 3)
}

func ExampleValue() {
	shape(halfway(dl.Input(layers.Shape{3}), dl.Input(layers.Shape{3})))
	compute(func(x *dl.Node) *dl.Node { return halfway(x, ops.Square(x)) })
	// Output:
	// (None, 3)
	// [[1 3 6] [0 0.375 0]]
}
