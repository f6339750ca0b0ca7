package layers

import (
	"fmt"

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
	config.Register(Conv1DTranspose{}, Conv2DTranspose{})
}

// Conv2DTranspose goes the way of Conv2D's gradient: it spreads each value over a
// window, and so makes images larger.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', Filters), where with Same height' =
// height·stride, and with Valid height' = height·stride + max(window − stride, 0).
//
// Source: https://keras.io/api/layers/convolution_layers/convolution2d_transpose/
type Conv2DTranspose struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's height and width.
	KernelSize [2]int
	// Strides is the distance of two windows; 0 means 1.
	Strides [2]int
	// Padding is Valid unless set.
	Padding Padding
	// DilationRate spreads the window; 0 means 1.
	DilationRate [2]int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts the kernel, of shape [height, width, Filters,
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
func (l Conv2DTranspose) Build(in Shape) (Spec, error) {
	return l.transpose().build(in)
}

// Call implements Layer.
func (l Conv2DTranspose) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.transpose().call(c, x)
}

func (l Conv2DTranspose) transpose() convTranspose {
	return convTranspose{
		l.Filters, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding,
		l.Activation, l.NoBias, l.KernelInitializer, l.BiasInitializer,
		regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
	}
}

// Conv1DTranspose is Conv2DTranspose with one axis.
//
// Input shape: (None, steps, channels). Output shape: (None, steps', Filters).
//
// Source: https://keras.io/api/layers/convolution_layers/convolution1d_transpose/
type Conv1DTranspose struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's length.
	KernelSize int
	// Strides is the distance of two windows; 0 means 1.
	Strides int
	// Padding is Valid unless set.
	Padding Padding
	// DilationRate spreads the window; 0 means 1.
	DilationRate int
	// Activation is applied to the sums; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts the kernel, of shape [steps, Filters,
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
func (l Conv1DTranspose) Build(in Shape) (Spec, error) { return l.transpose().build(in) }

// Call implements Layer.
func (l Conv1DTranspose) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.transpose().call(c, x)
}

func (l Conv1DTranspose) transpose() convTranspose {
	return convTranspose{
		l.Filters,
		[]int{l.KernelSize},
		[]int{l.Strides},
		[]int{l.DilationRate},
		l.Padding,
		l.Activation, l.NoBias, l.KernelInitializer, l.BiasInitializer,
		regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
	}
}

type convTranspose struct {
	filters                 int
	size, strides, dilation []int
	padding                 Padding
	activation              activations.Activation
	noBias                  bool
	kernel, bias            initializers.Initializer
	reg                     regularization
}

func (l convTranspose) build(in Shape) (Spec, error) {
	n := len(l.size)
	strides, dilation := ones(l.strides), ones(l.dilation)
	err := checked(
		wantSpace(in, n),
		wantPositive("Filters", l.filters),
		wantPositive("KernelSize", l.size...),
		wantPositive("Strides", strides...),
		wantPositive("DilationRate", dilation...),
		l.padding.check(),
	)
	if err != nil {
		return Spec{}, err
	}
	if !ops.AllOnes(dilation) && !ops.AllOnes(strides) {
		return Spec{}, fmt.Errorf("expected Strides or DilationRate above 1, not both, got %s and %s", each(strides), each(dilation))
	}
	shape := append(append([]int{}, l.size...), l.filters, in[n])
	return Spec{
		Output:  append(l.space(in), l.filters),
		Weights: l.reg.withBias([]Weight{l.reg.kernel("kernel", l.kernel, shape...)}, l.noBias, l.filters, l.bias),
	}, nil
}

// space is the output's shape, but for the channels.
func (l convTranspose) space(in []int) Shape {
	strides, dilation := ones(l.strides), ones(l.dilation)
	out := make(Shape, len(l.size))
	for i := range out {
		window := (l.size[i]-1)*dilation[i] + 1
		out[i] = in[i] * strides[i]
		if l.padding == Valid {
			out[i] += max(window-strides[i], 0)
		}
	}
	return out
}

func (l convTranspose) call(c *Context, x *tensor.Node) *tensor.Node {
	n := len(l.size)
	strides, dilation := ones(l.strides), ones(l.dilation)
	out := l.space(x.Shape().Dimensions[1:])
	before := make([]int, n) // what the convolution that goes the other way would pad
	for i := range before {
		if l.padding == Same {
			before[i] = max((l.size[i]-1)*dilation[i]+1-strides[i], 0) / 2
		}
	}
	y := ops.Transposed(x, c.Weight("kernel"), strides, dilation, before, out)
	return l.reg.activity(c, activate(c, l.activation, addBias(c, l.noBias, y)))
}

// ONNX implements build.Layer.
func (l Conv2DTranspose) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, onnxConvTranspose(g, c, l.Strides[:], l.DilationRate[:], l.Padding), l.Activation)
}

// ONNX implements build.Layer.
func (l Conv1DTranspose) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, onnxConvTranspose(g, c, []int{l.Strides}, []int{l.DilationRate}, l.Padding), l.Activation)
}
