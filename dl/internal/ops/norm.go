package ops

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/native"
)

// After is what comes after a normalization or a convolution in one kernel with it.
type After int

// Nothing, max(y, 0), min(max(y, 0), 6), and max(y, 0) of which NaN becomes 0, too, which only convolutions have.
const (
	Nothing After = iota
	ReLU
	ReLU6
	Positive
)

// norm is a normalization over all axes but the last.
type norm struct {
	x, gamma, beta, mean, variance, epsilon *graph.Node
}

// BatchNorm is (x − mean) / √(variance + ε) · gamma + beta, with each channel's mean and variance, which
// have no gradient of their own; gamma and beta may be nil. All are nil where there is no kernel
// for it.
func BatchNorm(x, gamma, beta *graph.Node, epsilon float64) (y, mean, variance *graph.Node) {
	g, d := x.Graph(), x.Shape().Dimensions
	if lanes := native.For(g); lanes == 0 || x.DType() != dtypes.Float32 || x.Rank() < 2 || !fills(d[len(d)-1], lanes) || x.Shape().Size() == 0 {
		return nil, nil, nil
	}
	vector := shapes.Make(x.DType(), d[len(d)-1])
	moments := native.Call("norm_moments", nil, []*graph.Node{x}, vector, vector)
	n := &norm{x: x, gamma: gamma, beta: beta, mean: graph.StopGradient(moments[0]), variance: graph.StopGradient(moments[1])}
	if gamma == nil {
		n.gamma = graph.Ones(g, vector)
	}
	if beta == nil {
		n.beta = graph.Zeros(g, vector)
	}
	n.epsilon = graph.Const(g, float32(epsilon))
	y = n.apply(Nothing)
	norms(g)[y] = n
	return y, n.mean, n.variance
}

func (n *norm) apply(after After) *graph.Node {
	settings := []int{int(after)}
	y := native.Call("norm_apply", settings, []*graph.Node{n.x, n.mean, n.variance, n.gamma, n.beta, n.epsilon}, n.x.Shape())[0]
	return WithGradient([]*graph.Node{y}, []*graph.Node{n.x, n.gamma, n.beta}, func(d []*graph.Node) []*graph.Node {
		in := []*graph.Node{n.x, y, d[0], n.gamma, n.mean, n.variance, n.epsilon}
		by := native.Call("norm_back", settings, in, n.x.Shape(), n.gamma.Shape(), n.gamma.Shape())
		// Its own gradient is that of the same by XLA, in which none depends on another.
		ins := []*graph.Node{n.x, n.gamma, d[0]}
		return WithGradient(by, ins, func(dd []*graph.Node) []*graph.Node {
			own := []*graph.Node{graph.Identity(ins[0]), graph.Identity(ins[1]), graph.Identity(ins[2])}
			var sum *graph.Node
			for i, plain := range n.back(own[0], own[1], y, own[2], after) {
				if dd[i] != nil {
					sum = Plus(sum, graph.ReduceAllSum(graph.Mul(plain, dd[i])))
				}
			}
			return graph.Gradient(sum, own...)
		})
	})[0]
}

// back is norm_back in XLA's words.
func (n *norm) back(x, gamma, y, dy *graph.Node, after After) []*graph.Node {
	zero := graph.ZerosLike(y)
	if after != Nothing {
		dy = graph.Where(graph.LessOrEqual(y, zero), zero, dy)
	}
	if after == ReLU6 {
		dy = graph.Where(graph.GreaterOrEqual(y, graph.AddScalar(zero, 6)), zero, dy)
	}
	rest := upTo(x.Rank() - 1)
	centred := graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, rest...))
	scale := Rsqrt(graph.Add(graph.ReduceAndKeep(graph.Square(centred), graph.ReduceMean, rest...), n.epsilon))
	hat := graph.Mul(centred, scale)
	factor := graph.Mul(graph.ExpandLeftToRank(gamma, x.Rank()), scale)
	mean := func(v *graph.Node) *graph.Node { return graph.ReduceAndKeep(v, graph.ReduceMean, rest...) }
	dx := graph.Mul(factor, graph.Sub(graph.Sub(dy, mean(dy)), graph.Mul(hat, mean(graph.Mul(dy, hat)))))
	return []*graph.Node{dx, graph.ReduceSum(graph.Mul(dy, hat), rest...), graph.ReduceSum(dy, rest...)}
}

type normsKey struct{}

// norms are the normalizations of a graph by their results.
func norms(g *graph.Graph) map[*graph.Node]*norm { return byNode[*norm](g, normsKey{}) }

// byNode is what a graph remembers of some of its nodes, under a key.
func byNode[V any](g *graph.Graph, key any) map[*graph.Node]V {
	all, _ := g.State(key).(map[*graph.Node]V)
	if all == nil {
		all = make(map[*graph.Node]V)
		g.AttachState(key, all)
	}
	return all
}
