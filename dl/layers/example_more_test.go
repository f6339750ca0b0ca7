package layers_test

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
)

// shape prints what a layer makes of the shape of one example, and how many weights it
// needs for that.
func shape(layer layers.Layer, in ...int) {
	model, err := dl.Sequential(layers.Input{Shape: in}, layer)
	if err != nil {
		fmt.Println(err)
		return
	}
	weights, err := model.Weights()
	if err != nil {
		panic(err)
	}
	n := 0
	for _, w := range weights {
		n += w.Size()
	}
	fmt.Println(model.OutputShape(), n)
}

func ExampleConv1D() {
	shape(layers.Conv1D{Filters: 8, KernelSize: 3, Padding: layers.Causal}, 100, 4)
	// Output: (None, 100, 8) 104
}

func ExampleConv3D() {
	shape(layers.Conv3D{Filters: 8, KernelSize: [3]int{3, 3, 3}}, 16, 16, 16, 1)
	// Output: (None, 14, 14, 14, 8) 224
}

func ExampleConv2DTranspose() {
	shape(layers.Conv2DTranspose{Filters: 8, KernelSize: [2]int{3, 3}, Strides: [2]int{2, 2}, Padding: layers.Same}, 7, 7, 16)
	// Output: (None, 14, 14, 8) 1160
}

func ExampleConv1DTranspose() {
	shape(layers.Conv1DTranspose{Filters: 2, KernelSize: 4, Strides: 2}, 5, 3)
	// Output: (None, 12, 2) 26
}

func ExampleDepthwiseConv2D() {
	shape(layers.DepthwiseConv2D{KernelSize: [2]int{3, 3}, DepthMultiplier: 2}, 8, 8, 3)
	// Output: (None, 6, 6, 6) 60
}

func ExampleSeparableConv2D() {
	// A Conv2D would need 9·32·64 + 64 weights.
	shape(layers.SeparableConv2D{Filters: 64, KernelSize: [2]int{3, 3}}, 8, 8, 32)
	// Output: (None, 6, 6, 64) 2400
}

func ExampleSeparableConv1D() {
	shape(layers.SeparableConv1D{Filters: 4, KernelSize: 3}, 10, 2)
	// Output: (None, 8, 4) 18
}

func ExampleMaxPooling1D() {
	output(layers.MaxPooling1D{}, [][][]float32{{{1}, {3}, {2}, {0}}})
	// Output: [[[3] [2]]]
}

func ExampleMaxPooling3D() {
	shape(layers.MaxPooling3D{}, 8, 8, 8, 2)
	// Output: (None, 4, 4, 4, 2) 0
}

func ExampleAveragePooling1D() {
	output(layers.AveragePooling1D{PoolSize: 2, Strides: 1}, [][][]float32{{{1}, {3}, {2}}})
	// Output: [[[2] [2.5]]]
}

func ExampleAveragePooling3D() {
	shape(layers.AveragePooling3D{PoolSize: [3]int{2, 4, 4}}, 8, 8, 8, 2)
	// Output: (None, 4, 2, 2, 2) 0
}

func ExampleGlobalAveragePooling2D() {
	output(layers.GlobalAveragePooling2D{}, [][][][]float32{{{{1}, {2}}, {{3}, {4}}}})
	// Output: [[2.5]]
}

func ExampleGlobalMaxPooling1D() {
	output(layers.GlobalMaxPooling1D{}, [][][]float32{{{1, 5}, {3, 2}}})
	// Output: [[3 5]]
}

func ExampleUpSampling2D() {
	output(layers.UpSampling2D{Size: [2]int{1, 2}}, [][][][]float32{{{{1}, {2}}}})
	// Output: [[[[1] [1] [2] [2]]]]
}

func ExampleResizing() {
	output(layers.Resizing{Height: 1, Width: 4}, [][][][]float32{{{{0}, {4}}}})
	// Output: [[[[0] [1] [3] [4]]]]
}

func ExampleZeroPadding1D() {
	output(layers.ZeroPadding1D{Padding: [2]int{1, 0}}, [][][]float32{{{1}, {2}}})
	// Output: [[[0] [1] [2]]]
}

func ExampleCropping1D() {
	output(layers.Cropping1D{Cropping: [2]int{1, 1}}, [][][]float32{{{1}, {2}, {3}}})
	// Output: [[[2]]]
}

func ExampleReshape() {
	output(layers.Reshape{TargetShape: []int{2, -1}}, [][]float32{{1, 2, 3, 4}})
	// Output: [[[1 2] [3 4]]]
}

func ExamplePermute() {
	output(layers.Permute{Dims: []int{2, 1}}, [][][]float32{{{1, 2}, {3, 4}}})
	// Output: [[[1 3] [2 4]]]
}

func ExampleRepeatVector() {
	output(layers.RepeatVector{N: 2}, [][]float32{{1, 2}})
	// Output: [[[1 2] [1 2]]]
}

func ExampleEmbedding() {
	// Three words, each a vector of two numbers.
	shape(layers.Embedding{InputDim: 3, OutputDim: 2, MaskZero: true}, 10)
	// Output: (None, 10, 2) 6
}

func ExampleMasking() {
	output(layers.Masking{MaskValue: -1}, [][][]float32{{{1, 2}, {-1, -1}}})
	// Output: [[[1 2] [0 0]]]
}

func ExampleSimpleRNN() {
	// h₁ = 1, h₂ = 2 + h₁, h₃ = 3 + h₂
	output(layers.SimpleRNN{
		Units: 1, Activation: activations.Linear, ReturnSequences: true,
		KernelInitializer: initializers.Ones{}, RecurrentInitializer: initializers.Ones{},
	}, [][][]float32{{{1}, {2}, {3}}})
	// Output: [[[1] [3] [6]]]
}

func ExampleLSTM() {
	shape(layers.LSTM{Units: 128}, 28, 28)
	// Output: (None, 128) 80384
}

func ExampleGRU() {
	shape(layers.GRU{Units: 128, ReturnSequences: true}, 28, 28)
	// Output: (None, 28, 128) 60672
}

func ExampleBidirectional() {
	shape(layers.Bidirectional{Layer: layers.LSTM{Units: 16, ReturnSequences: true}}, 28, 28)
	// Output: (None, 28, 32) 5760
}

func ExampleTimeDistributed() {
	shape(layers.TimeDistributed{Layer: layers.Dense{Units: 4}}, 10, 8)
	// Output: (None, 10, 4) 36
}

func ExampleMultiHeadAttention() {
	// Of a single input: each step looks at all others.
	shape(layers.MultiHeadAttention{NumHeads: 2, KeyDim: 8}, 10, 16)
	// Output: (None, 10, 16) 1088
}

func ExampleBatchNormalization() {
	shape(layers.BatchNormalization{}, 8, 8, 32)
	// Output: (None, 8, 8, 32) 128
}

func ExampleLayerNormalization() {
	output(layers.LayerNormalization{Epsilon: 1e-9}, [][]float32{{1, 3}})
	// Output: [[-1 1]]
}

func ExampleGroupNormalization() {
	shape(layers.GroupNormalization{Groups: 4}, 8, 8, 32)
	// Output: (None, 8, 8, 32) 64
}

func ExampleRMSNormalization() {
	shape(layers.RMSNormalization{}, 2)
	// Output: (None, 2) 2
}

func ExampleUnitNormalization() {
	output(layers.UnitNormalization{}, [][]float32{{3, 4}})
	// Output: [[0.6 0.8]]
}

func ExampleSpatialDropout1D() { // whole channels, while training
	output(layers.SpatialDropout1D{Rate: 0.5}, [][][]float32{{{1, 2}}})
	// Output: [[[1 2]]]
}

func ExampleGaussianNoise() { // while training
	output(layers.GaussianNoise{Stddev: 0.1}, [][]float32{{1, 2}})
	// Output: [[1 2]]
}

func ExampleAdd() {
	// A skip connection.
	x := dl.Input(layers.Shape{4})
	y := x.Then(layers.Dense{Units: 4, Activation: activations.ReLU}, layers.Dense{Units: 4})
	fmt.Println(dl.Apply(layers.Add{}, x, y).Shape())
	// Output: (None, 4)
}

func ExampleConcatenate() {
	a, b := dl.Input(layers.Shape{4}), dl.Input(layers.Shape{3})
	fmt.Println(dl.Apply(layers.Concatenate{}, a, b).Shape())
	// Output: (None, 7)
}

func ExampleDot() {
	a, b := dl.Input(layers.Shape{4}), dl.Input(layers.Shape{4})
	fmt.Println(dl.Apply(layers.Dot{Axes: [2]int{1, 1}, Normalize: true}, a, b).Shape())
	// Output: (None, 1)
}

func ExampleMultiply() {
	a, b := dl.Input(layers.Shape{4}), dl.Input(layers.Shape{4})
	fmt.Println(dl.Apply(layers.Multiply{}, a, b.Then(layers.Softmax{})).Shape())
	// Output: (None, 4)
}

func ExampleLeakyReLU() {
	output(layers.LeakyReLU{NegativeSlope: 0.5}, [][]float32{{-2, 2}})
	// Output: [[-1 2]]
}

func ExamplePReLU() {
	shape(layers.PReLU{SharedAxes: []int{1, 2}}, 8, 8, 3)
	// Output: (None, 8, 8, 3) 3
}

func ExampleELU() {
	output(layers.ELU{}, [][]float32{{0, 2}})
	// Output: [[0 2]]
}

func ExampleReLU() {
	output(layers.ReLU{MaxValue: 6}, [][]float32{{-1, 3, 9}})
	// Output: [[0 3 6]]
}

func ExampleSoftmax() {
	output(layers.Softmax{}, [][]float32{{1, 1}})
	// Output: [[0.5 0.5]]
}

func ExampleRescaling() {
	output(layers.Rescaling{Scale: 2, Offset: -1}, [][]float32{{0, 0.5, 1}})
	// Output: [[-1 0 1]]
}

func ExampleNormalization() {
	n := layers.Normalization{}
	if err := n.Adapt([][]float32{{1, 10}, {3, 30}}); err != nil {
		panic(err)
	}
	output(n, [][]float32{{1, 30}})
	// Output: [[-1 1]]
}

func ExampleCategoryEncoding() {
	output(layers.CategoryEncoding{NumTokens: 4, OutputMode: "count"}, [][]int32{{1, 3, 1}})
	// Output: [[0 2 0 1]]
}

func ExampleDiscretization() {
	output(layers.Discretization{BinBoundaries: []float64{0, 10}}, [][]float32{{-5, 3, 10}})
	// Output: [[0 1 2]]
}

func ExampleRandomFlip() { // while training
	shape(layers.RandomFlip{Mode: "horizontal"}, 28, 28, 1)
	// Output: (None, 28, 28, 1) 0
}

func ExampleRandomRotation() { // by up to a tenth of a turn
	shape(layers.RandomRotation{Factor: layers.PlusMinus(0.1), Fill: layers.Fill{FillMode: "constant"}}, 28, 28, 1)
	// Output: (None, 28, 28, 1) 0
}

// Residual is a layer of one's own that is made of others.
type Residual struct {
	Inner layers.Dense
}

// Build includes the weights of the layer inside.
func (l Residual) Build(in layers.Shape) (layers.Spec, error) {
	inner, err := l.Inner.Build(in)
	if err != nil {
		return layers.Spec{}, err
	}
	spec := layers.Spec{Output: in}
	spec.Include("inner", inner)
	return spec, nil
}

// Call runs it as a part of this one.
func (l Residual) Call(c *layers.Context, x *graph.Node) *graph.Node {
	return graph.Add(x, l.Inner.Call(c.Part("inner"), x))
}

func ExampleContext_Part() {
	output(Residual{layers.Dense{Units: 2, KernelInitializer: initializers.Ones{}}}, [][]float32{{1, 2}})
	// Output: [[4 5]]
}

func ExampleDepthwiseConv1D() {
	spec, err := layers.DepthwiseConv1D{KernelSize: 3, DepthMultiplier: 2}.Build(layers.Shape{8, 3})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 6, 6) <nil>
}

func ExampleConv3DTranspose() {
	spec, err := layers.Conv3DTranspose{Filters: 2, KernelSize: [3]int{2, 2, 2}, Strides: [3]int{2, 2, 2}}.Build(layers.Shape{4, 4, 4, 1})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 8, 8, 8, 2) <nil>
}

func ExampleEinsumDense() {
	// A Dense layer of each step.
	spec, err := layers.EinsumDense{Equation: "abc,cd->abd", OutputShape: []int{0, 5}, BiasAxes: "d"}.Build(layers.Shape{7, 3})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 7, 5) <nil>
}

func ExampleAttention() {
	spec, err := layers.Attention{UseScale: true}.BuildAll([]layers.Shape{{4, 8}, {6, 8}})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 4, 8) <nil>
}

func ExampleAdditiveAttention() {
	spec, err := layers.AdditiveAttention{}.BuildAll([]layers.Shape{{4, 8}, {6, 8}})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 4, 8) <nil>
}

func ExampleGroupQueryAttention() {
	// Eight heads of queries share two of keys and values.
	spec, err := layers.GroupQueryAttention{HeadDim: 4, NumQueryHeads: 8, NumKeyValueHeads: 2}.Build(layers.Shape{6, 16})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 6, 16) <nil>
}

func ExampleConvLSTM2D() { // ten images lead to one state
	shape(layers.ConvLSTM2D{Filters: 8, KernelSize: [2]int{3, 3}, Padding: layers.Same}, 10, 16, 16, 1)
	// Output: (None, 16, 16, 8) 2624
}

func ExampleConvLSTM1D() {
	shape(layers.ConvLSTM1D{Filters: 4, KernelSize: 3, ReturnSequences: true}, 10, 16, 1)
	// Output: (None, 10, 14, 4) 256
}

func ExampleConvLSTM3D() {
	shape(layers.ConvLSTM3D{Filters: 2, KernelSize: [3]int{2, 2, 2}}, 3, 4, 4, 4, 1)
	// Output: (None, 3, 3, 3, 2) 200
}

func ExampleLayerScale() {
	spec, err := layers.LayerScale{InitValues: 1e-6, ProjectionDim: 96}.Build(layers.Shape{14, 14, 96})
	fmt.Println(spec.Output, spec.Weights[0].Shape, err)
	// Output:
	// (None, 14, 14, 96) (None, 96) <nil>
}

func ExampleCustomScaleLayer() {
	spec, err := layers.CustomScaleLayer{Scale: 0.17}.BuildAll([]layers.Shape{{35, 35, 320}, {35, 35, 320}})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 35, 35, 320) <nil>
}

func ExampleStochasticDepth() {
	spec, err := layers.StochasticDepth{DropPathRate: 0.1}.Build(layers.Shape{14, 14, 96})
	fmt.Println(spec.Output, err)
	// Output:
	// (None, 14, 14, 96) <nil>
}
