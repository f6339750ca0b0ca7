package layers

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(MultiHeadAttention{})
	config.Reads(readMultiHeadAttention)
}

// MultiHeadAttention lets each step of a query look at all steps of a value: in
// each head, softmax(q·kᵀ/√KeyDim)·v of projections q, k and v.
//
// Inputs: query (None, target, features), value (None, source, features) and key,
// of the value's steps; without a key it is the value, and of a single input all
// three. With AttentionMask, a mask follows. Output shape: (None, target, features of the query), or OutputShape as
// the last axis. With ReturnAttentionScores a second output is (None, heads,
// target, source).
//
// Source: Vaswani et al., 2017 (arXiv:1706.03762);
// https://keras.io/api/layers/attention_layers/multi_head_attention/
type MultiHeadAttention struct {
	// NumHeads is the number of heads, KeyDim the size of q and k in each.
	NumHeads, KeyDim int
	// ValueDim is the size of v; 0 means KeyDim.
	ValueDim int
	// Dropout is the part of the scores that is dropped in training.
	Dropout float64
	// NoBias leaves the biases of all projections out.
	NoBias bool `keras:"use_bias,not"`
	// OutputShape is the size of the last axis of the output; 0 means the query's.
	OutputShape int
	// AttentionMask says that the last input is a mask of pairs of steps, (None, target,
	// source), or (None, 1, source) for all targets; what is not 0 counts. In Keras this is
	// an argument of the call.
	AttentionMask bool
	// UseCausalMask lets a step look only at itself and what came before. In
	// Keras this is an argument of the call.
	UseCausalMask bool
	// ReturnAttentionScores adds the scores as an output. In Keras this is an
	// argument of the call.
	ReturnAttentionScores bool
	// KernelInitializer starts the projections; nil is GlorotUniform.
	// BiasInitializer starts the biases; nil is Zeros.
	KernelInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

// readMultiHeadAttention reads a configuration of Keras.
func readMultiHeadAttention(_ *MultiHeadAttention, c map[string]any) error {
	for _, key := range []string{"attention_axes", "gate", "use_gate"} {
		if list, ok := c[key].([]any); ok && len(list) == 1 && list[0] == 1.0 {
			delete(c, key)
		}
	}
	for _, key := range []string{"query_shape", "value_shape", "key_shape"} { // of older files
		delete(c, key)
	}
	return nil
}

func (l MultiHeadAttention) valueDim() int { return orInt(l.ValueDim, l.KeyDim) }

// Build implements Layer.
func (l MultiHeadAttention) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l MultiHeadAttention) BuildAll(in []Shape) (Spec, error) {
	err := checked(
		wantPositive("NumHeads", l.NumHeads), wantPositive("KeyDim", l.KeyDim),
		wantPositive("ValueDim", orInt(l.ValueDim, 1)), wantPositive("OutputShape", orInt(l.OutputShape, 1)), wantRate(l.Dropout),
	)
	if err != nil {
		return Spec{}, err
	}
	q, v, k, err := l.shapes(in)
	if err != nil {
		return Spec{}, err
	}
	n, out := l.NumHeads, orInt(l.OutputShape, q[1])
	reg := regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint}
	var s Spec
	project := func(part string, kernel, bias Shape) {
		w := []Weight{reg.kernel("kernel", l.KernelInitializer, kernel...)}
		w = reg.withBias(w, l.NoBias, 1, l.BiasInitializer)
		if !l.NoBias {
			w[1].Shape = bias
		}
		s.Include(part, Spec{Weights: w})
	}
	project("query", Shape{q[1], n, l.KeyDim}, Shape{n, l.KeyDim})
	project("key", Shape{k[1], n, l.KeyDim}, Shape{n, l.KeyDim})
	project("value", Shape{v[1], n, l.valueDim()}, Shape{n, l.valueDim()})
	project("attention_output", Shape{n, l.valueDim(), out}, Shape{out})
	s.Output, s.KeepsMask = Shape{q[0], out}, true
	if l.ReturnAttentionScores {
		s.Outputs = []Shape{s.Output, {n, q[0], k[0]}}
	}
	return s, nil
}

// shapes are those of query, value and key.
func (l MultiHeadAttention) shapes(in []Shape) (q, v, k Shape, err error) {
	var pairs Shape
	if l.AttentionMask {
		if len(in) < 2 {
			return nil, nil, nil, fmt.Errorf("expected an attention mask as the last input, got %d inputs", len(in))
		}
		in, pairs = in[:len(in)-1], in[len(in)-1]
	}
	if len(in) > 3 {
		return nil, nil, nil, fmt.Errorf("expected 1 to 3 inputs (query, value, key), got %d", len(in))
	}
	q, v, k = three(in)
	if err := wantSteps(q, v, k); err != nil {
		return nil, nil, nil, err
	}
	if k[0] != v[0] {
		return nil, nil, nil, fmt.Errorf("expected as many steps of key and value, got %v and %v", k, v)
	}
	if l.AttentionMask && (len(pairs) != 2 || pairs[0] != q[0] && pairs[0] != 1 || pairs[1] != k[0]) {
		return nil, nil, nil, fmt.Errorf("expected an attention mask of shape (%d, %d) or (1, %d), got %v", q[0], k[0], k[0], pairs)
	}
	return q, v, k, nil
}

// pairs takes an attention mask from the inputs, if there is one.
func (l MultiHeadAttention) pairs(in []*tensor.Node) (rest []*tensor.Node, mask *tensor.Node) {
	if !l.AttentionMask {
		return in, nil
	}
	n := len(in) - 1
	return in[:n], ops.Truth(in[n])
}

// wantSteps reports which of query, value and key is no sequence.
func wantSteps(q, v, k Shape) error {
	for i, s := range []Shape{q, v, k} {
		if err := wantRank(s, "steps", "features"); err != nil {
			return fmt.Errorf("%s: %w", []string{"query", "value", "key"}[i], err)
		}
	}
	return nil
}

// both is where two masks are true; nil hides nothing.
func both(a, b *tensor.Node) *tensor.Node {
	if a == nil {
		return b
	}
	return graph.LogicalAnd(a, b)
}

// past says which steps a step may look at, [target, source]: itself and those before.
func past(g *graph.Graph, target, source int) *tensor.Node {
	pairs := shapes.Make(dtypes.Int32, target, source)
	return graph.GreaterOrEqual(graph.Iota(g, pairs, 0), graph.Iota(g, pairs, 1))
}

// three fills in what is not given: the value from the query, the key from the value.
func three[T any](in []T) (q, v, k T) {
	q, v = in[0], in[min(1, len(in)-1)]
	return q, v, in[len(in)-1]
}

// Call implements Layer.
func (l MultiHeadAttention) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l MultiHeadAttention) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	in, given := l.pairs(in)
	query, value, key := three(in)
	q := graph.MulScalar(l.project(c.Part("query"), query), 1/math.Sqrt(float64(l.KeyDim)))
	k, v := l.project(c.Part("key"), key), l.project(c.Part("value"), value)
	scores := graph.EinsumAxes(q, k, [][2]int{{3, 3}}, [][2]int{{0, 0}, {2, 2}}) // [batch, heads, target, source]
	scores = maskedSoftmax(scores, l.mask(c, len(in), scores, given))
	kept := drop(c, scores, l.Dropout, scores.Shape().Dimensions)
	out := graph.EinsumAxes(kept, v, [][2]int{{3, 1}}, [][2]int{{0, 0}, {1, 2}}) // [batch, heads, target, value]
	out = graph.TransposeAllAxes(out, 0, 2, 1, 3)
	y := l.join(c, out)
	if l.ReturnAttentionScores {
		return []*tensor.Node{y, scores}
	}
	return []*tensor.Node{y}
}

// join projects what the heads return, [batch, steps, heads, dim].
func (l MultiHeadAttention) join(c *Context, out *tensor.Node) *tensor.Node {
	d := out.Shape().Dimensions
	o := c.Part("attention_output")
	w := o.Weight("kernel")
	wd := w.Shape().Dimensions
	y := matMul(graph.Reshape(out, d[0], d[1], d[2]*d[3]), graph.Reshape(w, wd[0]*wd[1], wd[2]))
	y = addBias(o, l.NoBias, y)
	return regularization{activityRegularizer: l.ActivityRegularizer}.activity(c, y)
}

// maskedSoftmax leaves out what a mask hides; nil hides nothing.
func maskedSoftmax(scores, mask *tensor.Node) *tensor.Node {
	if mask != nil {
		scores = graph.Where(mask, scores, graph.BroadcastToDims(scalar(scores, -1e9), scores.Shape().Dimensions...))
	}
	return graph.Softmax(scores, -1)
}

// project makes [batch, steps, heads, dim] of [batch, steps, features].
func (l MultiHeadAttention) project(c *Context, x *tensor.Node) *tensor.Node {
	w := c.Weight("kernel")
	d := w.Shape().Dimensions
	y := matMul(x, graph.Reshape(w, d[0], d[1]*d[2]))
	y = graph.Reshape(y, append(slices.Clone(x.Shape().Dimensions[:2]), d[1:]...)...)
	if l.NoBias {
		return y
	}
	return graph.Add(y, graph.ExpandLeftToRank(c.Weight("bias"), 4))
}

// mask says which pairs of steps count: [batch, heads, target, source]; nil if all do.
func (l MultiHeadAttention) mask(c *Context, inputs int, scores, given *tensor.Node) *tensor.Node {
	d := scores.Shape().Dimensions
	var mask *tensor.Node
	and := func(m *tensor.Node) { mask = both(mask, graph.BroadcastToDims(m, d...)) }
	if given != nil {
		and(graph.ExpandAxes(given, 1))
	}
	if m := c.MaskOf(0); m != nil {
		and(graph.InsertAxes(m, 1, -1))
	}
	if m := c.MaskOf(min(1, inputs-1)); m != nil {
		and(graph.InsertAxes(m, 1, 1))
	}
	if m := c.MaskOf(2); inputs == 3 && m != nil {
		and(graph.InsertAxes(m, 1, 1))
	}
	if l.UseCausalMask {
		and(graph.InsertAxes(past(scores.Graph(), d[2], d[3]), 0, 0))
	}
	return mask
}

// WithKerasArgument implements KerasCaller.
func (l MultiHeadAttention) WithKerasArgument(name string, value any) (Layer, bool) {
	ok := attentionArgument(name, value, &l.UseCausalMask, &l.ReturnAttentionScores, &l.AttentionMask)
	return l, ok
}

// KerasPath implements KerasPather.
func (MultiHeadAttention) KerasPath(weight string) string {
	part, _, _ := strings.Cut(weight, "/")
	if part == "attention_output" {
		part = "output"
	}
	return "/" + part + "_dense"
}

// ONNX implements build.Layer.
func (l MultiHeadAttention) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	if l.AttentionMask {
		return nil, errors.New("an attention mask has no counterpart in ONNX here")
	}
	in, w, shapes := c.In, c.Weights, c.Shapes
	query, value, key := in[0], in[min(1, len(in)-1)], in[len(in)-1]
	per := 2
	if l.NoBias {
		per = 1
	}
	project := func(x string, w []build.Array, perm ...int) string {
		d := w[0].Dims
		y := g.Op("MatMul", []string{x, g.Array(w[0].Reshaped(d[0], d[1]*d[2]))})
		if len(w) > 1 {
			y = g.Op("Add", []string{y, g.Array(w[1].Reshaped(d[1] * d[2]))})
		}
		return g.Op("Transpose", []string{g.Op("Reshape", []string{y, g.Ints(0, 0, d[1], d[2])})}, onnxInts("perm", perm...))
	}
	q := project(query, w[:per], 0, 2, 1, 3)
	k := project(key, w[per:2*per], 0, 2, 3, 1)
	v := project(value, w[2*per:3*per], 0, 2, 1, 3)
	q = g.Op("Mul", []string{q, g.Scalar(1 / math.Sqrt(float64(l.KeyDim)))})
	scores := g.Op("MatMul", []string{q, k})
	if l.UseCausalMask {
		target, source := shapes[0][0], shapes[len(shapes)-1][0]
		mask := make([]float32, target*source)
		for i := range target {
			for j := i + 1; j < source; j++ {
				mask[i*source+j] = -1e9
			}
		}
		scores = g.Op("Add", []string{scores, g.Floats(mask, target, source)})
	}
	scores = g.Op("Softmax", []string{scores}, build.Attr{Name: "axis", Value: -1})
	y := g.Op("Transpose", []string{g.Op("MatMul", []string{scores, v})}, onnxInts("perm", 0, 2, 1, 3))
	o := w[3*per]
	y = g.Op("MatMul", []string{g.Op("Reshape", []string{y, g.Ints(0, 0, -1)}), g.Array(o.Reshaped(o.Dims[0]*o.Dims[1], o.Dims[2]))})
	return []string{onnxBias(g, y, w[3*per+1:]), scores}, nil
}
