package translate

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

const reduction = "axes keepdims noop_with_empty_axes"

func init() {
	sum := graph.ReduceSum
	op := func(before, after func(x *graph.Node) *graph.Node, f func(x *graph.Node, axes ...int) *graph.Node) operator {
		return operator{Attributes: reduction, Inputs: 2, Rule: rule(reduce(before, f, after))}
	}
	add(map[string]operator{
		"ReduceSum":       op(nil, nil, sum),
		"ReduceMean":      op(nil, nil, mean),
		"ReduceMax":       op(nil, nil, extreme(graph.ReduceMax, graph.LogicalAny)),
		"ReduceMin":       op(nil, nil, extreme(graph.ReduceMin, graph.LogicalAll)),
		"ReduceProd":      op(nil, nil, graph.ReduceMultiply),
		"ReduceL1":        op(absolute, nil, sum),
		"ReduceL2":        op(graph.Square, root, sum),
		"ReduceSumSquare": op(graph.Square, nil, sum),
		"ReduceLogSum":    op(nil, graph.Log, sum),
		"ReduceLogSumExp": op(nil, nil, logSumExp),

		"CumSum":  {Attributes: "exclusive reverse", Inputs: 2, Types: numeric, Rule: rule(cumulative(graph.Add, 0))},
		"CumProd": {Attributes: "exclusive reverse", Inputs: 2, Types: numeric, Rule: rule(cumulative(graph.Mul, 1))},
	})
}

// reduce has its axes as an attribute in older files, and as an input in newer ones. before
// and after are done with each number, also where there are no axes to reduce.
func reduce(before func(x *graph.Node) *graph.Node, f func(x *graph.Node, axes ...int) *graph.Node, after func(x *graph.Node) *graph.Node) func(c *call) *graph.Node {
	return func(c *call) *graph.Node {
		x := c.x(0)
		kind := x.DType()
		if kind.IsFloat() && kind.Size() < 4 {
			x = graph.ConvertDType(x, dtypes.Float32)
		}
		if before != nil {
			x = before(x)
		}
		axes, _ := c.intsOr(1, "axes")
		axes = axesOf(axes, x.Rank())
		if len(axes) == 0 && !c.flag("noop_with_empty_axes") {
			for i := range x.Rank() {
				axes = append(axes, i)
			}
		}
		if len(axes) > 0 {
			if c.int("keepdims", 1) == 1 {
				x = graph.ReduceAndKeep(x, f, axes...)
			} else {
				x = f(x, axes...)
			}
		}
		if after != nil {
			x = after(x)
		}
		if kind != dtypes.Bool && x.DType() != kind {
			x = graph.ConvertDType(x, kind)
		}
		return x
	}
}

// inFloat computes sums of numbers of 16 bits in 32, as other runtimes do.
func inFloat(f func(x *graph.Node, axes ...int) *graph.Node) func(x *graph.Node, axes ...int) *graph.Node {
	return func(x *graph.Node, axes ...int) *graph.Node {
		d := x.DType()
		if !d.IsFloat() || d.Size() >= 4 {
			return f(x, axes...)
		}
		return graph.ConvertDType(f(graph.ConvertDType(x, dtypes.Float32), axes...), d)
	}
}

func root(x *graph.Node) *graph.Node {
	if x.DType().IsInt() {
		return graph.ConvertDType(graph.Sqrt(graph.ConvertDType(x, dtypes.Float64)), x.DType())
	}
	return graph.Sqrt(x)
}

// mean rounds integers towards zero.
func mean(x *graph.Node, axes ...int) *graph.Node {
	n := 1
	for _, a := range axes {
		n *= x.Shape().Dimensions[a]
	}
	y := graph.ReduceSum(x, axes...)
	return graph.Div(y, scalar(y, float64(n)))
}

// extreme is also for true and false, of which true is the larger.
func extreme(numbers, logical func(x *graph.Node, axes ...int) *graph.Node) func(x *graph.Node, axes ...int) *graph.Node {
	return func(x *graph.Node, axes ...int) *graph.Node {
		if x.DType() == dtypes.Bool {
			return logical(x, axes...)
		}
		return numbers(x, axes...)
	}
}

// logSumExp takes the largest number out first, so that no exponential is too large.
func logSumExp(x *graph.Node, axes ...int) *graph.Node {
	if x.Shape().Size() == 0 {
		return graph.Log(graph.ReduceSum(graph.Exp(x), axes...))
	}
	top := graph.StopGradient(graph.ReduceAndKeep(x, graph.ReduceMax, axes...))
	top = graph.Where(graph.IsFinite(top), top, graph.ZerosLike(top))
	y := graph.Log(graph.ReduceSum(graph.Exp(graph.Sub(x, top)), axes...))
	return graph.Add(y, graph.Reshape(top, y.Shape().Dimensions...))
}

// cumulative takes numbers together along an axis in steps that double, each number with
// that so many places before it.
func cumulative(f func(a, b *graph.Node) *graph.Node, neutral float64) func(c *call) *graph.Node {
	return func(c *call) *graph.Node {
		x := c.x(0)
		axis := axisOf(c.one(1), x.Rank())
		reverse := c.flag("reverse")
		if reverse {
			x = ops.Reverse(x, axis)
		}
		size := x.Shape().Dimensions[axis]
		fill := scalar(x, neutral)
		later := func(x *graph.Node, by int) *graph.Node {
			return part(padded(x, axis, [2]int{by, 0}, fill), axis, 0, size, 1)
		}
		if c.flag("exclusive") {
			x = later(x, 1)
		}
		for by := 1; by < size; by *= 2 {
			x = f(x, later(x, by))
		}
		if reverse {
			x = ops.Reverse(x, axis)
		}
		return x
	}
}
