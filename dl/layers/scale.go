package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

// The layers that keras.applications has for its own networks.

func init() { config.Register(LayerScale{}, CustomScaleLayer{}, StochasticDepth{}) }

// LayerScale multiplies each feature by a weight. ConvNeXt begins with small ones, so that
// each of its blocks first does nearly nothing.
//
// Input shape: (None, …, ProjectionDim). Output shape: the same.
//
// Source: Touvron et al., 2021 (arXiv:2103.17239);
// https://github.com/keras-team/keras/blob/master/keras/src/applications/convnext.py
type LayerScale struct {
	// InitValues is what the weights begin with.
	InitValues float64
	// ProjectionDim is the number of features.
	ProjectionDim int
	Name          string
}

// Build implements Layer.
func (l LayerScale) Build(in Shape) (Spec, error) {
	if err := wantPositive("ProjectionDim", l.ProjectionDim); err != nil {
		return Spec{}, err
	}
	if len(in) == 0 || in[len(in)-1] != l.ProjectionDim {
		return Spec{}, fmt.Errorf("expected a last axis of %d, got shape %v", l.ProjectionDim, in)
	}
	w := Weight{Name: "gamma", Shape: Shape{l.ProjectionDim}, Initializer: initializers.Constant{Value: l.InitValues}}
	return Spec{Output: in, Weights: []Weight{w}}, nil
}

// Call implements Layer.
func (LayerScale) Call(c *Context, x *tensor.Node) *tensor.Node {
	return graph.Mul(x, graph.ExpandLeftToRank(c.Weight("gamma"), x.Rank()))
}

// ONNX implements build.Layer.
func (LayerScale) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Mul", []string{c.In[0], g.Array(c.Weights[0])})}, nil
}

// CustomScaleLayer adds its second input, times a number, to the first: the residual blocks
// of Inception-ResNet.
//
// Inputs: two of shape (None, …). Output shape: the same.
//
// Source: Szegedy et al., 2016 (arXiv:1602.07261);
// https://github.com/keras-team/keras/blob/master/keras/src/applications/inception_resnet_v2.py
type CustomScaleLayer struct {
	// Scale is what the second input is multiplied by.
	Scale float64
	Name  string
}

// Build implements Layer.
func (l CustomScaleLayer) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l CustomScaleLayer) BuildAll(in []Shape) (Spec, error) {
	if len(in) != 2 {
		return Spec{}, fmt.Errorf("expected 2 inputs, got %d", len(in))
	}
	return Add{}.BuildAll(in)
}

// Call implements Layer.
func (l CustomScaleLayer) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l CustomScaleLayer) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	return Add{}.CallAll(c, []*tensor.Node{in[0], graph.MulScalar(in[1], l.Scale)})
}

// ONNX implements build.Layer.
func (l CustomScaleLayer) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Add", []string{c.In[0], g.Op("Mul", []string{c.In[1], g.Scalar(l.Scale)})})}, nil
}

// StochasticDepth drops examples as a whole in training, and multiplies the others, so that
// the sum stays the same on average: in a residual block, they skip the block.
//
// Input shape: (None, …). Output shape: the same.
//
// Source: Huang et al., 2016 (arXiv:1603.09382);
// https://github.com/keras-team/keras/blob/master/keras/src/applications/convnext.py
type StochasticDepth struct {
	// DropPathRate is the part of the examples that are dropped, from 0 to less than 1.
	DropPathRate float64
	Name         string
}

// Build implements Layer.
func (l StochasticDepth) Build(in Shape) (Spec, error) {
	if err := wantRate(l.DropPathRate); err != nil {
		return Spec{}, err
	}
	return Spec{Output: in, KeepsMask: true}, nil
}

// Call implements Layer.
func (l StochasticDepth) Call(c *Context, x *tensor.Node) *tensor.Node {
	dims := slices.Repeat([]int{1}, x.Rank())
	dims[0] = x.Shape().Dimensions[0]
	return drop(c, x, l.DropPathRate, dims)
}

// ONNX implements build.Layer.
func (StochasticDepth) ONNX(_ *build.Graph, c build.Call) ([]string, error) { return c.In, nil }
