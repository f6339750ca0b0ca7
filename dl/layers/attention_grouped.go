package layers

import (
	"fmt"
	"math"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(GroupQueryAttention{}) }

// GroupQueryAttention is MultiHeadAttention in which several heads of queries share one of
// keys and values.
//
// Inputs: query (None, target, features), value (None, source, features) and key, of the
// value's steps; without a key it is the value, and of a single input all three. With
// AttentionMask, a mask (None, target, source) follows. Output shape: (None, target, features
// of the query). With ReturnAttentionScores a second output is (None, heads, target, source).
//
// Source: Ainslie et al., 2023 (arXiv:2305.13245);
// https://keras.io/api/layers/attention_layers/group_query_attention/
type GroupQueryAttention struct {
	// HeadDim is the size of queries, keys and values in each head.
	HeadDim int
	// NumQueryHeads is the number of heads of queries, a multiple of NumKeyValueHeads, those
	// of keys and values.
	NumQueryHeads, NumKeyValueHeads int
	// Dropout is the part of the scores that is dropped in training.
	Dropout float64
	// NoBias leaves the biases of all projections out.
	NoBias bool `keras:"use_bias,not"`
	// SlidingWindow lets a step look at so many steps on either side, itself among them; 0 is
	// all.
	SlidingWindow int
	// UseGate multiplies what the heads return by a sigmoid of a projection of the query.
	UseGate bool
	// AttentionMask says that the last input is a mask of pairs of steps, (None, target,
	// source), or (None, 1, source); what is not 0 counts.
	AttentionMask bool
	// UseCausalMask lets a step look only at itself and what came before. In Keras this is an
	// argument of the call.
	UseCausalMask bool
	// ReturnAttentionScores adds the scores as an output. In Keras this is an argument of the
	// call.
	ReturnAttentionScores bool
	// KernelInitializer starts the projections; nil is GlorotUniform. BiasInitializer starts
	// the biases; nil is Zeros.
	KernelInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

// heads is the layer as MultiHeadAttention, which has the same projections of queries.
func (l GroupQueryAttention) heads() MultiHeadAttention {
	return MultiHeadAttention{
		NumHeads: l.NumQueryHeads, KeyDim: l.HeadDim, Dropout: l.Dropout, NoBias: l.NoBias,
		AttentionMask: l.AttentionMask, UseCausalMask: l.UseCausalMask, ActivityRegularizer: l.ActivityRegularizer,
	}
}

// Build implements Layer.
func (l GroupQueryAttention) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l GroupQueryAttention) BuildAll(in []Shape) (Spec, error) {
	err := checked(
		wantPositive("HeadDim", l.HeadDim), wantPositive("NumQueryHeads", l.NumQueryHeads), wantPositive("NumKeyValueHeads", l.NumKeyValueHeads),
		wantPositive("SlidingWindow", orInt(l.SlidingWindow, 1)), wantRate(l.Dropout),
	)
	if err != nil {
		return Spec{}, err
	}
	if l.NumQueryHeads%l.NumKeyValueHeads != 0 {
		return Spec{}, fmt.Errorf("expected NumQueryHeads to be a multiple of NumKeyValueHeads, got %d and %d", l.NumQueryHeads, l.NumKeyValueHeads)
	}
	q, v, k, err := l.heads().shapes(in)
	if err != nil {
		return Spec{}, err
	}
	reg := regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint}
	var s Spec
	project := func(part string, kernel, bias Shape) {
		w := reg.withBias([]Weight{reg.kernel("kernel", l.KernelInitializer, kernel...)}, l.NoBias, 1, l.BiasInitializer)
		if !l.NoBias {
			w[1].Shape = bias
		}
		s.Include(part, Spec{Weights: w})
	}
	nq, nk, d := l.NumQueryHeads, l.NumKeyValueHeads, l.HeadDim
	project("query", Shape{q[1], nq, d}, Shape{nq, d})
	project("key", Shape{k[1], nk, d}, Shape{nk, d})
	if l.UseGate {
		project("gate", Shape{q[1], nq, d}, Shape{nq, d})
	}
	project("value", Shape{v[1], nk, d}, Shape{nk, d})
	project("attention_output", Shape{nq, d, q[1]}, Shape{q[1]})
	s.Output, s.KeepsMask = q, true
	if l.ReturnAttentionScores {
		s.Outputs = []Shape{q, {nq, q[0], k[0]}}
	}
	return s, nil
}

// Call implements Layer.
func (l GroupQueryAttention) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l GroupQueryAttention) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	h := l.heads()
	in, given := h.pairs(in)
	query, value, key := three(in)
	times := l.NumQueryHeads / l.NumKeyValueHeads
	q := graph.MulScalar(h.project(c.Part("query"), query), 1/math.Sqrt(float64(l.HeadDim)))
	k, v := ops.Repeat(h.project(c.Part("key"), key), 2, times), ops.Repeat(h.project(c.Part("value"), value), 2, times)
	scores := graph.EinsumAxes(q, k, [][2]int{{3, 3}}, [][2]int{{0, 0}, {2, 2}}) // [batch, heads, target, source]
	mask := h.mask(c, len(in), scores, given)
	if l.SlidingWindow > 0 {
		mask = both(mask, l.near(scores))
	}
	weights := maskedSoftmax(scores, mask)
	out := graph.EinsumAxes(drop(c, weights, l.Dropout, weights.Shape().Dimensions), v, [][2]int{{3, 1}}, [][2]int{{0, 0}, {1, 2}})
	out = graph.TransposeAllAxes(out, 0, 2, 1, 3)
	if l.UseGate {
		out = graph.Mul(out, graph.Sigmoid(h.project(c.Part("gate"), query)))
	}
	y := h.join(c, out)
	if l.ReturnAttentionScores {
		return []*tensor.Node{y, weights}
	}
	return []*tensor.Node{y}
}

// near says which pairs of steps are within the window.
func (l GroupQueryAttention) near(scores *tensor.Node) *tensor.Node {
	d := scores.Shape().Dimensions
	s := shapes.Make(dtypes.Int32, 1, 1, d[2], d[3])
	apart := graph.Abs(graph.Sub(graph.Iota(scores.Graph(), s, 2), graph.Iota(scores.Graph(), s, 3)))
	within := graph.LessThan(apart, graph.BroadcastToDims(graph.Scalar(scores.Graph(), dtypes.Int32, l.SlidingWindow), s.Dimensions...))
	return graph.BroadcastToDims(within, d...)
}

// WithKerasArgument implements KerasCaller.
func (l GroupQueryAttention) WithKerasArgument(name string, value any) (Layer, bool) {
	ok := attentionArgument(name, value, &l.UseCausalMask, &l.ReturnAttentionScores, &l.AttentionMask)
	return l, ok
}

// KerasName implements KerasNamer.
func (GroupQueryAttention) KerasName() (class, name string) {
	return "GroupQueryAttention", "grouped_query_attention"
}

// KerasPath implements KerasPather.
func (GroupQueryAttention) KerasPath(weight string) string {
	return "/_" + strings.TrimPrefix(MultiHeadAttention{}.KerasPath(weight), "/")
}
