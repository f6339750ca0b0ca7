package explain

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// GuidedBackprop is the gradient of the target by the input, in which what is below 0 does not
// come through any ReLU. Its pictures are sharp, and nearly the same whatever the model has
// learned: see Randomization, which it fails on many. Activations other than ReLU are as in
// Saliency.
//
// Source: Springenberg et al. (2014), https://arxiv.org/abs/1412.6806; Nie, Zhang, Patel
// (2018), https://arxiv.org/abs/1805.07039, on why.
type GuidedBackprop struct{}

// Attribute implements Method.
func (GuidedBackprop) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	q, g, err := askSlope(m, x, t, guided)
	if err != nil {
		return nil, err
	}
	if q.words != nil {
		return q.strength(g), nil
	}
	return q.answer(g), nil
}

// guided calls a layer whose ReLU lets no gradient below 0 through.
func guided(p *pass.Pass, l pass.Layer, x, masks []*graph.Node) ([]*graph.Node, *graph.Node, map[string]*graph.Node) {
	_, a := apart.Split(l.Layer)
	_, relu := apart.Value(l.Layer).(layers.ReLU)
	out, mask, updates := pass.Call(p, l, x, masks)
	if relu || a == activations.ReLU {
		out = []*graph.Node{graph.IdentityWithCustomGradient(out[0], func(_, v *graph.Node) *graph.Node {
			return graph.Max(v, graph.ZerosLike(v))
		})}
	}
	return out, mask, updates
}
