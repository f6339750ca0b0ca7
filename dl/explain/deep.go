package explain

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/tensor"
)

// DeepSHAP shares the difference of the target between input and background by what each
// activation does over that difference (DeepLIFT's rescale rule), the mean over the rows of the
// background. What it attributes adds up to the mean difference. It needs two passes for each
// row, where KernelSHAP needs thousands, but it only comes near Shapley's values.
//
// It has rules for the layers that LRP has, and for activations of each number by itself; others
// are refused by name. Source: Shrikumar, Greenside, Kundaje (2017),
// https://arxiv.org/abs/1704.02685; Lundberg and Lee (2017), https://arxiv.org/abs/1705.07874.
type DeepSHAP struct {
	// Background are examples, [rows, …]; nil means one of zeros, which makes it DeepLIFT.
	Background *tensor.Tensor
}

// Attribute implements Method.
func (d DeepSHAP) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	q, err := ask(m, x, t, func() (*values, error) {
		inner := train.Of(m)
		words, err := wordsOf(inner)
		if err != nil {
			return nil, err
		}
		if words != nil {
			return nil, fmt.Errorf("explain: %s takes numbers of words: expected numbers for DeepSHAP; IntegratedGradients explains words", inner.Taker(inner.Inputs[0]))
		}
		if err := walkable(inner, "DeepSHAP", false); err != nil {
			return nil, err
		}
		w := &walk{layer: rescaled, activation: multiplier}
		return newValues(m, t, w.call, nil, func(f *network.Flow, x, target *graph.Node) []*graph.Node {
			end := t.node(m, f)
			got := w.back(end, endSlope(target, end), x)
			if got == nil {
				got = graph.ZerosLike(x)
			}
			own, other := halves(x)
			got, _ = halves(got)
			return []*graph.Node{graph.Mul(got, graph.Sub(own, other))}
		})
	})
	if err != nil {
		return nil, err
	}
	rows, err := q.background(d.Background)
	if err != nil {
		return nil, err
	}
	n := q.shape[0]
	shape := append([]int{2 * n}, q.shape[1:]...)
	sum := make([]float32, len(q.flat))
	for _, row := range rows {
		both := append(slices.Clone(q.flat), slices.Repeat(row, n)...)
		out, err := q.call(both, shape, slices.Repeat(q.units, 2))
		if err != nil {
			return nil, err
		}
		got, err := tensor.Flat[float32](out[0])
		if err != nil {
			return nil, err
		}
		for i, v := range got {
			sum[i] += v / float32(len(rows))
		}
	}
	return q.answer(sum), nil
}

// halves are the inputs and, in the same batch, the background.
func halves(n *graph.Node) (own, other *graph.Node) {
	half := n.Shape().Dimensions[0] / 2
	return graph.Slice(n, graph.AxisRange(0, half)), graph.Slice(n, graph.AxisRange(half))
}

func twice(n *graph.Node) *graph.Node { return graph.Concatenate([]*graph.Node{n, n}, 0) }

// over is a by b, and instead where b is nearly 0.
func over(a, b, instead *graph.Node) *graph.Node {
	near := graph.LessThan(graph.Abs(b), graph.MulScalar(graph.OnesLike(b), 1e-5))
	return graph.Where(near, instead, graph.Div(a, graph.Where(near, graph.OnesLike(b), b)))
}

// multiplier hands back through an activation: what it does over the difference of its input.
func multiplier(s step, z, y, r *graph.Node) *graph.Node {
	if s.mixes {
		panic(fmt.Errorf("explain: layer %q: expected activations of each number by itself for DeepSHAP, got one that mixes them (of a last softmax, leave Probability unset)", s.layer.Name))
	}
	if z == y {
		return r
	}
	in, base := halves(z)
	out, from := halves(y)
	slope, _ := halves(graph.Gradient(graph.ReduceAllSum(y), z)[0])
	return graph.Mul(r, twice(over(graph.Sub(out, from), graph.Sub(in, base), slope)))
}

// rescaled hands back through a layer: as gradients do, but to the winners of either half.
func rescaled(s step, r *graph.Node) []*graph.Node {
	if !winnerLayers[s.kind] {
		return s.slopes(r)
	}
	z := pass.AloneMasked(false, s.layer, s.x, s.masks)[0]
	own, other := halves(z)
	top := graph.Max(own, other)
	won := s.slopes(graph.Mul(r, graph.Concatenate([]*graph.Node{graph.Sub(top, other), graph.Sub(own, top)}, 0)))[0]
	a, b := halves(won)
	in, base := halves(s.x[0])
	plain, _ := halves(s.slopes(r)[0])
	return []*graph.Node{twice(over(graph.Add(a, b), graph.Sub(in, base), plain))}
}
