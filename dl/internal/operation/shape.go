package operation

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	internal "github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	table["reshape"] = func(o Operation, x []*graph.Node) *graph.Node { return reshape(x[0], o.Ints) }
	table["transpose"] = func(o Operation, x []*graph.Node) *graph.Node {
		axes := o.Ints
		for i := x[0].Rank() - 1; len(o.Ints) == 0 && i >= 0; i-- {
			axes = append(axes, i)
		}
		return graph.TransposeAllAxes(x[0], axes...)
	}
	table["swapaxes"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.Transpose(x[0], o.Ints[0], o.Ints[1]) }
	table["moveaxis"] = func(o Operation, x []*graph.Node) *graph.Node {
		from, to := graph.MustAdjustAxis(o.Ints[0], x[0]), graph.MustAdjustAxis(o.Ints[1], x[0])
		var order []int
		for i := range x[0].Rank() {
			if i != from {
				order = append(order, i)
			}
		}
		return graph.TransposeAllAxes(x[0], slices.Insert(order, to, from)...)
	}
	table["expand_dims"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.InsertAxes(x[0], o.Ints[0]) }
	table["squeeze"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.Squeeze(x[0], o.Ints...) }
	table["broadcast_to"] = func(o Operation, x []*graph.Node) *graph.Node {
		return to(graph.ExpandLeftToRank(x[0], len(o.Ints)), withBatch(o.Ints, x[0]))
	}
	table["concatenate"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.Concatenate(same(x), o.Ints[0]) }
	table["stack"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.Stack(same(x), o.Ints[0]) }
	table["flip"] = func(o Operation, x []*graph.Node) *graph.Node { return internal.Reverse(x[0], over(o, x[0])...) }
	initSizes()
}

// initSizes are the operations that make axes longer, or shorter.
func initSizes() {
	table["repeat"] = func(o Operation, x []*graph.Node) *graph.Node {
		return times(internal.Repeat, x[0], o.Ints[0], o.Ints[1])
	}
	table["tile"] = func(o Operation, x []*graph.Node) *graph.Node {
		return times(internal.Tile, x[0], o.Ints[0], o.Ints[1])
	}
	table["pad"] = func(o Operation, x []*graph.Node) *graph.Node {
		atLeastZero(o.Ints[1:]...)
		return internal.Pad(x[0], graph.MustAdjustAxis(o.Ints[0], x[0]), [2]int{o.Ints[1], o.Ints[2]}, o.Numbers[0])
	}
	table["tile_axes"] = func(o Operation, x []*graph.Node) *graph.Node {
		y := graph.ExpandLeftToRank(x[0], max(x[0].Rank(), len(o.Ints)))
		for i, n := range o.Ints {
			y = times(internal.Tile, y, n, y.Rank()-len(o.Ints)+i)
		}
		return y
	}
	table["pad_axes"] = func(o Operation, x []*graph.Node) *graph.Node {
		atLeastZero(o.Ints...)
		y := x[0]
		if len(o.Ints) != 2*y.Rank() {
			panic(fmt.Errorf("expected two amounts for each of %d axes, got %v", y.Rank(), o.Ints))
		}
		for axis := range y.Rank() {
			y = internal.Pad(y, axis, [2]int{o.Ints[2*axis], o.Ints[2*axis+1]}, 0)
		}
		return y
	}
	table["slice"] = func(o Operation, x []*graph.Node) *graph.Node {
		if o.Ints[2] == 0 {
			return graph.SliceAxis(x[0], o.Ints[0], graph.AxisRangeToEnd(o.Ints[1]))
		}
		return graph.SliceAxis(x[0], o.Ints[0], graph.AxisRange(o.Ints[1], o.Ints[2]))
	}
	table["take"] = take
	table["cast"] = func(o Operation, x []*graph.Node) *graph.Node {
		switch o.Text {
		case "float32":
			return graph.ConvertDType(x[0], dtypes.Float32)
		case "int32":
			return graph.ConvertDType(x[0], dtypes.Int32)
		case "bool":
			return internal.Truth(x[0])
		}
		panic(fmt.Errorf("expected a type of float32, int32 or bool, got %q", o.Text))
	}
}

func atLeastZero(amounts ...int) {
	if slices.Min(amounts) < 0 {
		panic(fmt.Errorf("expected amounts of at least 0, got %v", amounts))
	}
}

// withBatch lets a first dimension of −1 be that of x.
func withBatch(dims []int, x *graph.Node) []int {
	dims = slices.Clone(dims)
	if len(dims) > 0 && dims[0] == -1 && x.Rank() > 0 {
		dims[0] = x.Shape().Dimensions[0]
	}
	return dims
}

func reshape(x *graph.Node, dims []int) *graph.Node {
	dims = slices.Clone(dims)
	free, rest := -1, 1
	for i, d := range dims {
		switch {
		case d != -1:
			rest *= d
		case free >= 0:
			panic(fmt.Errorf("expected at most one dimension of -1, got %v", dims))
		default:
			free = i
		}
	}
	if free >= 0 && rest > 0 {
		dims[free] = x.Shape().Size() / rest
	}
	return graph.Reshape(x, dims...)
}

// same gives all values the type of the first.
func same(all []*graph.Node) []*graph.Node {
	out := slices.Clone(all)
	for i := range out {
		if out[i].DType() != out[0].DType() {
			out[i] = graph.ConvertDType(out[i], out[0].DType())
		}
	}
	return out
}

// times repeats each value, or the whole.
func times(how func(x *graph.Node, axis, n int) *graph.Node, x *graph.Node, n, axis int) *graph.Node {
	if n < 1 {
		panic(fmt.Errorf("expected at least 1 time, got %d", n))
	}
	return how(x, graph.MustAdjustAxis(axis, x), n)
}

func take(o Operation, x []*graph.Node) *graph.Node {
	return internal.Take(x[0], x[1], graph.MustAdjustAxis(o.Ints[0], x[0]))
}
