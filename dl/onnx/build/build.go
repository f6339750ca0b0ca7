// Package build is how layers and activations say what they are in ONNX: by the operators of
// opset 20 that compute the same.
//
//	func (Square) ONNX(g *build.Graph, c build.Call) ([]string, error) {
//		return []string{g.Op("Mul", []string{c.In[0], c.In[0]})}, nil
//	}
//
// Values go by names. Layers have their channels last, where ONNX's convolutions and poolings
// have them first.
//
// Source: https://onnx.ai/onnx/operators/
package build

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/config"
)

// Layer is a layer that has a form in ONNX.
type Layer interface {
	// ONNX adds the layer's operators to a graph and returns the names of its outputs.
	ONNX(g *Graph, c Call) ([]string, error)
}

// Activation is an activation that has a form in ONNX.
type Activation interface {
	// ONNX adds the activation's operators and returns the name of the result; ok is false
	// if it has no form after all.
	ONNX(g *Graph, x string) (y string, ok bool)
}

// Call is what a layer is applied to.
type Call struct {
	// In are the names of the inputs, Shapes their shapes without the batch.
	In     []string
	Shapes [][]int
	// Out is the shape of the layer's first output, without the batch.
	Out []int
	// Weights are the layer's weights, in its own order.
	Weights []Array
}

// Graph is a graph that grows by operators. Its zero value is empty.
type Graph struct {
	// Nodes are the operators, each after those that it needs.
	Nodes []Node
	// Constants are the values that are known.
	Constants []Constant

	count int
}

// Node is an operator.
type Node struct {
	Op, Name string
	In, Out  []string
	Attrs    []Attr
}

// Attr is a setting of an operator: an int, a float64, a string, []int or []string.
type Attr struct {
	Name  string
	Value any
}

// Constant is a tensor that is known: of float32, or of int64 if Ints is not nil, int8 if Int8s is not, or uint8
// if Uint8s is not.
type Constant struct {
	Name   string
	Dims   []int
	Floats []float32
	Ints   []int
	Int8s  []int8
	Uint8s []uint8
}

func (g *Graph) name(prefix string) string {
	g.count++
	return fmt.Sprintf("%s_%d", prefix, g.count)
}

// Op adds an operator of one output and returns that.
func (g *Graph) Op(op string, in []string, attrs ...Attr) string {
	return g.Ops(op, 1, in, attrs...)[0]
}

// Ops adds an operator of several outputs.
func (g *Graph) Ops(op string, outputs int, in []string, attrs ...Attr) []string {
	n := Node{Op: op, Name: g.name(op), In: in, Attrs: attrs}
	for i := range outputs {
		n.Out = append(n.Out, fmt.Sprintf("%s_out%d", n.Name, i))
	}
	g.Nodes = append(g.Nodes, n)
	return n.Out
}

// Floats adds a constant of float32.
func (g *Graph) Floats(values []float32, dims ...int) string {
	c := Constant{Name: g.name("weight"), Dims: dims, Floats: values}
	g.Constants = append(g.Constants, c)
	return c.Name
}

// Scalar adds a constant number.
func (g *Graph) Scalar(v float64) string { return g.Floats([]float32{float32(v)}) }

// Ints adds a constant vector of int64.
func (g *Graph) Ints(values ...int) string {
	c := Constant{Name: g.name("shape"), Dims: []int{len(values)}, Ints: append([]int{}, values...)}
	g.Constants = append(g.Constants, c)
	return c.Name
}

// Array adds a constant of an array.
func (g *Graph) Array(a Array) string { return g.Floats(a.Values, a.Dims...) }

// Int8s adds a constant of an array of whole numbers from −128 to 127, as int8.
func (g *Graph) Int8s(a Array) string {
	c := Constant{Name: g.name("weight"), Dims: a.Dims, Int8s: make([]int8, len(a.Values))}
	for i, v := range a.Values {
		c.Int8s[i] = int8(v)
	}
	g.Constants = append(g.Constants, c)
	return c.Name
}

// Uint8 adds a constant number of 8 bits.
func (g *Graph) Uint8(v uint8) string {
	c := Constant{Name: g.name("zero"), Uint8s: []uint8{v}}
	g.Constants = append(g.Constants, c)
	return c.Name
}

func init() {
	config.Tells[Layer]("ONNX", "Call", "CallAll", "Build", "BuildAll")
	config.Tells[Activation]("ONNX", "Apply")
}
