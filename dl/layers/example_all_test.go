package layers_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// shapeOf prints what a layer makes of a shape.
func shapeOf(l layers.Layer, in ...int) {
	s := dl.Apply(l, dl.Input(in))
	if err := s.Err(); err != nil {
		panic(err)
	}
	fmt.Println(s.Shape())
}

// pair prints what a layer makes of two vectors.
func pair(l layers.Layer) {
	a, b := dl.Input(layers.Shape{3}), dl.Input(layers.Shape{3})
	m, err := dl.Functional([]*dl.Symbol{a, b}, []*dl.Symbol{dl.Apply(l, a, b)})
	if err != nil {
		panic(err)
	}
	y, err := m.PredictOnBatch(tensor.Of([][]float32{{1, 5, 3}}), dl.BatchConfig{Inputs: []*dl.Tensor{tensor.Of([][]float32{{2, 4, 3}})}})
	if err != nil {
		panic(err)
	}
	fmt.Println(y[0].Value())
}

// doubled is a layer that has its shape from its Call.
type doubled struct{}

func (doubled) Build(in layers.Shape) (layers.Spec, error) {
	out, err := layers.Infer([]layers.Shape{in}, func(c *layers.Context, x []*dl.Node) []*dl.Node {
		return []*dl.Node{doubled{}.Call(c, x[0])}
	})
	return layers.Spec{Outputs: out}, err
}

func (doubled) Call(_ *layers.Context, x *dl.Node) *dl.Node {
	return ops.Concatenate([]*dl.Node{x, x}, -1)
}

func ExampleAverage() {
	pair(layers.Average{})
	// Output:
	// [[1.5 4.5 3]]
}

func ExampleMaximum() {
	pair(layers.Maximum{})
	// Output:
	// [[2 5 3]]
}

func ExampleMinimum() {
	pair(layers.Minimum{})
	// Output:
	// [[1 4 3]]
}

func ExampleSubtract() {
	pair(layers.Subtract{})
	// Output:
	// [[-1 1 0]]
}

func ExampleActivityRegularization() {
	output(layers.ActivityRegularization{L2: 0.1}, [][]float32{{1, 2}}) // the cost is the loss's
	// Output:
	// [[1 2]]
}

func ExampleAlphaDropout() {
	output(layers.AlphaDropout{Rate: 0.5}, [][]float32{{1, 2}}) // in training only
	// Output:
	// [[1 2]]
}

func ExampleGaussianDropout() {
	output(layers.GaussianDropout{Rate: 0.5}, [][]float32{{1, 2}}) // in training only
	// Output:
	// [[1 2]]
}

func ExampleCenterCrop() {
	output(layers.CenterCrop{Height: 1, Width: 1}, [][][][]float32{{{{1}, {2}, {3}}, {{4}, {5}, {6}}, {{7}, {8}, {9}}}})
	// Output:
	// [[[[5]]]]
}

func ExampleCropping2D() {
	output(layers.Cropping2D{Cropping: [2][2]int{{1, 1}, {0, 1}}}, [][][][]float32{{{{1}, {2}, {3}}, {{4}, {5}, {6}}, {{7}, {8}, {9}}}})
	// Output:
	// [[[[4] [5]]]]
}

func ExampleCropping3D() {
	shapeOf(layers.Cropping3D{Cropping: [3][2]int{{1, 1}, {0, 1}, {0, 0}}}, 4, 4, 4, 1)
	// Output:
	// (None, 2, 3, 4, 1)
}

func ExampleGlobalAveragePooling1D() {
	output(layers.GlobalAveragePooling1D{}, [][][]float32{{{1, 2}, {3, 6}}})
	// Output:
	// [[2 4]]
}

func ExampleGlobalAveragePooling3D() {
	shapeOf(layers.GlobalAveragePooling3D{}, 2, 3, 4, 5)
	// Output:
	// (None, 5)
}

func ExampleGlobalMaxPooling2D() {
	output(layers.GlobalMaxPooling2D{}, [][][][]float32{{{{1}, {2}, {3}}, {{4}, {5}, {6}}, {{7}, {8}, {9}}}})
	// Output:
	// [[9]]
}

func ExampleGlobalMaxPooling3D() {
	shapeOf(layers.GlobalMaxPooling3D{KeepDims: true}, 2, 3, 4, 5)
	// Output:
	// (None, 1, 1, 1, 5)
}

func ExampleInfer() {
	output(doubled{}, [][]float32{{1, 2}})
	// Output:
	// [[1 2 1 2]]
}

func ExampleKerasPather() {
	var l layers.KerasPather = layers.Bidirectional{Layer: layers.LSTM{Units: 2}}
	fmt.Println(l.KerasPath("forward_layer/kernel"))
	// Output:
	// /forward_layer/cell
}

func ExampleKerasCaller() {
	var given layers.KerasCaller = layers.MultiHeadAttention{NumHeads: 1, KeyDim: 2}
	l, ok := given.WithKerasArgument("use_causal_mask", true)
	fmt.Println(l.(layers.MultiHeadAttention).UseCausalMask, ok)
	// Output:
	// true true
}

func ExampleClassReader() {
	var l layers.Layer = layers.Embedding{InputDim: 100, OutputDim: 4}
	fmt.Println(l.(layers.ClassReader).Classes())
	// Output:
	// 100
}

func ExampleMergeMode() {
	shapeOf(layers.Bidirectional{Layer: layers.GRU{Units: 3}, MergeMode: layers.Sum}, 5, 2)
	// Output:
	// (None, 3)
}

func ExampleRecurrent() {
	var l layers.Recurrent = layers.LSTM{Units: 3, ReturnState: true}
	fmt.Println(l.Sequences(), l.Reversed().(layers.LSTM).GoBackwards)
	// Output:
	// false true
}

func ExampleSpatialDropout2D() {
	output(layers.SpatialDropout2D{Rate: 0.5}, [][][][]float32{{{{1}, {2}, {3}}, {{4}, {5}, {6}}, {{7}, {8}, {9}}}}) // in training only
	// Output:
	// [[[[1] [2] [3]] [[4] [5] [6]] [[7] [8] [9]]]]
}

func ExampleSpatialDropout3D() {
	shapeOf(layers.SpatialDropout3D{Rate: 0.5}, 2, 3, 4, 5)
	// Output:
	// (None, 2, 3, 4, 5)
}

func ExampleUpSampling1D() {
	output(layers.UpSampling1D{}, [][][]float32{{{1}, {2}}})
	// Output:
	// [[[1] [1] [2] [2]]]
}

func ExampleUpSampling3D() {
	shapeOf(layers.UpSampling3D{}, 2, 3, 4, 5)
	// Output:
	// (None, 4, 6, 8, 5)
}

func ExampleZeroPadding2D() {
	output(layers.ZeroPadding2D{Padding: [2][2]int{{0, 1}, {1, 0}}}, [][][][]float32{{{{1}, {2}}}})
	// Output:
	// [[[[0] [1] [2]] [[0] [0] [0]]]]
}

func ExampleZeroPadding3D() {
	shapeOf(layers.ZeroPadding3D{Padding: [3][2]int{{1, 1}, {0, 0}, {0, 2}}}, 2, 3, 4, 5)
	// Output:
	// (None, 4, 3, 6, 5)
}

func ExampleLambda() {
	output(layers.Lambda{Function: func(_ *layers.Context, x ...*dl.Node) *dl.Node {
		return ops.Square(x[0])
	}}, [][]float32{{1, 2, 3}})
	// Output:
	// [[1 4 9]]
}

func ExampleRandomBrightness() {
	shapeOf(layers.RandomBrightness{Factor: [2]float64{-0.1, 0.1}}, 8, 8, 3) // in training only
	// Output:
	// (None, 8, 8, 3)
}

func ExampleRandomContrast() {
	shapeOf(layers.RandomContrast{Factor: [2]float64{0.2, 0.2}}, 8, 8, 3) // in training only
	// Output:
	// (None, 8, 8, 3)
}

func ExampleRandomCrop() {
	shapeOf(layers.RandomCrop{Height: 4, Width: 3}, 8, 8, 3) // at random in training only
	// Output:
	// (None, 4, 3, 3)
}

func ExampleRandomTranslation() {
	shapeOf(layers.RandomTranslation{HeightFactor: [2]float64{-0.1, 0.1}, WidthFactor: [2]float64{-0.1, 0.1}}, 8, 8, 3) // in training only
	// Output:
	// (None, 8, 8, 3)
}

func ExampleRandomZoom() {
	shapeOf(layers.RandomZoom{HeightFactor: [2]float64{-0.1, 0.1}}, 8, 8, 3) // in training only
	// Output:
	// (None, 8, 8, 3)
}

func ExampleKerasNamer() {
	sum := ops.Add(dl.Input(layers.Shape{3}), 1)
	l, _, _ := sum.Origin()
	class, name := l.Config().(layers.KerasNamer).KerasName()
	fmt.Println(class, name)
	// Output: Add add
}

// Layers that dl.Quantize made: they take their input in steps of InputScale.
func ExampleQuantizedDense() {
	shapeOf(layers.QuantizedDense{Units: 10, InputScale: 1 / 255.0}, 28, 64)
	// Output:
	// (None, 28, 10)
}

func ExampleQuantizedConv1D() {
	shapeOf(layers.QuantizedConv1D{Filters: 8, KernelSize: 3, InputScale: 0.1, InputZero: 128}, 20, 16)
	// Output:
	// (None, 18, 8)
}

func ExampleQuantizedConv2D() {
	shapeOf(layers.QuantizedConv2D{Filters: 8, KernelSize: [2]int{3, 3}, Padding: layers.Same, InputScale: 0.1}, 20, 20, 16)
	// Output:
	// (None, 20, 20, 8)
}
