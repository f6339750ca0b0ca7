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
	config.Register(Conv1D{}, Conv2D{}, Conv3D{})
}

// Conv1D slides a window over a sequence: Conv2D with one axis.
//
// Input shape: (None, steps, channels).
// Output shape: (None, steps', Filters), see Padding.
//
// Source: https://keras.io/api/layers/convolution_layers/convolution1d/
type Conv1D struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's length.
	KernelSize int
	// Strides is the window's step; 0 means 1.
	Strides int
	// Padding is Valid unless set; Causal looks back only.
	Padding Padding
	// DilationRate spreads the window; 0 means 1. It excludes Strides above 1.
	DilationRate int
	// Groups splits the channels into groups with filters of their own; 0 means 1.
	Groups int
	// Activation is act; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts the kernel, of shape [steps, channels/Groups,
	// Filters]; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts the bias, of shape [Filters]; nil is Zeros.
	BiasInitializer initializers.Initializer
	// What keeps weights and output small; nil is nothing.
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

// Build implements Layer.
func (l Conv1D) Build(in Shape) (Spec, error) { return l.conv().build(in) }

// Call implements Layer.
func (l Conv1D) Call(c *Context, x *tensor.Node) *tensor.Node { return l.conv().call(c, x) }

func (l Conv1D) conv() conv {
	return conv{
		l.Filters,
		[]int{l.KernelSize},
		[]int{l.Strides},
		[]int{l.DilationRate},
		l.Padding, l.Groups,
		l.Activation, l.NoBias, l.KernelInitializer, l.BiasInitializer,
		regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
	}
}

// Conv2D slides a window over an image. At each place, filter f is
//
//	y_ijf = act(Σ_klc w_klcf x_(i+k)(j+l)c + b_f)
//
// As in every framework this is the cross-correlation: the kernel is not flipped.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', Filters), see Padding.
//
// Source: https://keras.io/api/layers/convolution_layers/convolution2d/
type Conv2D struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's height and width.
	KernelSize [2]int
	// Strides is the window's step along height and width; 0 means 1.
	Strides [2]int
	// Padding is Valid unless set.
	Padding Padding
	// DilationRate spreads the window; 0 means 1. It excludes Strides above 1.
	DilationRate [2]int
	// Groups splits the channels into groups with filters of their own; 0 means 1.
	Groups int
	// Activation is act; nil is linear.
	Activation activations.Activation
	// NoBias leaves b out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts w, of shape [height, width, channels/Groups,
	// Filters]; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts b, of shape [Filters]; nil is Zeros.
	BiasInitializer initializers.Initializer
	// What keeps weights and output small; nil is nothing.
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

// Build implements Layer.
func (l Conv2D) Build(in Shape) (Spec, error) { return l.conv().build(in) }

// Call implements Layer.
func (l Conv2D) Call(c *Context, x *tensor.Node) *tensor.Node { return l.conv().call(c, x) }

func (l Conv2D) conv() conv {
	return conv{
		l.Filters, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding, l.Groups,
		l.Activation, l.NoBias, l.KernelInitializer, l.BiasInitializer,
		regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
	}
}

// Conv3D slides a window over a volume: Conv2D with one axis more.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, depth', height', width', Filters), see Padding.
//
// Source: https://keras.io/api/layers/convolution_layers/convolution3d/
type Conv3D struct {
	// Filters is the number of output channels.
	Filters int
	// KernelSize is the window's depth, height and width.
	KernelSize [3]int
	// Strides is the window's step along each axis; 0 means 1.
	Strides [3]int
	// Padding is Valid unless set.
	Padding Padding
	// DilationRate spreads the window; 0 means 1. It excludes Strides above 1.
	DilationRate [3]int
	// Groups splits the channels into groups with filters of their own; 0 means 1.
	Groups int
	// Activation is act; nil is linear.
	Activation activations.Activation
	// NoBias leaves the bias out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts the kernel, of shape [depth, height, width,
	// channels/Groups, Filters]; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts the bias, of shape [Filters]; nil is Zeros.
	BiasInitializer initializers.Initializer
	// What keeps weights and output small; nil is nothing.
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

// Build implements Layer.
func (l Conv3D) Build(in Shape) (Spec, error) { return l.conv().build(in) }

// Call implements Layer.
func (l Conv3D) Call(c *Context, x *tensor.Node) *tensor.Node { return l.conv().call(c, x) }

func (l Conv3D) conv() conv {
	return conv{
		l.Filters, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding, l.Groups,
		l.Activation, l.NoBias, l.KernelInitializer, l.BiasInitializer,
		regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
	}
}

// conv is what convolutions of all ranks have in common.
type conv struct {
	filters                 int
	size, strides, dilation []int
	padding                 Padding
	groups                  int
	activation              activations.Activation
	noBias                  bool
	kernel, bias            initializers.Initializer
	reg                     regularization
}

func (l conv) build(in Shape) (Spec, error) {
	n := len(l.size)
	strides, dilation, groups := ones(l.strides), ones(l.dilation), max(l.groups, 1)
	padding := l.padding.check
	if n == 1 && l.padding == Causal {
		padding = func() error { return nil }
	}
	err := checked(
		wantSpace(in, n),
		wantPositive("Filters", l.filters),
		wantPositive("KernelSize", l.size...),
		wantPositive("Strides", strides...),
		wantPositive("DilationRate", dilation...),
		padding(),
	)
	if err != nil {
		return Spec{}, err
	}
	if !ops.AllOnes(dilation) && !ops.AllOnes(strides) {
		return Spec{}, fmt.Errorf("expected Strides or DilationRate above 1, not both, got %s and %s", each(strides), each(dilation))
	}
	channels := in[n]
	if l.groups < 0 || channels%groups != 0 || l.filters%groups != 0 {
		return Spec{}, misfit(in, "expected Groups to divide the input's %d channels and the %d Filters, got %d", channels, l.filters, l.groups)
	}
	out, err := windowed("KernelSize", in, l.size, strides, dilation, l.padding)
	if err != nil {
		return Spec{}, err
	}
	shape := append(append([]int{}, l.size...), channels/groups, l.filters)
	return Spec{
		Output:  append(out, l.filters),
		Weights: l.reg.withBias([]Weight{l.reg.kernel("kernel", l.kernel, shape...)}, l.noBias, l.filters, l.bias),
	}, nil
}

func (l conv) call(c *Context, x *tensor.Node) *tensor.Node {
	kernel := c.Weight("kernel")
	bias := biasOf(c, l.noBias)
	if y := inferred(c, x, kernel, bias, l.strides, l.dilation, l.padding, l.groups); y != nil {
		return l.reg.activity(c, activate(c, l.activation, y))
	}
	rectified := l.activation == activations.ReLU
	pads := padsOf(x, l.size, l.strides, l.dilation, l.padding)
	y := ops.ConvolveBiased(x, kernel, bias, rectified, ones(l.strides), ones(l.dilation), pads, max(l.groups, 1))
	switch {
	case y == nil:
		y = convolve(x, kernel, l.strides, l.dilation, l.padding, l.groups)
		y = activate(c, l.activation, addBias(c, l.noBias, y))
	case !rectified:
		y = activate(c, l.activation, y)
	}
	return l.reg.activity(c, y)
}

// inferred is a convolution with a bias, which may be nil, that is not trained: what comes behind it may become part
// of it. It is nil in training, and where there are no kernels.
func inferred(c *Context, x, kernel, bias *tensor.Node, strides, dilation []int, padding Padding, groups int) *tensor.Node {
	if c.Training {
		return nil
	}
	return ops.ConvolveOpen(x, kernel, bias, ones(strides), ones(dilation), padsOf(x, kernel.Shape().Dimensions, strides, dilation, padding), max(groups, 1))
}

// convolve slides a kernel, [window…, channels/groups, filters], over x.
func convolve(x, kernel *tensor.Node, strides, dilation []int, padding Padding, groups int) *tensor.Node {
	return ops.Convolve(x, kernel, ones(strides), ones(dilation), padsOf(x, kernel.Shape().Dimensions, strides, dilation, padding), max(groups, 1))
}

// padsOf are the zeros before and behind each axis.
func padsOf(x *tensor.Node, window, strides, dilation []int, padding Padding) [][2]int {
	strides, dilation = ones(strides), ones(dilation)
	pads := make([][2]int, len(strides))
	for i := range pads {
		pads[i] = padding.amounts(x.Shape().Dimensions[1+i], (window[i]-1)*dilation[i]+1, strides[i])
	}
	return pads
}

// ONNX implements build.Layer.
func (l Conv1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.conv().onnx(g, c)
}

// ONNX implements build.Layer.
func (l Conv2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.conv().onnx(g, c)
}

// ONNX implements build.Layer.
func (l Conv3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.conv().onnx(g, c)
}
