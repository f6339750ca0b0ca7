package layers_test

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
)

// total is a cell that adds up what it reads, and forgets half of it at each step.
type total struct{}

func (total) BuildCell(in layers.Shape) (layers.CellSpec, error) {
	keep := layers.Weight{Name: "keep", Shape: in, Initializer: initializers.Constant{Value: 0.5}}
	return layers.CellSpec{Output: in, States: []layers.Shape{in}, Weights: []layers.Weight{keep}}, nil
}

func (total) Step(c *layers.Context, x *dl.Node, states []*dl.Node) (y *dl.Node, next []*dl.Node) {
	y = graph.Add(x, graph.Mul(states[0], graph.InsertAxes(c.Weight("keep"), 0)))
	return y, []*dl.Node{y}
}

func ExampleCell() {
	output(layers.RNN{Cell: total{}, ReturnSequences: true}, [][][]float32{{{1}, {2}, {4}}})
	// Output:
	// [[[1] [2.5] [5.25]]]
}

func ExampleCellSpec() {
	spec, err := layers.LSTMCell{Units: 3}.BuildCell(layers.Shape{2})
	fmt.Println(spec.Output, len(spec.States), err)
	// Output:
	// (None, 3) 2 <nil>
}

func ExampleSequenceCell() {
	var cell layers.Cell = layers.GRUCell{Units: 3}
	_, ok := cell.(layers.SequenceCell)
	fmt.Println(ok)
	// Output:
	// true
}

func ExampleRNN() {
	shapeOf(layers.RNN{Cell: layers.LSTMCell{Units: 3}, ReturnSequences: true}, 5, 2)
	// Output:
	// (None, 5, 3)
}

func ExampleSimpleRNNCell() {
	one := initializers.Ones{}
	output(layers.RNN{Cell: layers.SimpleRNNCell{Units: 1, KernelInitializer: one, RecurrentInitializer: one}}, [][][]float32{{{0}, {0}}})
	// Output:
	// [[0]]
}

func ExampleLSTMCell() {
	shapeOf(layers.RNN{Cell: layers.LSTMCell{Units: 4}}, 5, 2)
	// Output:
	// (None, 4)
}

func ExampleGRUCell() {
	shapeOf(layers.Bidirectional{Layer: layers.RNN{Cell: layers.GRUCell{Units: 4}}}, 5, 2)
	// Output:
	// (None, 8)
}

func ExampleStackedRNNCells() {
	stack := layers.StackedRNNCells{Cells: []layers.Cell{layers.LSTMCell{Units: 8}, layers.GRUCell{Units: 3}}}
	shapeOf(layers.RNN{Cell: stack}, 5, 2)
	// Output:
	// (None, 3)
}

func ExampleChannelsFirst() {
	shapeOf(layers.ChannelsFirst{Layer: layers.Conv2D{Filters: 8, KernelSize: [2]int{3, 3}}}, 3, 28, 28)
	// Output:
	// (None, 8, 26, 26)
}

func ExampleSpectralNormalization() {
	shapeOf(layers.SpectralNormalization{Layer: layers.Dense{Units: 4}}, 3)
	// Output:
	// (None, 4)
}
