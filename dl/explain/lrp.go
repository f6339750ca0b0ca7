package explain

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/tensor"
)

// LRP is layer-wise relevance propagation: the target is handed back from layer to layer, to
// each input as much as it contributed. What biases contribute stays with them. Maximum
// pooling hands all to the winner, activations hand on what they get.
//
// It has rules for dense layers, convolutions, pooling, frozen normalization, dropout, sums and
// what only moves numbers; other layers are refused by name. With EpsilonRule everywhere it is
// close to InputXGradient in networks of ReLU; usual is GammaRule or AlphaBetaRule near the
// input, and EpsilonRule near the output. Source: Bach et al. (2015), PLOS ONE 10; Montavon et
// al. (2019), Layer-wise relevance propagation: an overview.
type LRP struct {
	// Rule is that of all layers with a kernel but those in Rules; its zero value is
	// EpsilonRule(1e-6), which layers without one have anyway.
	Rule Rule
	// Rules are those of single layers, by name.
	Rules map[string]Rule
}

// Rule is how a layer's relevance is shared among its inputs.
type Rule struct {
	epsilon     float64
	gamma       float64
	alpha, beta float64
	signed      bool // alpha and beta
	err         error
}

// EpsilonRule shares by contributions. Small sums of contributions that cancel each other out
// are kept away from 0 by epsilon.
func EpsilonRule(epsilon float64) Rule {
	r := Rule{epsilon: epsilon}
	if !(epsilon >= 1e-30) {
		r.err = fmt.Errorf("explain: expected an epsilon of at least 1e-30, got %g", epsilon)
	}
	return r
}

// GammaRule is EpsilonRule(1e-9) with positive weights larger by gamma times themselves, so that
// what speaks for the target counts more. Biases are as they are.
func GammaRule(gamma float64) Rule {
	r := Rule{epsilon: 1e-9, gamma: gamma}
	if !(gamma >= 0) {
		r.err = fmt.Errorf("explain: expected a gamma of at least 0, got %g", gamma)
	}
	return r
}

// AlphaBetaRule shares positive and negative contributions apart, the first times alpha, the
// second times -beta; alpha - beta must be 1. With 1 and 0, also called z⁺, nothing gets a
// relevance below 0 from one above.
func AlphaBetaRule(alpha, beta float64) Rule {
	r := Rule{epsilon: 1e-9, alpha: alpha, beta: beta, signed: true}
	if !(beta >= 0) || !(alpha-beta > 1-1e-9 && alpha-beta < 1+1e-9) {
		r.err = fmt.Errorf("explain: expected an alpha that is 1 more than a beta of at least 0, got %g and %g", alpha, beta)
	}
	return r
}

// Attribute implements Method.
func (r LRP) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	q, err := ask(m, x, t, func() (*values, error) {
		inner := train.Of(m)
		words, err := wordsOf(inner)
		if err != nil {
			return nil, err
		}
		if err := walkable(inner, "LRP", words != nil); err != nil {
			return nil, err
		}
		if err := r.check(inner.Network); err != nil {
			return nil, err
		}
		w := &walk{layer: r.share, activation: func(_ step, _, _, r *graph.Node) *graph.Node { return r }}
		return gradients(m, t, w.call, func(f *network.Flow, x, target *graph.Node) []*graph.Node {
			end := t.node(m, f)
			if got := w.back(end, graph.Mul(end, endSlope(target, end)), x); got != nil {
				return []*graph.Node{got}
			}
			return []*graph.Node{graph.ZerosLike(x)}
		})
	})
	if err != nil {
		return nil, err
	}
	out, err := q.call(q.flat, q.shape, q.units)
	if err != nil {
		return nil, err
	}
	flat, err := tensor.Flat[float32](out[0])
	if err != nil {
		return nil, err
	}
	return q.answer(flat), nil
}

// check reports a rule that is none, and one for a layer that there is not.
func (r LRP) check(n *network.Network) error {
	if r.Rule.err != nil {
		return r.Rule.err
	}
	names := make(map[string]bool)
	layerNames(n, names)
	for name, rule := range r.Rules {
		if rule.err != nil {
			return fmt.Errorf("%w for the layer %q", rule.err, name)
		}
		if !names[name] {
			return fmt.Errorf("explain: expected Rules for layers among %q, got one for %q", slices.Sorted(maps.Keys(names)), name)
		}
	}
	return nil
}

func layerNames(n *network.Network, names map[string]bool) {
	for _, c := range n.Calls {
		names[c.Layer.Name] = true
		if inner := c.Layer.Nested(); inner != nil {
			layerNames(inner, names)
		}
	}
}

// share is what each input of a layer gets.
func (r LRP) share(s step, relevance *graph.Node) []*graph.Node {
	rule, ok := r.Rules[s.layer.Name]
	if !ok {
		rule = r.Rule
	}
	if rule == (Rule{}) {
		rule.epsilon = 1e-6
	}
	kernel, ok := kernelOf(s.layer)
	switch {
	case !ok:
		return s.contributions(relevance, 1e-6, part{x: s.x, weights: s.layer.Weights})
	case !rule.signed:
		more := graph.Add(kernel.kernel, graph.MulScalar(positive(kernel.kernel), rule.gamma))
		return s.contributions(relevance, rule.epsilon, part{x: s.x, weights: kernel.with(more, kernel.bias)})
	}
	x, w, b := s.x[0], kernel.kernel, kernel.bias
	up, down := []*graph.Node{positive(x)}, []*graph.Node{negative(x)}
	out := s.contributions(relevance, rule.epsilon,
		part{x: up, weights: kernel.with(positive(w), positive(b))},
		part{x: down, weights: kernel.with(negative(w), zero(b))})[0]
	out = graph.MulScalar(out, rule.alpha)
	if rule.beta > 0 {
		against := s.contributions(relevance, rule.epsilon,
			part{x: up, weights: kernel.with(negative(w), negative(b))},
			part{x: down, weights: kernel.with(positive(w), zero(b))})[0]
		out = graph.Sub(out, graph.MulScalar(against, rule.beta))
	}
	return []*graph.Node{out}
}

// part is a layer called on some inputs with some weights.
type part struct {
	x       []*graph.Node
	weights map[string]*graph.Node
}

// contributions share relevance by what inputs contribute to the sum of the parts.
func (s step) contributions(relevance *graph.Node, epsilon float64, parts ...part) (all []*graph.Node) {
	var x []*graph.Node
	var z *graph.Node
	for _, p := range parts {
		own := fresh(p.x)
		x = append(x, own...)
		l := s.layer
		l.Weights = p.weights
		out := pass.AloneMasked(false, l, own, s.masks)[0]
		if z != nil {
			out = graph.Add(z, out)
		}
		z = out
	}
	up := graph.GreaterOrEqual(z, graph.ZerosLike(z))
	e := graph.MulScalar(graph.OnesLike(z), epsilon)
	z0 := graph.StopGradient(graph.Add(z, graph.Where(up, e, graph.Neg(e))))
	slopes := graph.Gradient(graph.ReduceAllSum(graph.Mul(z, graph.StopGradient(graph.Div(relevance, z0)))), x...)
	all = make([]*graph.Node, len(parts[0].x))
	for i, slope := range slopes {
		got, k := graph.Mul(x[i], slope), i%len(all)
		if all[k] != nil {
			got = graph.Add(all[k], got)
		}
		all[k] = got
	}
	return all
}

// kernelWeights are a layer's weights, of which one is multiplied by what it sees.
type kernelWeights struct {
	name         string
	kernel, bias *graph.Node // bias may be nil
	rest         map[string]*graph.Node
}

func kernelOf(l pass.Layer) (kernelWeights, bool) {
	for _, name := range []string{"kernel", "depthwise_kernel"} {
		if k := l.Weights[name]; k != nil {
			return kernelWeights{name, k, l.Weights["bias"], l.Weights}, true
		}
	}
	return kernelWeights{}, false
}

// with are the weights with another kernel and bias.
func (k kernelWeights) with(kernel, bias *graph.Node) map[string]*graph.Node {
	all := maps.Clone(k.rest)
	all[k.name] = kernel
	if bias != nil {
		all["bias"] = bias
	}
	return all
}

func positive(n *graph.Node) *graph.Node {
	if n == nil {
		return nil
	}
	return graph.Max(n, graph.ZerosLike(n))
}

func negative(n *graph.Node) *graph.Node {
	if n == nil {
		return nil
	}
	return graph.Min(n, graph.ZerosLike(n))
}

func zero(n *graph.Node) *graph.Node {
	if n == nil {
		return nil
	}
	return graph.ZerosLike(n)
}
