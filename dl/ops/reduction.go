package ops

import (
	"github.com/gomlx/gomlx/core/graph"
)

// over is the axes of a reduction from 0 on; all if there are none.
func over(o operation, x *graph.Node) (axes []int) {
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
		table[name] = func(o operation, x []*graph.Node) *graph.Node {
			v := x[0]
			if rank(v) == 0 || name == "mean" || name == "var" || name == "std" || name == "logsumexp" {
				v = float(v)
			}
			return f(v, over(o, v)...)
		}
	}
	table["any"] = func(o operation, x []*graph.Node) *graph.Node {
		return graph.GreaterThan(graph.ReduceMax(truth(x[0]), over(o, x[0])...), graph.Scalar(x[0].Graph(), dtypeFloat, 0))
	}
	table["all"] = func(o operation, x []*graph.Node) *graph.Node {
		return graph.GreaterThan(graph.ReduceMin(truth(x[0]), over(o, x[0])...), graph.Scalar(x[0].Graph(), dtypeFloat, 0))
	}
	table["argmax"] = func(o operation, x []*graph.Node) *graph.Node { return graph.ArgMax(x[0], o.Ints[0]) }
	table["argmin"] = func(o operation, x []*graph.Node) *graph.Node { return graph.ArgMin(x[0], o.Ints[0]) }
	table["cumsum"] = func(o operation, x []*graph.Node) *graph.Node { return graph.CumSum(x[0], o.Ints[0]) }
}

// truth is 1 where x is not 0.
func truth(x *graph.Node) *graph.Node { return graph.ConvertDType(condition(x), dtypeFloat) }

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

// Sum adds up along axes, which disappear; without axes along all, which only nodes can do.
func Sum[T Value](x T, axes ...int) T { return along("sum", x, axes) }

// Mean is the mean along axes, which disappear; without axes along all, which only nodes can do.
func Mean[T Value](x T, axes ...int) T { return along("mean", x, axes) }

// Prod multiplies along axes, which disappear; without axes along all, which only nodes can do.
func Prod[T Value](x T, axes ...int) T { return along("prod", x, axes) }

// Max is the largest along axes, which disappear; without axes along all, which only nodes can do.
func Max[T Value](x T, axes ...int) T { return along("max", x, axes) }

// Min is the smallest along axes, which disappear; without axes along all, which only nodes can do.
func Min[T Value](x T, axes ...int) T { return along("min", x, axes) }

// Var is the variance along axes, which disappear; without axes along all, which only nodes can do.
func Var[T Value](x T, axes ...int) T { return along("var", x, axes) }

// Std is the standard deviation along axes, which disappear; without axes along all, which only nodes can do.
func Std[T Value](x T, axes ...int) T { return along("std", x, axes) }

// LogSumExp is log Σ eˣ, computed so that a large x does not overflow, along axes, which disappear; without axes along all, which only nodes can do.
func LogSumExp[T Value](x T, axes ...int) T { return along("logsumexp", x, axes) }

// Any says whether one is true along axes, which disappear; without axes along all, which only nodes can do.
func Any[T Value](x T, axes ...int) T { return along("any", x, axes) }

// All says whether all are true along axes, which disappear; without axes along all, which only nodes can do.
func All[T Value](x T, axes ...int) T { return along("all", x, axes) }

// ArgMax is the place of the largest along an axis: int32. The first of several counts.
func ArgMax[T Value](x T, axis int) T { return along("argmax", x, []int{axis}) }

// ArgMin is the place of the smallest along an axis: int32. The first of several counts.
func ArgMin[T Value](x T, axis int) T { return along("argmin", x, []int{axis}) }

// CumSum adds up what is at and before each place along an axis.
func CumSum[T Value](x T, axis int) T { return along("cumsum", x, []int{axis}) }
