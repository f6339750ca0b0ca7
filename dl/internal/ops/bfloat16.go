package ops

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/native"
)

// narrow says whether x is of bfloat16 where there are kernels. These compute with float32, several times as fast
// as XLA does with bfloat16 on a CPU; what they return is rounded as if they did not.
func narrow(x *graph.Node) bool { return x.DType() == dtypes.BFloat16 && native.For(x.Graph()) > 0 }

// widened calls f with float32, and rounds what it returns; what is nil stays so.
func widened(f func(in []*graph.Node) *graph.Node, in ...*graph.Node) *graph.Node {
	wide := make([]*graph.Node, len(in))
	for i, n := range in {
		if n != nil {
			wide[i] = graph.ConvertDType(n, dtypes.Float32)
		}
	}
	y := f(wide)
	if y == nil {
		return nil
	}
	return graph.ConvertDType(y, dtypes.BFloat16)
}
