package layers_test

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
)

// output prints what a layer makes of one example.
func output(layer layers.Layer, x any) {
	model, err := dl.Sequential(layer)
	if err != nil {
		panic(err)
	}
	ds, err := data.FromSlices(x, nil)
	if err != nil {
		panic(err)
	}
	y, err := model.Predict(context.Background(), ds)
	if err != nil {
		panic(err)
	}
	fmt.Println(y.Value())
}

func ExampleDense() {
	// 1·2 + 3·2 + 1
	output(layers.Dense{
		Units:             1,
		KernelInitializer: initializers.Constant{Value: 2},
		BiasInitializer:   initializers.Ones{},
	}, [][]float32{{1, 3}})
	// Output: [[9]]
}

func ExampleConv2D() {
	// The sum of each square of two by two.
	output(layers.Conv2D{
		Filters:           1,
		KernelSize:        [2]int{2, 2},
		KernelInitializer: initializers.Ones{},
	}, [][][][]float32{{{{1}, {2}, {3}}, {{4}, {5}, {6}}}})
	// Output: [[[[12] [16]]]]
}

func ExampleMaxPooling2D() {
	output(layers.MaxPooling2D{}, [][][][]float32{{{{1}, {2}, {3}, {0}}, {{4}, {5}, {6}, {7}}}})
	// Output: [[[[5] [7]]]]
}

func ExampleAveragePooling2D() {
	output(layers.AveragePooling2D{}, [][][][]float32{{{{1}, {2}, {3}, {0}}, {{4}, {5}, {6}, {7}}}})
	// Output: [[[[3] [4]]]]
}

func ExampleFlatten() {
	output(layers.Flatten{}, [][][]float32{{{1, 2}, {3, 4}}})
	// Output: [[1 2 3 4]]
}

func ExampleDropout() {
	// Outside training nothing is dropped.
	output(layers.Dropout{Rate: 0.5}, [][]float32{{1, 2, 3}})
	// Output: [[1 2 3]]
}

func ExampleActivation() {
	output(layers.Activation{Activation: activations.ReLU}, [][]float32{{-1, 0, 2}})
	// Output: [[0 0 2]]
}

// Scale multiplies each value by a weight of its own.
type Scale struct{}

func (Scale) Build(in layers.Shape) (layers.Spec, error) {
	gain := layers.Weight{Name: "gain", Shape: in, Initializer: initializers.Constant{Value: 3}}
	return layers.Spec{Output: in, Weights: []layers.Weight{gain}}, nil
}

func (Scale) Call(c *layers.Context, x *graph.Node) *graph.Node {
	return graph.Mul(x, graph.ExpandLeftToRank(c.Weight("gain"), x.Rank()))
}

// A layer of one's own is two methods.
func ExampleLayer() {
	output(Scale{}, [][]float32{{1, 2}})
	// Output: [[3 6]]
}
