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

func init() { config.Register(Conv3DTranspose{}) }

// Conv3DTranspose is Conv2DTranspose with three axes.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, depth', height', width', Filters).
//
// Source: https://keras.io/api/layers/convolution_layers/convolution3d_transpose/
type Conv3DTranspose struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's depth, height and width.
	KernelSize [3]int
	// Strides is the distance of two windows; 0 means 1.
	Strides [3]int
	// Padding is Valid unless set.
	Padding Padding
	// DilationRate spreads the window; 0 means 1.
	DilationRate [3]int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts the kernel, of shape [depth, height, width, Filters,
	// channels]; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts the bias, of shape [Filters]; nil is Zeros.
	BiasInitializer initializers.Initializer
	// What keeps weights and output small; nil is nothing.
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

// Build implements Layer.
func (l Conv3DTranspose) Build(in Shape) (Spec, error) { return l.transpose().build(in) }

// Call implements Layer.
func (l Conv3DTranspose) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.transpose().call(c, x)
}

func (l Conv3DTranspose) transpose() convTranspose {
	return convTranspose{
		l.Filters, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding,
		l.Activation, l.NoBias, l.KernelInitializer, l.BiasInitializer,
		regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
	}
}

// ONNX implements build.Layer.
func (l Conv3DTranspose) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, onnxConvTranspose(g, c, l.Strides[:], l.DilationRate[:], l.Padding), l.Activation)
}
