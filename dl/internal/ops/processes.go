package ops

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/mpi"
)

// MeanOfProcesses is the mean over all processes, each with its share, a scalar; the shares' sum is 1. Its
// gradient is right where the gradients of weights are made means in the same way.
func MeanOfProcesses(x, share *graph.Node) *graph.Node {
	y := mpi.Sum([]*graph.Node{graph.Mul(x, share)})[0]
	return WithGradient([]*graph.Node{y}, []*graph.Node{x}, func(d []*graph.Node) []*graph.Node {
		if d[0] == nil {
			return d
		}
		return mpi.Sum([]*graph.Node{graph.Mul(d[0], share)})
	})[0]
}
