package explain

import (
	"cmp"
	"fmt"
	"reflect"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/apart"
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
// what only moves numbers; other layers are refused by name. The rule is
// ε, which is close to InputXGradient in networks of ReLU. Source: Bach et al. (2015), PLOS ONE 10; Montavon et
// al. (2019), Layer-wise relevance propagation: an overview.
type LRP struct {
	// Epsilon keeps contributions that cancel each other out from growing; 0 means 1e-6.
	Epsilon float64
}

// lrpLinear are the layers for which there is a rule, by type; those of lrpThrough hand on
// what they get.
var (
	lrpLinear = map[string]bool{
		"Dense": true, "Conv1D": true, "Conv2D": true, "Conv3D": true, "DepthwiseConv2D": true, "BatchNormalization": true,
		"Flatten": true, "Reshape": true, "Permute": true, "Add": true, "Concatenate": true, "Average": true, "Rescaling": true,
		"AveragePooling1D": true, "AveragePooling2D": true, "AveragePooling3D": true, "MaxPooling1D": true, "MaxPooling2D": true, "MaxPooling3D": true,
		"GlobalAveragePooling1D": true, "GlobalAveragePooling2D": true, "GlobalMaxPooling1D": true, "GlobalMaxPooling2D": true,
		"ZeroPadding1D": true, "ZeroPadding2D": true, "Cropping1D": true, "Cropping2D": true, "UpSampling2D": true,
	}
	lrpThrough = map[string]bool{
		"Activation": true, "ReLU": true, "LeakyReLU": true, "ELU": true, "Softmax": true,
		"Dropout": true, "SpatialDropout1D": true, "SpatialDropout2D": true, "GaussianNoise": true, "GaussianDropout": true,
	}
)

// Attribute implements Method.
func (r LRP) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	if !(r.Epsilon >= 0) {
		return nil, fmt.Errorf("explain: expected an Epsilon of at least 0, got %g", r.Epsilon)
	}
	v, flat, units, err := prepared(m, x, t, func() (*values, error) {
		if err := lrpRules(train.Of(m).Network); err != nil {
			return nil, err
		}
		w := &walk{epsilon: cmp.Or(r.Epsilon, 1e-6)}
		return newValues(m, t, w.call, func(f *network.Flow, x, target *graph.Node) []*graph.Node {
			end := t.node(m, f)
			return []*graph.Node{w.back(end, graph.Mul(end, graph.Gradient(graph.ReduceAllSum(target), end)[0]), x)}
		})
	})
	if err != nil {
		return nil, err
	}
	out, err := v.call(flat, x.Shape().Dimensions, units)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// lrpRules reports a layer for which there is no rule.
func lrpRules(n *network.Network) error {
	for _, c := range n.Calls {
		if inner := c.Layer.Nested(); inner != nil {
			if err := lrpRules(inner); err != nil {
				return err
			}
			continue
		}
		if name := c.Layer.Type(); !lrpLinear[name] && !lrpThrough[name] {
			return fmt.Errorf("explain: %s: expected layers for which LRP has a rule, got one without; IntegratedGradients explains any", c.Layer)
		}
	}
	return nil
}

// walk notes what layers do, and goes back the same way.
type walk struct {
	epsilon float64
	steps   []lrpStep
}

// lrpStep is one layer: z is its output before its activation, y behind it.
type lrpStep struct {
	layer   pass.Layer
	x       []*graph.Node
	z, y    *graph.Node
	through bool
}

func (w *walk) call(p *pass.Pass, l pass.Layer, x, masks []*graph.Node) ([]*graph.Node, *graph.Node, map[string]*graph.Node) {
	s := lrpStep{layer: l, x: x, through: lrpThrough[reflect.Indirect(reflect.ValueOf(l.Layer)).Type().Name()]}
	var a activations.Activation
	if !s.through {
		s.layer.Layer, a = apart.Split(l.Layer)
	}
	out, mask, updates := pass.Call(p, s.layer, x, masks)
	s.z, s.y = out[0], out[0]
	if a != nil {
		s.y = p.Activate(a, out[0])
		out = []*graph.Node{s.y}
	}
	w.steps = append(w.steps, s)
	return out, mask, updates
}

// back hands relevance from a node back to the input.
func (w *walk) back(end, relevance, input *graph.Node) *graph.Node {
	steps := w.steps
	w.steps = nil // of the next graph
	at := map[*graph.Node]*graph.Node{end: relevance}
	add := func(n, r *graph.Node) {
		if at[n] != nil {
			r = graph.Add(at[n], r)
		}
		at[n] = r
	}
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		r := at[s.y]
		if s.z != s.y && at[s.z] != nil { // the end is before the last activation
			r = at[s.z]
		}
		if r == nil {
			continue
		}
		delete(at, s.y) // a layer that returns its input hands it on once
		delete(at, s.z)
		if s.through {
			add(s.x[0], r)
			continue
		}
		for k, own := range w.share(s, r) {
			add(s.x[k], own)
		}
	}
	if at[input] == nil {
		return graph.ZerosLike(input)
	}
	return at[input]
}

// share is what each input of a layer gets.
func (w *walk) share(s lrpStep, r *graph.Node) (all []*graph.Node) {
	x := make([]*graph.Node, len(s.x))
	for i, n := range s.x {
		x[i] = graph.Identity(graph.StopGradient(n)) // gradients by what stops them are 0
	}
	z := pass.Alone(false, s.layer, x...)[0]
	zero := graph.GreaterOrEqual(z, graph.ZerosLike(z))
	e := graph.MulScalar(graph.OnesLike(z), w.epsilon)
	z0 := graph.StopGradient(graph.Add(z, graph.Where(zero, e, graph.Neg(e))))
	sum := graph.ReduceAllSum(graph.Mul(z, graph.StopGradient(graph.Div(r, z0))))
	for i, slope := range graph.Gradient(sum, x...) {
		all = append(all, graph.Mul(x[i], slope))
	}
	return all
}
