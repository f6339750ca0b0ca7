package layers

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(Activation{}, ReLU{}, LeakyReLU{}, ELU{}, PReLU{}, Softmax{}, ActivityRegularization{})
	config.Reads(readLeakyReLU)
}

// Activation applies a function to its input.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/core_layers/activation/
type Activation struct {
	Activation activations.Activation
	Name       string
}

// Build implements Layer.
func (l Activation) Build(in Shape) (Spec, error) {
	if l.Activation == nil {
		return Spec{}, errors.New("expected an Activation, got nil")
	}
	return same(in)
}

// Call implements Layer.
func (l Activation) Call(c *Context, x *tensor.Node) *tensor.Node {
	return activate(c, l.Activation, x)
}

// ReLU is max(x, 0), with an upper bound, a slope below, and a threshold.
//
//	y = MaxValue            x ≥ MaxValue
//	y = x                   Threshold ≤ x < MaxValue
//	y = NegativeSlope (x − Threshold)  x < Threshold
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/activation_layers/relu/
type ReLU struct {
	// MaxValue is the bound; 0 means none.
	MaxValue float64
	// NegativeSlope and Threshold are at least 0.
	NegativeSlope, Threshold float64
	Name                     string
}

// Build implements Layer.
func (l ReLU) Build(in Shape) (Spec, error) {
	if !(l.MaxValue >= 0 && l.NegativeSlope >= 0 && l.Threshold >= 0) {
		return Spec{}, fmt.Errorf("expected MaxValue, NegativeSlope and Threshold of at least 0, got %g, %g and %g", l.MaxValue, l.NegativeSlope, l.Threshold)
	}
	return same(in)
}

// Call implements Layer.
func (l ReLU) Call(_ *Context, x *tensor.Node) *tensor.Node {
	below := graph.ZerosLike(x)
	if l.NegativeSlope > 0 {
		below = graph.MulScalar(graph.SubScalar(x, l.Threshold), l.NegativeSlope)
	}
	y := graph.Where(graph.GreaterThan(x, scalar(x, l.Threshold)), x, below)
	if l.MaxValue > 0 {
		y = graph.MinScalar(y, l.MaxValue)
	}
	return y
}

// LeakyReLU is x above 0 and NegativeSlope·x below.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/activation_layers/leaky_relu/
type LeakyReLU struct {
	// NegativeSlope 0 means 0.3.
	NegativeSlope float64 `zero:"0.3"`
	Name          string
}

// readLeakyReLU reads a configuration of Keras: alpha is an older name.
func readLeakyReLU(_ *LeakyReLU, c map[string]any) error {
	if v, ok := c["alpha"]; ok {
		c["negative_slope"] = v
		delete(c, "alpha")
	}
	return nil
}

// Build implements Layer.
func (l LeakyReLU) Build(in Shape) (Spec, error) {
	if !(l.NegativeSlope >= 0) {
		return Spec{}, fmt.Errorf("expected NegativeSlope of at least 0, got %g", l.NegativeSlope)
	}
	return same(in)
}

// Call implements Layer.
func (l LeakyReLU) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return positiveOr(x, graph.MulScalar(x, orFloat(l.NegativeSlope, 0.3)))
}

// ELU is x above 0 and Alpha·(eˣ − 1) below.
//
// Input shape: any. Output shape: the input's.
//
// Source: Clevert et al., 2015 (arXiv:1511.07289).
type ELU struct {
	// Alpha 0 means 1.
	Alpha float64 `zero:"1"`
	Name  string
}

// Build implements Layer.
func (l ELU) Build(in Shape) (Spec, error) { return same(in) }

// Call implements Layer.
func (l ELU) Call(_ *Context, x *tensor.Node) *tensor.Node {
	// Positive values are cut off first: what Where leaves out must not overflow.
	below := graph.SubScalar(graph.Exp(graph.MinScalar(x, 0.0)), 1.0)
	return positiveOr(x, graph.MulScalar(below, orFloat(l.Alpha, 1)))
}

// PReLU is x above 0 and α·x below, with an α that is learned.
//
// Input shape: any. Output shape: the input's.
//
// Source: He et al., 2015 (arXiv:1502.01852).
type PReLU struct {
	// AlphaInitializer starts α, of the shape of an example; nil is Zeros.
	AlphaInitializer initializers.Initializer
	AlphaRegularizer regularizers.Regularizer
	AlphaConstraint  constraints.Constraint
	// SharedAxes are axes, counted with the batch, along which α is the same:
	// {1, 2} learns one for each channel of an image.
	SharedAxes []int
	Name       string
}

// Build implements Layer.
func (l PReLU) Build(in Shape) (Spec, error) {
	shape := slices.Clone(in)
	for _, a := range l.SharedAxes {
		at, err := axisOf("SharedAxes", a, in)
		if err != nil {
			return Spec{}, err
		}
		shape[at] = 1
	}
	return Spec{Output: in, KeepsMask: true, Weights: []Weight{{
		Name: "alpha", Shape: shape, Initializer: orInitializer(l.AlphaInitializer, initializers.Zeros{}),
		Regularizer: l.AlphaRegularizer, Constraint: l.AlphaConstraint,
	}}}, nil
}

// Call implements Layer.
func (l PReLU) Call(c *Context, x *tensor.Node) *tensor.Node {
	alpha := graph.InsertAxes(c.Weight("alpha"), 0)
	zero := graph.ZerosLike(x)
	above := graph.Where(graph.GreaterThan(x, zero), x, zero)
	below := graph.Where(graph.GreaterThan(x, zero), zero, x)
	return graph.Add(above, graph.Mul(alpha, below))
}

// Softmax makes a probability distribution of an axis.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/activation_layers/softmax/
type Softmax struct {
	// Axes are counted with the batch; nil means [−1].
	Axes []int `keras:"axis"`
	Name string
}

// Build implements Layer.
func (l Softmax) Build(in Shape) (Spec, error) {
	_, err := LayerNormalization{Axes: l.Axes}.over(in)
	return same(in, err)
}

// Call implements Layer.
func (l Softmax) Call(c *Context, x *tensor.Node) *tensor.Node {
	if l.Axes == nil || slices.Equal(l.Axes, []int{-1}) {
		return c.Activate(activations.Softmax, x)
	}
	return graph.Softmax(x, l.Axes...)
}

// ActivityRegularization adds a cost of its input to the loss and passes it on.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/regularization_layers/activity_regularization/
type ActivityRegularization struct {
	// L1 is the factor of Σ|x|, L2 that of Σx².
	L1, L2 float64
	Name   string
}

// Build implements Layer.
func (l ActivityRegularization) Build(in Shape) (Spec, error) { return same(in) }

// Call implements Layer.
func (l ActivityRegularization) Call(c *Context, x *tensor.Node) *tensor.Node {
	return regularization{activityRegularizer: regularizers.L1L2{L1: l.L1, L2: l.L2}}.activity(c, x)
}

// positiveOr is x above 0, and negative elsewhere.
func positiveOr(x, negative *tensor.Node) *tensor.Node {
	return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), x, negative)
}

func scalar(like *tensor.Node, v float64) *tensor.Node {
	return graph.Scalar(like.Graph(), like.DType(), v)
}

// ONNX implements build.Layer.
func (l Activation) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, c.In[0], l.Activation)
}

// ONNX implements build.Layer.
func (l Softmax) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	if len(l.Axes) > 1 {
		return nil, errors.New("a softmax over several axes has no counterpart in ONNX")
	}
	return []string{g.Op("Softmax", c.In[:1], build.Attr{Name: "axis", Value: append(l.Axes, -1)[0]})}, nil
}

// ONNX implements build.Layer.
func (l ReLU) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	x := c.In[0]
	y := g.Op("Relu", []string{x})
	if l.NegativeSlope != 0 || l.Threshold != 0 {
		below := g.Op("Mul", []string{g.Op("Sub", []string{x, g.Scalar(l.Threshold)}), g.Scalar(l.NegativeSlope)})
		y = g.Op("Where", []string{g.Op("Greater", []string{x, g.Scalar(l.Threshold)}), x, below})
	}
	if l.MaxValue > 0 {
		y = g.Op("Min", []string{y, g.Scalar(l.MaxValue)})
	}
	return []string{y}, nil
}

// ONNX implements build.Layer.
func (l LeakyReLU) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("LeakyRelu", c.In[:1], build.Attr{Name: "alpha", Value: orFloat(l.NegativeSlope, 0.3)})}, nil
}

// ONNX implements build.Layer.
func (l ELU) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Elu", c.In[:1], build.Attr{Name: "alpha", Value: orFloat(l.Alpha, 1)})}, nil
}

// ONNX implements build.Layer.
func (PReLU) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("PRelu", []string{c.In[0], g.Array(c.Weights[0])})}, nil
}

// ONNX implements build.Layer.
func (ActivityRegularization) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}
