package layers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(Attention{}, AdditiveAttention{}) }

// Attention lets each step of a query look at all steps of a value, by products of the query
// and the key: softmax(q·kᵀ)·v, in one head and without projections.
//
// Inputs: query (None, target, features), value (None, source, dim) and key, of the value's
// steps and the query's features; without a key it is the value. Output shape: (None, target,
// dim). With ReturnAttentionScores a second output is (None, target, source).
//
// Source: Luong et al., 2015 (arXiv:1508.04025);
// https://keras.io/api/layers/attention_layers/attention/
type Attention struct {
	// UseScale multiplies the products by a weight, which begins with 1.
	UseScale bool
	// ScoreMode is "dot" or "concat", the sum of tanh(q + k) times a weight; "" is "dot".
	ScoreMode string
	// Dropout is the part of the scores that is dropped in training.
	Dropout float64
	// UseCausalMask lets a step look only at itself and what came before. In Keras this is an
	// argument of the call.
	UseCausalMask bool
	// ReturnAttentionScores adds the scores as an output. In Keras this is an argument of the
	// call.
	ReturnAttentionScores bool
	Name                  string
}

// Build implements Layer.
func (l Attention) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l Attention) BuildAll(in []Shape) (Spec, error) {
	if l.ScoreMode != "" && l.ScoreMode != "dot" && l.ScoreMode != "concat" {
		return Spec{}, fmt.Errorf("expected a ScoreMode of dot or concat, got %q", l.ScoreMode)
	}
	s, err := attended(in, l.Dropout, l.ReturnAttentionScores)
	if l.UseScale {
		s.Weights = append(s.Weights, Weight{Name: "scale", Shape: Shape{}, Initializer: initializers.Ones{}})
	}
	if l.ScoreMode == "concat" {
		s.Weights = append(s.Weights, Weight{Name: "concat_score_weight", Shape: Shape{}, Initializer: initializers.Ones{}})
	}
	return s, err
}

// attended is what a single head returns.
func attended(in []Shape, dropout float64, scores bool) (Spec, error) {
	if err := wantRate(dropout); err != nil {
		return Spec{}, err
	}
	if len(in) < 2 || len(in) > 3 {
		return Spec{}, fmt.Errorf("expected 2 or 3 inputs (query, value, key), got %d", len(in))
	}
	q, v, k := three(in)
	if err := wantSteps(q, v, k); err != nil {
		return Spec{}, err
	}
	if k[0] != v[0] || k[1] != q[1] {
		return Spec{}, fmt.Errorf("expected a key of the value's steps and the query's features, got query %v, value %v and key %v", q, v, k)
	}
	s := Spec{Output: Shape{q[0], v[1]}, KeepsMask: true}
	if scores {
		s.Outputs = []Shape{s.Output, {q[0], k[0]}}
	}
	return s, nil
}

// Call implements Layer.
func (l Attention) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l Attention) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	q, v, k := three(in)
	var scores *tensor.Node
	if l.ScoreMode == "concat" {
		sum := graph.Add(graph.ExpandAxes(q, 2), graph.ExpandAxes(k, 1))
		if l.UseScale {
			sum = graph.Mul(sum, c.Weight("scale"))
		}
		scores = graph.Mul(graph.ReduceSum(graph.Tanh(sum), 3), c.Weight("concat_score_weight"))
	} else {
		scores = graph.EinsumAxes(q, k, [][2]int{{2, 2}}, [][2]int{{0, 0}})
		if l.UseScale {
			scores = graph.Mul(scores, c.Weight("scale"))
		}
	}
	return attend(c, scores, v, l.Dropout, l.UseCausalMask, l.ReturnAttentionScores)
}

// attend takes the steps of v together by their scores [batch, target, source].
func attend(c *Context, scores, v *tensor.Node, dropout float64, causal, withScores bool) []*tensor.Node {
	d := scores.Shape().Dimensions
	var allowed *tensor.Node
	if m := c.MaskOf(1); m != nil {
		allowed = graph.BroadcastToDims(graph.InsertAxes(m, 1), d...)
	}
	if causal {
		pairs := graph.InsertAxes(past(scores.Graph(), d[1], d[2]), 0)
		allowed = both(allowed, graph.BroadcastToDims(pairs, d...))
	}
	if allowed != nil {
		scores = graph.Where(allowed, scores, graph.Sub(scores, scalar(scores, 1e9)))
	}
	scores = graph.Softmax(scores, -1)
	kept := drop(c, scores, dropout, d)
	y := graph.EinsumAxes(kept, v, [][2]int{{2, 1}}, [][2]int{{0, 0}})
	if m := c.MaskOf(0); m != nil {
		y = graph.Where(graph.BroadcastToDims(graph.InsertAxes(m, -1), y.Shape().Dimensions...), y, graph.ZerosLike(y))
	}
	if withScores {
		return []*tensor.Node{y, scores}
	}
	return []*tensor.Node{y}
}

// WithKerasArgument implements KerasCaller.
func (l Attention) WithKerasArgument(name string, value any) (Layer, bool) {
	ok := attentionArgument(name, value, &l.UseCausalMask, &l.ReturnAttentionScores, nil)
	return l, ok
}

// attentionArgument sets what an argument of a call says; mask is nil where there may be none.
func attentionArgument(name string, value any, causal, scores, mask *bool) bool {
	on, ok := value.(bool)
	switch {
	case name == "attention_mask" && mask != nil:
		*mask, ok = true, true // the mask itself is an input
	case name == "use_causal_mask":
		*causal = on
	case name == "return_attention_scores":
		*scores = on
	default:
		return false
	}
	return ok
}

// AdditiveAttention is Attention whose scores are sums instead of products: of tanh(q + k),
// each feature times a weight.
//
// Inputs and outputs as Attention's, the query having the features of the key.
//
// Source: Bahdanau et al., 2014 (arXiv:1409.0473);
// https://keras.io/api/layers/attention_layers/additive_attention/
type AdditiveAttention struct {
	// NoScale leaves the weights of the features out.
	NoScale bool `keras:"use_scale,not"`
	// Dropout is the part of the scores that is dropped in training.
	Dropout float64
	// UseCausalMask lets a step look only at itself and what came before. In Keras this is an
	// argument of the call.
	UseCausalMask bool
	// ReturnAttentionScores adds the scores as an output. In Keras this is an argument of the
	// call.
	ReturnAttentionScores bool
	Name                  string
}

// Build implements Layer.
func (l AdditiveAttention) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l AdditiveAttention) BuildAll(in []Shape) (Spec, error) {
	s, err := attended(in, l.Dropout, l.ReturnAttentionScores)
	if err == nil && !l.NoScale {
		s.Weights = []Weight{{Name: "scale", Shape: Shape{in[0][1]}, Initializer: initializers.GlorotUniform{}}}
	}
	return s, err
}

// Call implements Layer.
func (l AdditiveAttention) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l AdditiveAttention) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	q, v, k := three(in)
	sum := graph.Tanh(graph.Add(graph.ExpandAxes(q, 2), graph.ExpandAxes(k, 1)))
	if !l.NoScale {
		sum = graph.Mul(sum, graph.ExpandLeftToRank(c.Weight("scale"), 4))
	}
	return attend(c, graph.ReduceSum(sum, 3), v, l.Dropout, l.UseCausalMask, l.ReturnAttentionScores)
}

// WithKerasArgument implements KerasCaller.
func (l AdditiveAttention) WithKerasArgument(name string, value any) (Layer, bool) {
	ok := attentionArgument(name, value, &l.UseCausalMask, &l.ReturnAttentionScores, nil)
	return l, ok
}
