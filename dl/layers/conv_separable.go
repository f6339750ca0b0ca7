package layers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(DepthwiseConv2D{}, SeparableConv1D{}, SeparableConv2D{})
}

// DepthwiseConv2D convolves each channel for itself, with DepthMultiplier filters.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', channels·DepthMultiplier), see Padding.
//
// Source: https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/
type DepthwiseConv2D struct {
	// KernelSize is the window's height and width.
	KernelSize [2]int
	// Strides is the window's step; 0 means 1.
	Strides [2]int
	// Padding is Valid unless set.
	Padding Padding
	// DepthMultiplier is the number of filters of each channel; 0 means 1.
	DepthMultiplier int
	// DilationRate spreads the window; 0 means 1. It excludes Strides above 1.
	DilationRate [2]int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// DepthwiseInitializer starts the kernel, of shape [height, width, channels,
	// DepthMultiplier]; nil is GlorotUniform.
	DepthwiseInitializer initializers.Initializer
	// BiasInitializer starts the bias; nil is Zeros.
	BiasInitializer                                            initializers.Initializer
	DepthwiseRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	DepthwiseConstraint, BiasConstraint                        constraints.Constraint
	Name                                                       string
}

func (l DepthwiseConv2D) reg() regularization {
	return regularization{l.DepthwiseRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.DepthwiseConstraint, l.BiasConstraint}
}

// Build implements Layer.
func (l DepthwiseConv2D) Build(in Shape) (Spec, error) {
	out, err := depthwise(in, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding, l.DepthMultiplier)
	if err != nil {
		return Spec{}, err
	}
	kernel := l.reg().kernel("kernel", l.DepthwiseInitializer, l.KernelSize[0], l.KernelSize[1], in[2], max(l.DepthMultiplier, 1))
	return Spec{Output: out, Weights: l.reg().withBias([]Weight{kernel}, l.NoBias, out[2], l.BiasInitializer)}, nil
}

// Call implements Layer.
func (l DepthwiseConv2D) Call(c *Context, x *tensor.Node) *tensor.Node {
	kernel := grouped(c.Weight("kernel"))
	bias := biasOf(c, l.NoBias)
	y := inferred(c, x, kernel, bias, l.Strides[:], l.DilationRate[:], l.Padding, x.Shape().Dimensions[3])
	if y == nil {
		y = addBias(c, l.NoBias, convolve(x, kernel, l.Strides[:], l.DilationRate[:], l.Padding, x.Shape().Dimensions[3]))
	}
	return l.reg().activity(c, activate(c, l.Activation, y))
}

// depthwise checks a convolution of each channel, and returns its output's shape.
func depthwise(in Shape, size, strides, dilation []int, p Padding, multiplier int) (Shape, error) {
	n := len(size)
	strides, dilation = ones(strides), ones(dilation)
	err := checked(
		wantSpace(in, n),
		wantPositive("KernelSize", size...),
		wantPositive("Strides", strides...),
		wantPositive("DilationRate", dilation...),
		wantPositive("DepthMultiplier", orInt(multiplier, 1)),
		p.check(),
	)
	if err != nil {
		return nil, err
	}
	if !ops.AllOnes(dilation) && !ops.AllOnes(strides) {
		return nil, fmt.Errorf("expected Strides or DilationRate above 1, not both, got %s and %s", each(strides), each(dilation))
	}
	out, err := windowed("KernelSize", in, size, strides, dilation, p)
	if err != nil {
		return nil, err
	}
	return append(out, in[n]*max(multiplier, 1)), nil
}

// convolveDepthwise convolves with a kernel of shape [window…, channels, multiplier].
func convolveDepthwise(x, kernel *tensor.Node, strides, dilation []int, p Padding) *tensor.Node {
	return convolve(x, grouped(kernel), strides, dilation, p, x.Shape().Dimensions[x.Rank()-1])
}

// grouped is a kernel of shape [window…, channels, multiplier] for as many groups as there are channels.
func grouped(kernel *tensor.Node) *tensor.Node {
	d := kernel.Shape().Dimensions
	n := len(d) - 2
	return graph.Reshape(kernel, append(append([]int{}, d[:n]...), 1, d[n]*d[n+1])...)
}

// SeparableConv2D is a DepthwiseConv2D followed by a convolution with a window of
// 1×1, which needs fewer weights than a Conv2D.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', Filters), see Padding.
//
// Source: https://keras.io/api/layers/convolution_layers/separable_convolution2d/
type SeparableConv2D struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's height and width.
	KernelSize [2]int
	// Strides is the window's step; 0 means 1.
	Strides [2]int
	// Padding is Valid unless set.
	Padding Padding
	// DilationRate spreads the window; 0 means 1. It excludes Strides above 1.
	DilationRate [2]int
	// DepthMultiplier is the number of filters of each channel in the first
	// part; 0 means 1.
	DepthMultiplier int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// The initializers start the kernels, of shapes [height, width, channels,
	// DepthMultiplier] and [1, 1, channels·DepthMultiplier, Filters], and the
	// bias; nil is GlorotUniform and Zeros.
	DepthwiseInitializer, PointwiseInitializer, BiasInitializer initializers.Initializer
	DepthwiseRegularizer, PointwiseRegularizer, BiasRegularizer regularizers.Regularizer
	ActivityRegularizer                                         regularizers.Regularizer
	DepthwiseConstraint, PointwiseConstraint, BiasConstraint    constraints.Constraint
	Name                                                        string
}

// Build implements Layer.
func (l SeparableConv2D) Build(in Shape) (Spec, error) {
	return l.separable().build(in)
}

// Call implements Layer.
func (l SeparableConv2D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.separable().call(c, x)
}

func (l SeparableConv2D) separable() separable {
	return separable{
		l.Filters, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding, l.DepthMultiplier, l.Activation, l.NoBias,
		l.DepthwiseInitializer, l.PointwiseInitializer, l.BiasInitializer,
		regularization{kernelRegularizer: l.DepthwiseRegularizer, kernelConstraint: l.DepthwiseConstraint},
		regularization{l.PointwiseRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.PointwiseConstraint, l.BiasConstraint},
	}
}

// SeparableConv1D is SeparableConv2D with one axis.
//
// Input shape: (None, steps, channels). Output shape: (None, steps', Filters).
//
// Source: https://keras.io/api/layers/convolution_layers/separable_convolution1d/
type SeparableConv1D struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's length.
	KernelSize int
	// Strides is the window's step; 0 means 1.
	Strides int
	// Padding is Valid unless set.
	Padding Padding
	// DilationRate spreads the window; 0 means 1. It excludes Strides above 1.
	DilationRate int
	// DepthMultiplier is the number of filters of each channel in the first
	// part; 0 means 1.
	DepthMultiplier int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// The initializers start the kernels and the bias; nil is GlorotUniform and
	// Zeros.
	DepthwiseInitializer, PointwiseInitializer, BiasInitializer initializers.Initializer
	DepthwiseRegularizer, PointwiseRegularizer, BiasRegularizer regularizers.Regularizer
	ActivityRegularizer                                         regularizers.Regularizer
	DepthwiseConstraint, PointwiseConstraint, BiasConstraint    constraints.Constraint
	Name                                                        string
}

// Build implements Layer.
func (l SeparableConv1D) Build(in Shape) (Spec, error) { return l.separable().build(in) }

// Call implements Layer.
func (l SeparableConv1D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.separable().call(c, x)
}

func (l SeparableConv1D) separable() separable {
	return separable{
		l.Filters,
		[]int{l.KernelSize},
		[]int{l.Strides},
		[]int{l.DilationRate},
		l.Padding, l.DepthMultiplier, l.Activation, l.NoBias,
		l.DepthwiseInitializer, l.PointwiseInitializer, l.BiasInitializer,
		regularization{kernelRegularizer: l.DepthwiseRegularizer, kernelConstraint: l.DepthwiseConstraint},
		regularization{l.PointwiseRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.PointwiseConstraint, l.BiasConstraint},
	}
}

type separable struct {
	filters                    int
	size, strides, dilation    []int
	padding                    Padding
	multiplier                 int
	activation                 activations.Activation
	noBias                     bool
	depthwise, pointwise, bias initializers.Initializer
	depthwiseReg, reg          regularization
}

func (l separable) build(in Shape) (Spec, error) {
	if err := wantPositive("Filters", l.filters); err != nil {
		return Spec{}, err
	}
	middle, err := depthwise(in, l.size, l.strides, l.dilation, l.padding, l.multiplier)
	if err != nil {
		return Spec{}, err
	}
	n := len(l.size)
	depth := append(append([]int{}, l.size...), in[n], max(l.multiplier, 1))
	point := append(ones(make([]int, n)), middle[n], l.filters)
	weights := []Weight{
		l.depthwiseReg.kernel("depthwise_kernel", l.depthwise, depth...),
		l.reg.kernel("pointwise_kernel", l.pointwise, point...),
	}
	return Spec{
		Output:  append(append(Shape{}, middle[:n]...), l.filters),
		Weights: l.reg.withBias(weights, l.noBias, l.filters, l.bias),
	}, nil
}

func (l separable) call(c *Context, x *tensor.Node) *tensor.Node {
	y := convolveDepthwise(x, c.Weight("depthwise_kernel"), l.strides, l.dilation, l.padding)
	point := c.Weight("pointwise_kernel")
	d := point.Shape().Dimensions
	y = matMul(y, graph.Reshape(point, d[len(d)-2], d[len(d)-1]))
	return l.reg.activity(c, activate(c, l.activation, addBias(c, l.noBias, y)))
}

// orInt is v, or def where v is 0.
func orInt(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// ONNX implements build.Layer.
func (l DepthwiseConv2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	c.Weights = append([]build.Array{onnxDepthwise(c.Weights[0])}, c.Weights[1:]...)
	return onnxActivated(g, onnxConv(g, c, l.Strides[:], l.DilationRate[:], l.Padding, c.Shapes[0][2]), l.Activation)
}

// ONNX implements build.Layer.
func (l SeparableConv2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, onnxSeparable(g, c, l.Strides[:], l.DilationRate[:], l.Padding), l.Activation)
}

// ONNX implements build.Layer.
func (l SeparableConv1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, onnxSeparable(g, c, []int{l.Strides}, []int{l.DilationRate}, l.Padding), l.Activation)
}
