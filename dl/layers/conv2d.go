package layers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/initializers"
)

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
	NoBias bool
	// KernelInitializer starts w, of shape [height, width, channels/Groups,
	// Filters]; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts b, of shape [Filters]; nil is Zeros.
	BiasInitializer initializers.Initializer
	Name            string
}

// Build implements Layer.
func (l Conv2D) Build(in Shape) (Spec, error) {
	strides, dilation, groups := orOnes(l.Strides), orOnes(l.DilationRate), max(l.Groups, 1)
	for _, err := range []error{
		wantRank(in, "height", "width", "channels"),
		wantPositive("Filters", l.Filters),
		wantPositive("KernelSize", l.KernelSize[:]...),
		wantPositive("Strides", strides[:]...),
		wantPositive("DilationRate", dilation[:]...),
		l.Padding.check(),
	} {
		if err != nil {
			return Spec{}, err
		}
	}
	if dilation != [2]int{1, 1} && strides != [2]int{1, 1} {
		return Spec{}, fmt.Errorf("expected Strides or DilationRate above 1, not both, got %v and %v", strides, dilation)
	}
	channels := in[2]
	if l.Groups < 0 || channels%groups != 0 || l.Filters%groups != 0 {
		return Spec{}, fmt.Errorf("expected Groups to divide the input's %d channels and the %d Filters, got %d", channels, l.Filters, l.Groups)
	}
	out := Shape{0, 0, l.Filters}
	for i := range 2 {
		window := (l.KernelSize[i]-1)*dilation[i] + 1
		var err error
		if out[i], err = l.Padding.outputSize(in[i], window, strides[i]); err != nil {
			return Spec{}, fmt.Errorf("KernelSize %v does not fit into input %v: %w", l.KernelSize, in, err)
		}
	}
	weights := []Weight{{
		Name: "kernel", Shape: Shape{l.KernelSize[0], l.KernelSize[1], channels / groups, l.Filters},
		Initializer: orInitializer(l.KernelInitializer, initializers.GlorotUniform{}),
	}}
	return Spec{Output: out, Weights: withBias(weights, l.NoBias, l.Filters, l.BiasInitializer)}, nil
}

// Call implements Layer.
func (l Conv2D) Call(c *Context, x *graph.Node) *graph.Node {
	strides, dilation := orOnes(l.Strides), orOnes(l.DilationRate)
	kernel := c.Weight("kernel")
	pads := make([][2]int, 2)
	for i := range pads {
		size := x.Shape().Dimensions[1+i]
		pads[i] = l.Padding.amounts(size, (l.KernelSize[i]-1)*dilation[i]+1, strides[i])
		if l.KernelSize[i]%2 == 0 {
			// GoMLX 0.28.2 takes the gradient of a window of even size by the
			// wrong places. One more row, of zeros, makes the window odd; it
			// reaches that much further.
			kernel = pad(kernel, i, [2]int{0, 1}, 0)
			pads[i][1] += dilation[i]
		}
	}
	conv := graph.Convolve(x, kernel).StridePerAxis(strides[:]...).PaddingPerDim(pads)
	if dilation != [2]int{1, 1} {
		conv = conv.DilationPerAxis(dilation[:]...)
	}
	if l.Groups > 1 {
		conv = conv.ChannelGroupCount(l.Groups)
	}
	return activate(c, l.Activation, addBias(c, l.NoBias, conv.Done()))
}
