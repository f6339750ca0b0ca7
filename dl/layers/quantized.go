package layers

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/native"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(QuantizedDense{}, QuantizedConv1D{}, QuantizedConv2D{})
}

// steps are how a quantized layer takes its input.
type steps struct {
	scale float64
	zero  int
}

func (s steps) check() error {
	if f := float32(s.scale); !(f > 0) || math.IsInf(float64(f), 0) || math.IsInf(float64(1/f), 0) {
		return fmt.Errorf("expected a positive InputScale, got %v: dl.Quantize finds it from data", s.scale)
	}
	if s.zero < 0 || s.zero > 255 {
		return fmt.Errorf("expected InputZero from 0 to 255, got %d", s.zero)
	}
	return nil
}

// QuantizedDense is a Dense whose weights are whole numbers of 8 bits, and which takes its input in whole
// numbers: a quarter of the memory, and several times as fast. dl.Quantize makes it. It cannot be trained.
//
// Its weights are kernel, int8 [n, Units]; kernel_scale, float32 [Units], by which a unit's whole numbers are
// multiplied; and bias, float32 [Units].
//
// Input shape: (None, …, n). Output shape: (None, …, Units).
//
// Source: https://keras.io/api/layers/core_layers/dense/
type QuantizedDense struct {
	// Units is the number of outputs.
	Units int
	// Activation is f; nil is linear.
	Activation activations.Activation
	// NoBias leaves b out.
	NoBias bool `keras:"use_bias,not"`
	// InputScale and InputZero say how the layer takes its input x, in whole numbers q from 0 to 255: x is about
	// (q − InputZero) · InputScale, and what is outside is the nearest that there is. dl.Quantize
	// finds them from data.
	InputScale float64
	InputZero  int
	Name       string
}

// Build implements Layer.
func (l QuantizedDense) Build(in Shape) (Spec, error) {
	spec, err := Dense{Units: l.Units, NoBias: l.NoBias}.Build(in)
	if err != nil {
		return spec, err
	}
	return l.quantized().spec(spec)
}

// Call implements Layer.
func (l QuantizedDense) Call(c *Context, x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	n := d[len(d)-1]
	return l.quantized().call(c, graph.Reshape(x, 1, x.Shape().Size()/n, n), append(slices.Clone(d[:len(d)-1]), l.Units)...)
}

func (l QuantizedDense) quantized() quantized {
	return quantized{conv{filters: l.Units, size: []int{1}, strides: []int{1}, dilation: []int{1}, activation: l.Activation, noBias: l.NoBias}, steps{l.InputScale, l.InputZero}}
}

// QuantizedConv1D is a Conv1D whose weights are whole numbers of 8 bits, as QuantizedDense is a Dense. Its
// kernel is int8 [steps, channels, Filters].
//
// Source: https://keras.io/api/layers/convolution_layers/convolution1d/
type QuantizedConv1D struct {
	// What these are, Conv1D says.
	Filters, KernelSize, Strides int
	Padding                      Padding
	DilationRate                 int
	Activation                   activations.Activation
	NoBias                       bool `keras:"use_bias,not"`
	// What these are, QuantizedDense says.
	InputScale float64
	InputZero  int
	Name       string
}

// Build implements Layer.
func (l QuantizedConv1D) Build(in Shape) (Spec, error) { return l.quantized().build(in) }

// Call implements Layer.
func (l QuantizedConv1D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.quantized().call(c, x)
}

func (l QuantizedConv1D) quantized() quantized {
	return quantized{conv{
		filters: l.Filters, size: []int{l.KernelSize}, strides: []int{l.Strides}, dilation: []int{l.DilationRate}, padding: l.Padding,
		activation: l.Activation, noBias: l.NoBias,
	}, steps{l.InputScale, l.InputZero}}
}

// QuantizedConv2D is a Conv2D whose weights are whole numbers of 8 bits, as QuantizedDense is a Dense. Its
// kernel is int8 [height, width, channels, Filters].
//
// Source: https://keras.io/api/layers/convolution_layers/convolution2d/
type QuantizedConv2D struct {
	// What these are, Conv2D says.
	Filters      int
	KernelSize   [2]int
	Strides      [2]int
	Padding      Padding
	DilationRate [2]int
	Activation   activations.Activation
	NoBias       bool `keras:"use_bias,not"`
	// What these are, QuantizedDense says.
	InputScale float64
	InputZero  int
	Name       string
}

// Build implements Layer.
func (l QuantizedConv2D) Build(in Shape) (Spec, error) { return l.quantized().build(in) }

// Call implements Layer.
func (l QuantizedConv2D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.quantized().call(c, x)
}

func (l QuantizedConv2D) quantized() quantized {
	return quantized{conv{
		filters: l.Filters, size: l.KernelSize[:], strides: l.Strides[:], dilation: l.DilationRate[:], padding: l.Padding,
		activation: l.Activation, noBias: l.NoBias,
	}, steps{l.InputScale, l.InputZero}}
}

// quantized is what quantized layers of all kinds have in common; a dense layer is a convolution of rows with
// a window of one place.
type quantized struct {
	conv
	by steps
}

func (l quantized) build(in Shape) (Spec, error) {
	spec, err := l.conv.build(in)
	if err != nil {
		return spec, err
	}
	return l.spec(spec)
}

// spec has the weights of the layer in place of those that spec has.
func (l quantized) spec(spec Spec) (Spec, error) {
	if err := l.by.check(); err != nil {
		return Spec{}, err
	}
	shape := spec.Weights[0].Shape
	if n := shape.Size() / shape[len(shape)-1]; n > native.MostProducts {
		return Spec{}, fmt.Errorf("expected at most %d products for each number of the result, whose sum fits into 32 bits, got %d", native.MostProducts, n)
	}
	q := l.operation(shape, nil)
	_, length := q.Runs()
	weights := []Weight{
		{Name: "kernel", Shape: shape, Initializer: initializers.Zeros{}, NonTrainable: true, Run: length},
		{Name: "kernel_scale", Shape: Shape{l.filters}, Initializer: initializers.Ones{}, NonTrainable: true},
	}
	for _, w := range spec.Weights[1:] {
		w.NonTrainable = true
		weights = append(weights, w)
	}
	spec.Weights = weights
	return spec, nil
}

// operation is the convolution with a kernel of a shape, [n, units] or [window…, channels, filters].
func (l quantized) operation(kernel Shape, pads [][2]int) ops.Quantized {
	if len(kernel) == 2 {
		kernel = append(Shape{1}, kernel...)
	}
	return ops.Quantized{
		Kernel: kernel, Strides: ones(l.strides), Dilation: ones(l.dilation), Pads: pads,
		Scale: float32(l.by.scale), Zero: l.by.zero,
	}
}

// call returns a result of other dimensions, if there are any.
func (l quantized) call(c *Context, x *tensor.Node, dims ...int) *tensor.Node {
	d := x.Shape().Dimensions
	kernel := append(slices.Clone(l.size), d[len(d)-1], l.filters)
	w := c.Variable("kernel")
	if c.Training || !l.operation(kernel, nil).Takes(w) { // as what looks for gradients gives weights
		panic(errors.New("a quantized layer cannot be trained, and has no gradient: train the model that it was made of, and quantize that again"))
	}
	var bias *tensor.Node
	if !l.noBias {
		bias = c.Variable("bias")
	}
	q := l.operation(kernel, padsOf(x, l.size, l.strides, l.dilation, l.padding))
	return activateAs(c, l.activation, q.Apply(x, w, c.Variable("kernel_scale"), bias), dims...)
}

// onnxInput is the input as the layer takes it: rounded, and floats again.
func (l quantized) onnxInput(g *build.Graph, x string) string {
	by := []string{g.Scalar(l.by.scale), g.Uint8(uint8(l.by.zero))}
	return g.Op("DequantizeLinear", append([]string{g.Op("QuantizeLinear", append([]string{x}, by...))}, by...))
}

func (l quantized) onnx(g *build.Graph, c build.Call) ([]string, error) {
	c.In = []string{l.onnxInput(g, c.In[0])}
	kernel := func(axes ...int) string {
		return g.Op("DequantizeLinear", []string{g.Int8s(c.Weights[0].Permuted(axes...)), g.Array(c.Weights[1])}, build.Attr{Name: "axis", Value: 0})
	}
	return onnxActivated(g, onnxConvBy(g, c, kernel, c.Weights[2:], l.strides, l.dilation, l.padding, 1), l.activation)
}

// ONNX implements build.Layer.
func (l QuantizedDense) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	kernel := g.Op("DequantizeLinear", []string{g.Int8s(c.Weights[0]), g.Array(c.Weights[1])}, build.Attr{Name: "axis", Value: 1})
	y := g.Op("MatMul", []string{l.quantized().onnxInput(g, c.In[0]), kernel})
	return onnxActivated(g, onnxBias(g, y, c.Weights[2:]), l.Activation)
}

// ONNX implements build.Layer.
func (l QuantizedConv1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.quantized().onnx(g, c)
}

// ONNX implements build.Layer.
func (l QuantizedConv2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.quantized().onnx(g, c)
}
