package activations

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Activations made of straight pieces and of shrinking, under Keras's names.
var (
	// CELU is ELU with a slope that does not jump (arXiv:1704.07483); for the α of 1 that
	// Keras's name stands for it is the same. At 0 its slope is 1, where Keras's is 2.
	CELU = plain("celu", ELU.Apply, operator("Elu"))
	// HardSiLU is x min(max(x/6 + 1/2, 0), 1), also known as hard_swish.
	HardSiLU = plain("hard_silu", func(x *tensor.Node) *tensor.Node { return graph.Mul(x, HardSigmoid.Apply(x)) },
		func(g *build.Graph, x string) string {
			gate, _ := HardSigmoid.(build.Activation).ONNX(g, x)
			return g.Op("Mul", []string{x, gate})
		})
	// HardTanh is min(max(x, −1), 1). Its gradient at −1 and 1 is 1, as in Keras.
	HardTanh = plain("hard_tanh", func(x *tensor.Node) *tensor.Node {
		return graph.Where(beyond(x, 1), graph.StopGradient(graph.Sign(x)), x)
	},
		func(g *build.Graph, x string) string { return g.Op("Clip", []string{x, g.Scalar(-1), g.Scalar(1)}) })
	// HardShrink is x, and 0 where |x| is 1/2 or less.
	HardShrink = plain("hard_shrink", func(x *tensor.Node) *tensor.Node {
		return graph.Where(beyond(x, shrinking), x, graph.ZerosLike(x))
	}, nil)
	// SoftShrink is x less 1/2, or plus 1/2 below 0, and 0 where |x| is 1/2 or less.
	SoftShrink = plain("soft_shrink", func(x *tensor.Node) *tensor.Node {
		less := graph.Sub(x, graph.MulScalar(graph.StopGradient(graph.Sign(x)), shrinking))
		return graph.Where(beyond(x, shrinking), less, graph.ZerosLike(x))
	}, nil)
	// TanhShrink is x − tanh(x).
	TanhShrink = plain("tanh_shrink", func(x *tensor.Node) *tensor.Node { return graph.Sub(x, graph.Tanh(x)) },
		func(g *build.Graph, x string) string { return g.Op("Sub", []string{x, g.Op("Tanh", []string{x})}) })
	// LogSigmoid is log σ(x), computed without taking it.
	LogSigmoid = plain("log_sigmoid", func(x *tensor.Node) *tensor.Node { return graph.Neg(softplus(graph.Neg(x))) },
		func(g *build.Graph, x string) string {
			return g.Op("Neg", []string{g.Op("Softplus", []string{g.Op("Neg", []string{x})})})
		})
	// SquarePlus is (x + √(x² + 4)) / 2 (arXiv:2112.11687).
	SquarePlus = plain("squareplus", func(x *tensor.Node) *tensor.Node {
		return graph.MulScalar(graph.Add(x, graph.Sqrt(graph.AddScalar(graph.Square(x), 4.0))), 0.5)
	}, nil)
	// SparseSigmoid is min(max((x + 1)/2, 0), 1).
	SparseSigmoid = plain("sparse_sigmoid", func(x *tensor.Node) *tensor.Node {
		return graph.ClipScalar(graph.MulScalar(graph.OnePlus(x), 0.5), 0, 1)
	}, operator("HardSigmoid", build.Attr{Name: "alpha", Value: 0.5}, build.Attr{Name: "beta", Value: 0.5}))
	// SparsePlus is (x + 1)²/4 for x from −1 to 1, 0 below, and x above.
	SparsePlus = plain("sparse_plus", func(x *tensor.Node) *tensor.Node {
		one := graph.OnesLike(x)
		curve := graph.MulScalar(graph.Square(graph.OnePlus(x)), 0.25)
		return graph.Where(graph.LessOrEqual(x, graph.Neg(one)), graph.ZerosLike(x), graph.Where(graph.LessThan(x, one), curve, x))
	}, nil)
	// Sparsemax is the probability distribution closest to the last axis, which gives
	// much of it 0 (Martins and Astudillo, 2016, arXiv:1602.02068).
	Sparsemax = plain("sparsemax", sparsemax, nil)
)

func init() {
	for _, a := range []Activation{
		CELU, HardSiLU, HardTanh, HardShrink, SoftShrink, TanhShrink, LogSigmoid, SquarePlus, SparseSigmoid, SparsePlus, Sparsemax,
	} {
		config.Register(a)
	}
}

// shrinking is what HardShrink and SoftShrink take for nothing.
const shrinking = 0.5

// beyond says where |x| is more than a limit.
func beyond(x *tensor.Node, limit float64) *tensor.Node {
	return graph.GreaterThan(graph.Abs(x), graph.Scalar(x.Graph(), x.DType(), limit))
}

// sparsemax takes the same from all values of the last axis, so that what is left above 0 adds
// up to 1. A value is among those if what the larger ones have more than it is less than 1.
func sparsemax(x *tensor.Node) *tensor.Node {
	fixed := graph.StopGradient(x)
	more := graph.Sub(graph.InsertAxes(fixed, -2), graph.InsertAxes(fixed, -1)) // [..., value, other]
	above := graph.ReduceSum(graph.MaxScalar(more, 0), -1)
	among := graph.ConvertDType(graph.LessThan(above, graph.OnesLike(above)), x.DType())
	taken := graph.Div(
		graph.AddScalar(graph.ReduceAndKeep(graph.Mul(x, among), graph.ReduceSum, -1), -1.0),
		graph.ReduceAndKeep(among, graph.ReduceSum, -1),
	)
	return graph.Mul(graph.Sub(x, taken), among)
}
