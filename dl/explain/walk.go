package explain

import (
	"fmt"
	"reflect"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/apart"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/pass"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
)

// The layers that a walk knows the way back through, by type: those that are linear in what
// they see, those that take a largest value, and those that are an activation.
var (
	linearLayers = map[string]bool{
		"Dense": true, "Conv1D": true, "Conv2D": true, "Conv3D": true, "DepthwiseConv2D": true, "BatchNormalization": true,
		"Flatten": true, "Reshape": true, "Permute": true, "Add": true, "Concatenate": true, "Average": true, "Rescaling": true,
		"AveragePooling1D": true, "AveragePooling2D": true, "AveragePooling3D": true,
		"GlobalAveragePooling1D": true, "GlobalAveragePooling2D": true,
		"ZeroPadding1D": true, "ZeroPadding2D": true, "Cropping1D": true, "Cropping2D": true, "UpSampling2D": true,
	}
	winnerLayers = map[string]bool{
		"MaxPooling1D": true, "MaxPooling2D": true, "MaxPooling3D": true, "GlobalMaxPooling1D": true, "GlobalMaxPooling2D": true,
	}
	activationLayers = map[string]bool{
		"Activation": true, "ReLU": true, "LeakyReLU": true, "ELU": true, "Softmax": true,
		"Dropout": true, "SpatialDropout1D": true, "SpatialDropout2D": true, "GaussianNoise": true, "GaussianDropout": true,
	}
)

// known reports a layer that a walk does not know the way back through. An embedding may be the
// first.
func known(n *network.Network, method string, words bool) error {
	for _, c := range n.Calls {
		if inner := c.Layer.Nested(); inner != nil {
			if err := known(inner, method, words); err != nil {
				return err
			}
			continue
		}
		name := c.Layer.Type()
		if !linearLayers[name] && !winnerLayers[name] && !activationLayers[name] && (!words || name != "Embedding") {
			return fmt.Errorf("explain: %s: expected layers for which %s has a rule, got one without; IntegratedGradients explains any", c.Layer, method)
		}
	}
	return nil
}

// walkable reports a model that a walk cannot go back through.
func walkable(m *train.Model, method string, words bool) error {
	if m.Policy != dtypes.InvalidDType && m.Policy != dtypes.Float32 {
		return fmt.Errorf("explain: expected a model that computes in float32 for %s, got %v", method, m.Policy)
	}
	return known(m.Network, method, words)
}

// walk notes what layers do, and goes back the same way.
type walk struct {
	// layer hands what its output has back to each of its inputs, activation what is behind
	// one to what is before it.
	layer      func(s step, r *graph.Node) []*graph.Node
	activation func(s step, z, y, r *graph.Node) *graph.Node

	steps []step
}

// step is one layer: z is its output before its activation, y behind it.
type step struct {
	layer pass.Layer // without its activation
	kind  string
	x     []*graph.Node
	masks []*graph.Node
	z, y  *graph.Node
	mixes bool // the activation's results depend on other numbers than their own
}

// call is a pass.Tap.
func (w *walk) call(p *pass.Pass, l pass.Layer, x, masks []*graph.Node) ([]*graph.Node, *graph.Node, map[string]*graph.Node) {
	s := step{layer: l, x: x, masks: masks, kind: reflect.Indirect(reflect.ValueOf(l.Layer)).Type().Name()}
	var a activations.Activation
	if !activationLayers[s.kind] {
		s.layer.Layer, a = apart.Split(l.Layer)
	}
	_, softmax := apart.Value(l.Layer).(layers.Softmax)
	own := a
	if s.kind == "Activation" {
		_, own = apart.Split(l.Layer)
	}
	s.mixes = softmax || own == activations.Softmax || own == activations.LogSoftmax || own == activations.Sparsemax
	out, mask, updates := pass.Call(p, s.layer, x, masks)
	s.z, s.y = out[0], out[0]
	if a != nil {
		s.y = p.Activate(a, out[0])
		out = []*graph.Node{s.y}
	}
	w.steps = append(w.steps, s)
	return out, mask, updates
}

// back hands r from a node back to the input; nil if none comes there.
func (w *walk) back(end, r, input *graph.Node) *graph.Node {
	steps := w.steps
	w.steps = nil // of the next graph
	at := map[*graph.Node]*graph.Node{end: r}
	add := func(n, r *graph.Node) {
		if at[n] != nil {
			r = graph.Add(at[n], r)
		}
		at[n] = r
	}
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		behind, before := at[s.y], at[s.z]
		if behind == nil && before == nil {
			continue
		}
		delete(at, s.y) // a layer that returns its input hands it on once
		delete(at, s.z)
		if activationLayers[s.kind] {
			add(s.x[0], w.activation(s, s.x[0], s.y, behind))
			continue
		}
		switch {
		case s.z == s.y: // without an activation
			before = behind
		case before == nil: // else the end is before the last activation
			before = w.activation(s, s.z, s.y, behind)
		}
		for k, own := range w.layer(s, before) {
			add(s.x[k], own)
		}
	}
	return at[input]
}

// fresh are nodes by which there are gradients, whatever they were made of.
func fresh(nodes []*graph.Node) (all []*graph.Node) {
	for _, n := range nodes {
		all = append(all, graph.Identity(graph.StopGradient(n)))
	}
	return all
}

// slopes hand r back through a layer as gradients do.
func (s step) slopes(r *graph.Node) []*graph.Node {
	x := fresh(s.x)
	z := pass.AloneMasked(false, s.layer, x, s.masks)[0]
	return graph.Gradient(graph.ReduceAllSum(graph.Mul(z, graph.StopGradient(r))), x...)
}

// endSlope is the gradient of a target by the output of which it is a unit.
func endSlope(target, end *graph.Node) *graph.Node {
	return graph.Gradient(graph.ReduceAllSum(target), end)[0]
}
