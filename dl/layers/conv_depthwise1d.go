package layers

import (
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(DepthwiseConv1D{}) }

// DepthwiseConv1D is DepthwiseConv2D with one axis.
//
// Input shape: (None, steps, channels).
// Output shape: (None, steps', channels·DepthMultiplier), see Padding.
//
// Source: https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/
type DepthwiseConv1D struct {
	// KernelSize is the window's length.
	KernelSize int
	// Strides is the window's step; 0 means 1.
	Strides int
	// Padding is Valid unless set.
	Padding Padding
	// DepthMultiplier is the number of filters of each channel; 0 means 1.
	DepthMultiplier int
	// DilationRate spreads the window; 0 means 1. It excludes Strides above 1.
	DilationRate int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// DepthwiseInitializer starts the kernel, of shape [steps, channels, DepthMultiplier];
	// nil is GlorotUniform.
	DepthwiseInitializer initializers.Initializer
	// BiasInitializer starts the bias; nil is Zeros.
	BiasInitializer                                            initializers.Initializer
	DepthwiseRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	DepthwiseConstraint, BiasConstraint                        constraints.Constraint
	Name                                                       string
}

func (l DepthwiseConv1D) reg() regularization {
	return regularization{l.DepthwiseRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.DepthwiseConstraint, l.BiasConstraint}
}

// Build implements Layer.
func (l DepthwiseConv1D) Build(in Shape) (Spec, error) {
	out, err := depthwise(in, []int{l.KernelSize}, []int{l.Strides}, []int{l.DilationRate}, l.Padding, l.DepthMultiplier)
	if err != nil {
		return Spec{}, err
	}
	kernel := l.reg().kernel("kernel", l.DepthwiseInitializer, l.KernelSize, in[1], max(l.DepthMultiplier, 1))
	return Spec{Output: out, Weights: l.reg().withBias([]Weight{kernel}, l.NoBias, out[1], l.BiasInitializer)}, nil
}

// Call implements Layer.
func (l DepthwiseConv1D) Call(c *Context, x *tensor.Node) *tensor.Node {
	y := convolveDepthwise(x, c.Weight("kernel"), []int{l.Strides}, []int{l.DilationRate}, l.Padding)
	return l.reg().activity(c, activate(c, l.Activation, addBias(c, l.NoBias, y)))
}

// ONNX implements build.Layer.
func (l DepthwiseConv1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	c.Weights = append([]build.Array{onnxDepthwise(c.Weights[0])}, c.Weights[1:]...)
	return onnxActivated(g, onnxConv(g, c, []int{l.Strides}, []int{l.DilationRate}, l.Padding, c.Shapes[0][1]), l.Activation)
}
