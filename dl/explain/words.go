package explain

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// words are an input that an embedding takes: numbers by which nothing has a gradient.
type words struct {
	model *train.Model
	ids   *tensor.Tensor
}

// wordsOf says whether the model's first input is words; nil if it is numbers.
func wordsOf(m *train.Model) (*words, error) {
	var found []*network.Layer
	takers := 0
	each(m.Network, func(l *network.Layer) {
		switch l.Type() {
		case "Embedding", "Hashing", "StringLookup", "IntegerLookup", "CategoryEncoding", "Discretization":
			found = append(found, l)
		}
	})
	if len(found) == 0 {
		return nil, nil
	}
	l := found[0]
	if l.Type() == "Embedding" && len(found) == 1 && alone(m.Network, m.Inputs[0], &takers) == l && takers == 1 {
		return &words{model: m}, nil
	}
	return nil, fmt.Errorf("explain: %s takes numbers of words, by which nothing has a gradient: expected an input that goes to one Embedding and nothing else, or a method without gradients, Occlusion, LIME or Shapley", l)
}

// each calls f for each call of a layer, in networks that are layers, too.
func each(n *network.Network, f func(l *network.Layer)) {
	for _, c := range n.Calls {
		if inner := c.Layer.Nested(); inner != nil {
			each(inner, f)
			continue
		}
		f(c.Layer)
	}
}

// alone is the layer that takes an input, in networks that are layers, too; takers are how many
// do.
func alone(n *network.Network, in *network.Symbol, takers *int) (last *network.Layer) {
	for _, c := range n.Calls {
		for k, s := range c.In {
			if s != in {
				continue
			}
			if inner := c.Layer.Nested(); inner != nil {
				last = alone(inner, inner.Inputs[k], takers)
				continue
			}
			*takers++
			last = c.Layer
		}
	}
	return last
}

// takes says whether a layer is the embedding of the input.
func takes(l pass.Layer, x []*graph.Node, in *graph.Node) bool {
	_, ok := apart.Value(l.Layer).(layers.Embedding)
	return ok && x[0] == in
}

// tap puts the second tensor beside the inputs in the place of what the embedding makes. Other
// layers are called by next, or as they are.
func (w *words) tap(next pass.Tap) func(x, extra []*graph.Node) pass.Tap {
	if w == nil && next == nil {
		return nil
	}
	return func(in, extra []*graph.Node) pass.Tap {
		return func(p *pass.Pass, l pass.Layer, x, masks []*graph.Node) ([]*graph.Node, *graph.Node, map[string]*graph.Node) {
			switch {
			case w != nil && takes(l, x, in[0]):
				_, mask, updates := pass.Call(p, l, x, masks)
				return extra[1:2], mask, updates
			case next != nil:
				return next(p, l, x, masks)
			}
			return pass.Call(p, l, x, masks)
		}
	}
}

// embed is what the embedding makes of words.
func (w *words) embed(ids *tensor.Tensor) (flat []float32, shape []int, err error) {
	var made *graph.Node
	probe, err := w.model.Probe(func(in, _ []*graph.Node) pass.Tap {
		return func(p *pass.Pass, l pass.Layer, x, masks []*graph.Node) ([]*graph.Node, *graph.Node, map[string]*graph.Node) {
			out, mask, updates := pass.Call(p, l, x, masks)
			if takes(l, x, in[0]) {
				made = out[0]
			}
			return out, mask, updates
		}
	}, func(*network.Flow, []*graph.Node, []*graph.Node) []*graph.Node { return []*graph.Node{made} })
	if err != nil {
		return nil, nil, err
	}
	out, err := probe.Call([]*tensor.Tensor{ids})
	if err != nil {
		return nil, nil, err
	}
	flat, err = tensor.Flat[float32](out[0])
	return flat, out[0].Shape().Dimensions, err
}
