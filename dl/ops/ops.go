// Package ops computes with symbols as with numbers, under the names of keras.ops:
//
//	z := ops.Add(ops.Multiply(x, 2), y)          // of *dl.Symbol: two layers of a model
//	loss := ops.Mean(ops.Square(ops.Subtract(a, b))) // of *dl.Node: in a loss, a step or a Lambda
//
// Each function takes both, and returns what it is given. Where it takes a second value, that may
// be a number as well: an int or a float64. Shapes are broadcast as NumPy does it. Axes are
// counted with the batch, which is axis 0, and from the end if they are negative.
//
// Of symbols, the batch must stay the first axis, and a mistake is held by the result, as with
// layers. Of nodes, a mistake panics, as with the functions of a graph; what builds the graph
// makes an error of it.
//
// Source: https://keras.io/api/ops/
package ops

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/layers"
)

// dtypeFloat is the type of floats.
const dtypeFloat = dtypes.Float32

// Value is what can be computed with.
type Value interface{ *dl.Node | *dl.Symbol }

func init() { config.RegisterAs("Operation", operation{}) }

// operation is a function of this package as a layer.
type operation struct {
	// Op is its name, by which table knows it.
	Op string
	// Ints are axes, dimensions and the like; Numbers those that are values; Text what is
	// neither.
	Ints    []int
	Numbers []float64
	Text    string
	// Flag is a setting that is on or off.
	Flag bool
	Name string
}

// function computes an operation.
type function func(o operation, x []*graph.Node) *graph.Node

// table is filled by the files of the groups.
var table = map[string]function{}

func (o operation) function() (function, error) {
	f, ok := table[o.Op]
	if !ok {
		return nil, fmt.Errorf("unknown operation %q", o.Op)
	}
	return f, nil
}

// KerasName implements layers.KerasNamer: "Add" and "add".
func (o operation) KerasName() (class, name string) {
	for part := range strings.SplitSeq(o.Op, "_") {
		if part != "" {
			class += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return class, o.Op
}

// Build implements layers.Layer.
func (o operation) Build(in layers.Shape) (layers.Spec, error) {
	return o.BuildAll([]layers.Shape{in})
}

// BuildAll implements layers.Multi.
func (o operation) BuildAll(in []layers.Shape) (layers.Spec, error) {
	if _, err := o.function(); err != nil {
		return layers.Spec{}, err
	}
	out, err := layers.Infer(in, o.CallAll)
	if err != nil {
		return layers.Spec{}, &fault.ShapeError{Got: in[len(in)-1], Text: fmt.Sprintf("of %v: %v", in, err)}
	}
	return layers.Spec{Outputs: out}, nil
}

// Call implements layers.Layer.
func (o operation) Call(c *layers.Context, x *graph.Node) *graph.Node {
	return o.CallAll(c, []*graph.Node{x})[0]
}

// CallAll implements layers.Multi.
func (o operation) CallAll(_ *layers.Context, in []*graph.Node) []*graph.Node {
	f, err := o.function()
	if err != nil {
		panic(err)
	}
	return []*graph.Node{f(o, in)}
}

// apply computes an operation of values of one kind.
func apply[T Value](o operation, in ...T) T {
	switch in := any(in).(type) {
	case []*dl.Symbol:
		return any(dl.Apply(o, in...)).(T)
	case []*dl.Node:
		for i, x := range in {
			if x == nil {
				panic(fmt.Errorf("ops: expected a node as argument %d of %s, got nil", i, o.Op))
			}
		}
		return any(o.CallAll(nil, in)[0]).(T)
	}
	panic("unreachable")
}

// with is apply for a second value that may be a number.
func with[T Value](o operation, a T, b any) T {
	switch b := b.(type) {
	case T:
		return apply(o, a, b)
	case int:
		o.Numbers = append(o.Numbers, float64(b))
	case float64:
		o.Numbers = append(o.Numbers, b)
	case float32:
		o.Numbers = append(o.Numbers, float64(b))
	default:
		panic(fmt.Errorf("ops: expected a %T or a number as the second argument of %s, got %T", a, o.Op, b))
	}
	return apply(o, a)
}

// pair is both arguments of an operation, the second of which may be a number: of one type and
// one shape.
func pair(o operation, x []*graph.Node) (a, b *graph.Node) {
	a = x[0]
	if len(x) == 1 {
		t := a.DType()
		if n := o.Numbers[0]; !t.IsFloat() && n != float64(int(n)) {
			a = graph.ConvertDType(a, dtypeFloat)
			t = dtypeFloat
		}
		return a, graph.Scalar(a.Graph(), t, o.Numbers[0])
	}
	a, b = oneType(a, x[1])
	return broadcast(a, b)
}

// oneType gives two nodes the type of the one that can hold the other's numbers.
func oneType(a, b *graph.Node) (*graph.Node, *graph.Node) {
	if a.DType() == b.DType() {
		return a, b
	}
	if rank(b) > rank(a) {
		return graph.ConvertDType(a, b.DType()), b
	}
	return a, graph.ConvertDType(b, a.DType())
}

func rank(n *graph.Node) int {
	switch t := n.DType(); {
	case t.IsFloat():
		return 100 + t.Size()
	case strings.Contains(strings.ToLower(t.String()), "bool"):
		return 0
	default:
		return 10 + t.Size()
	}
}

// broadcast gives two nodes one shape, as NumPy does.
func broadcast(a, b *graph.Node) (*graph.Node, *graph.Node) {
	n := max(a.Rank(), b.Rank())
	a, b = graph.ExpandLeftToRank(a, n), graph.ExpandLeftToRank(b, n)
	da, db := a.Shape().Dimensions, b.Shape().Dimensions
	dims := make([]int, n)
	for i := range dims {
		if da[i] != db[i] && da[i] != 1 && db[i] != 1 {
			panic(fmt.Errorf("expected shapes that can be broadcast, got %v and %v", da, db))
		}
		dims[i] = max(da[i], db[i])
	}
	return to(a, dims), to(b, dims)
}

func to(x *graph.Node, dims []int) *graph.Node {
	if slices.Equal(x.Shape().Dimensions, dims) {
		return x
	}
	return graph.BroadcastToDims(x, dims...)
}

// float is x as a float, which it is already in most cases.
func float(x *graph.Node) *graph.Node {
	if x.DType().IsFloat() {
		return x
	}
	return graph.ConvertDType(x, dtypeFloat)
}

// condition is x as true and false: what is not 0.
func condition(x *graph.Node) *graph.Node {
	if rank(x) == 0 {
		return x
	}
	return graph.NotEqual(x, graph.ZerosLike(x))
}

// unary puts functions of one float into the table.
func unary(all map[string]func(x *graph.Node) *graph.Node) {
	for name, f := range all {
		table[name] = func(_ operation, x []*graph.Node) *graph.Node { return f(float(x[0])) }
	}
}

// binary puts functions of two of one type and shape into the table.
func binary(all map[string]func(a, b *graph.Node) *graph.Node) {
	for name, f := range all {
		table[name] = func(o operation, x []*graph.Node) *graph.Node { return f(pair(o, x)) }
	}
}

func one[T Value](op string, x T) T               { return apply(operation{Op: op}, x) }
func two[T Value](op string, a T, b any) T        { return with(operation{Op: op}, a, b) }
func along[T Value](op string, x T, axes []int) T { return apply(operation{Op: op, Ints: axes}, x) }
