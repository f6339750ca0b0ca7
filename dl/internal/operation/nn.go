package operation

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	internal "github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	for name, a := range map[string]activations.Activation{
		"relu": activations.ReLU, "relu6": activations.ReLU6, "sigmoid": activations.Sigmoid, "hard_sigmoid": activations.HardSigmoid,
		"tanh": activations.Tanh, "softplus": activations.Softplus, "softsign": activations.Softsign, "silu": activations.SiLU,
		"elu": activations.ELU, "selu": activations.SELU, "mish": activations.Mish,
	} {
		table[name] = func(_ Operation, x []*graph.Node) *graph.Node { return a.Apply(float(x[0])) }
	}
	table["gelu"] = func(o Operation, x []*graph.Node) *graph.Node {
		v := float(x[0])
		if !o.Flag {
			return activations.GELU.Apply(v)
		}
		return internal.GELUByTanh(v)
	}
	table["leaky_relu"] = func(o Operation, x []*graph.Node) *graph.Node {
		return graph.Where(graph.GreaterThan(x[0], graph.ZerosLike(x[0])), x[0], graph.MulScalar(x[0], o.Numbers[0]))
	}
	table["softmax"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.Softmax(float(x[0]), o.Ints[0]) }
	table["log_softmax"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.LogSoftmax(float(x[0]), o.Ints[0]) }
	table["one_hot"] = func(o Operation, x []*graph.Node) *graph.Node {
		return graph.OneHot(graph.ConvertDType(x[0], dtypes.Int32), o.Ints[0], dtypeFloat)
	}
	table["stop_gradient"] = func(_ Operation, x []*graph.Node) *graph.Node { return graph.StopGradient(x[0]) }
}
