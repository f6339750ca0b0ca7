// Package operation has what package dl/ops computes, as layers: Keras's files have them too,
// so that models are read without dl/ops.
package operation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/layers"
)

// dtypeFloat is the type of floats.
const dtypeFloat = dtypes.Float32

func init() { config.RegisterAs("Operation", Operation{}) }

// Operation is a function of keras.ops as a layer.
type Operation struct {
	// Op is its name, by which table knows it.
	Op string
	// Ints are axes, dimensions and the like; Numbers those that are values; Text what is
	// neither.
	Ints    []int
	Numbers []float64
	Text    string
	// Flag is a setting that is on or off.
	Flag bool
	// Fixed are arguments that are known, beside those that are given: a list of Fixed as JSON.
	Fixed string
	Name  string
}

// function computes an operation of one result.
type function func(o Operation, x []*graph.Node) *graph.Node

// table is filled by the files of the groups.
var table = map[string]function{}

// several are the operations with more than one result.
var several = map[string]func(o Operation, x []*graph.Node) []*graph.Node{"split": split}

// function computes the operation, and returns its results.
func (o Operation) function() (func(x []*graph.Node) []*graph.Node, error) {
	if f, ok := table[o.Op]; ok {
		return func(x []*graph.Node) []*graph.Node { return []*graph.Node{f(o, x)} }, nil
	}
	if f, ok := several[o.Op]; ok {
		return func(x []*graph.Node) []*graph.Node { return f(o, x) }, nil
	}
	return nil, fmt.Errorf("unknown operation %q", o.Op)
}

// KerasName implements layers.KerasNamer: "Add" and "add".
func (o Operation) KerasName() (class, name string) {
	for part := range strings.SplitSeq(o.Op, "_") {
		if part != "" {
			class += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return class, o.Op
}

// Build implements layers.Layer.
func (o Operation) Build(in layers.Shape) (layers.Spec, error) {
	return o.BuildAll([]layers.Shape{in})
}

// BuildAll implements layers.Multi.
func (o Operation) BuildAll(in []layers.Shape) (layers.Spec, error) {
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
func (o Operation) Call(c *layers.Context, x *graph.Node) *graph.Node {
	return o.CallAll(c, []*graph.Node{x})[0]
}

// CallAll implements layers.Multi.
func (o Operation) CallAll(_ *layers.Context, in []*graph.Node) []*graph.Node {
	f, err := o.function()
	if err != nil {
		panic(err)
	}
	return f(o.withFixed(in))
}

// pair is both arguments of an operation, the second of which may be a number: of one type and
// one shape.
func pair(o Operation, x []*graph.Node) (a, b *graph.Node) {
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

// unary puts functions of one float into the table.
func unary(all map[string]func(x *graph.Node) *graph.Node) {
	for name, f := range all {
		table[name] = func(_ Operation, x []*graph.Node) *graph.Node { return f(float(x[0])) }
	}
}

// binary puts functions of two of one type and shape into the table.
func binary(all map[string]func(a, b *graph.Node) *graph.Node) {
	for name, f := range all {
		table[name] = func(o Operation, x []*graph.Node) *graph.Node { return f(pair(o, x)) }
	}
}
