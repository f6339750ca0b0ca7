package build_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/onnx/build"
)

// square is a layer's form in ONNX.
type square struct{}

func (square) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Mul", []string{c.In[0], c.In[0]})}, nil
}

// twice is an activation's.
type twice struct{}

func (twice) ONNX(g *build.Graph, x string) (string, bool) {
	return g.Op("Mul", []string{x, g.Scalar(2)}), true
}

func ExampleLayer() {
	var g build.Graph
	var l build.Layer = square{}
	out, err := l.ONNX(&g, build.Call{In: []string{"x"}, Shapes: [][]int{{3}}, Out: []int{3}})
	n := g.Nodes[0] // a build.Node
	fmt.Println(n.Op, n.In, out, err)
	// Output:
	// Mul [x x] [Mul_1_out0] <nil>
}

func ExampleActivation() {
	var g build.Graph
	var a build.Activation = twice{}
	fmt.Println(a.ONNX(&g, "x"))
	c := g.Constants[0] // a build.Constant
	fmt.Println(c.Floats)
	// Output:
	// Mul_2_out0 true
	// [2]
}

func ExampleAttr() {
	var g build.Graph
	g.Op("Softmax", []string{"x"}, build.Attr{Name: "axis", Value: -1})
	fmt.Println(g.Nodes[0].Attrs)
	// Output:
	// [{axis -1}]
}

func ExampleArray() {
	a := build.Array{Name: "kernel", Dims: []int{2, 3}, Values: []float32{1, 2, 3, 4, 5, 6}}
	fmt.Println(a.Permuted(1, 0).Values, a.Blocks(2, 0, 1).Values)
	// Output:
	// [1 4 2 5 3 6] [3 1 2 6 4 5]
}
