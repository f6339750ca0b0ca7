package operation

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	internal "github.com/gradbook/gradbook/dl/internal/ops"
)

// over is the axes of a reduction from 0 on; all if there are none.
func over(o Operation, x *graph.Node) (axes []int) {
	for _, a := range o.Ints {
		axes = append(axes, graph.MustAdjustAxis(a, x))
	}
	for i := 0; len(o.Ints) == 0 && i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	return axes
}

func init() {
	for name, f := range map[string]func(x *graph.Node, axes ...int) *graph.Node{
		"sum": graph.ReduceSum, "mean": graph.ReduceMean, "prod": product, "max": graph.ReduceMax, "min": graph.ReduceMin,
		"var": variance, "std": func(x *graph.Node, axes ...int) *graph.Node { return graph.Sqrt(variance(x, axes...)) },
		"logsumexp": func(x *graph.Node, axes ...int) *graph.Node {
			top := graph.StopGradient(graph.ReduceAndKeep(x, graph.ReduceMax, axes...))
			return graph.Add(graph.Log(graph.ReduceSum(graph.Exp(graph.Sub(x, top)), axes...)), graph.Squeeze(top, axes...))
		},
	} {
		table[name] = func(o Operation, x []*graph.Node) *graph.Node {
			v := x[0]
			if rank(v) == 0 || name == "mean" || name == "var" || name == "std" || name == "logsumexp" {
				v = float(v)
			}
			return o.kept(f(v, over(o, v)...), v)
		}
	}
	table["any"] = func(o Operation, x []*graph.Node) *graph.Node {
		return graph.GreaterThan(graph.ReduceMax(truth(x[0]), over(o, x[0])...), graph.Scalar(x[0].Graph(), dtypeFloat, 0))
	}
	table["all"] = func(o Operation, x []*graph.Node) *graph.Node {
		return graph.GreaterThan(graph.ReduceMin(truth(x[0]), over(o, x[0])...), graph.Scalar(x[0].Graph(), dtypeFloat, 0))
	}
	table["argmax"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.ArgMax(x[0], o.Ints[0]) }
	table["argmin"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.ArgMin(x[0], o.Ints[0]) }
	table["cumsum"] = func(o Operation, x []*graph.Node) *graph.Node { return graph.CumSum(x[0], o.Ints[0]) }
}

// kept leaves axes of 1 where axes went, if that is wanted.
func (o Operation) kept(y, x *graph.Node) *graph.Node {
	if !o.Flag {
		return y
	}
	dims := slices.Clone(x.Shape().Dimensions)
	for _, a := range over(o, x) {
		dims[a] = 1
	}
	return graph.Reshape(y, dims...)
}

// truth is 1 where x is not 0.
func truth(x *graph.Node) *graph.Node { return graph.ConvertDType(internal.Truth(x), dtypeFloat) }

// product multiplies halves until one is left, which has a gradient also where a factor is 0;
// graph.ReduceMultiply has none.
func product(x *graph.Node, axes ...int) *graph.Node {
	for _, axis := range axes {
		for n := x.Shape().Dimensions[axis]; n > 1; n = x.Shape().Dimensions[axis] {
			half := n / 2
			y := graph.Mul(graph.SliceAxis(x, axis, graph.AxisRange(0, half)), graph.SliceAxis(x, axis, graph.AxisRange(half, 2*half)))
			if n%2 == 1 {
				y = graph.Concatenate([]*graph.Node{y, graph.SliceAxis(x, axis, graph.AxisRange(n-1, n))}, axis)
			}
			x = y
		}
	}
	return graph.Squeeze(x, axes...)
}

func variance(x *graph.Node, axes ...int) *graph.Node {
	mean := graph.ReduceAndKeep(x, graph.ReduceMean, axes...)
	return graph.ReduceMean(graph.Square(graph.Sub(x, mean)), axes...)
}
