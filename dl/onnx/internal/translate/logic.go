package translate

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

func init() {
	add(map[string]operator{
		"Greater":        {Attributes: oldPair, Inputs: 2, Types: numeric, Rule: binary(graph.GreaterThan)},
		"GreaterOrEqual": {Inputs: 2, Types: numeric, Rule: binary(graph.GreaterOrEqual)},
		"Less":           {Attributes: oldPair, Inputs: 2, Types: numeric, Rule: binary(graph.LessThan)},
		"LessOrEqual":    {Inputs: 2, Types: numeric, Rule: binary(graph.LessOrEqual)},
		"Equal":          {Attributes: oldPair, Inputs: 2, Rule: binary(graph.Equal)},
		"And":            {Attributes: oldPair, Inputs: 2, Types: booleans, Rule: binary(graph.LogicalAnd)},
		"Or":             {Attributes: oldPair, Inputs: 2, Types: booleans, Rule: binary(graph.LogicalOr)},
		"Xor":            {Attributes: oldPair, Inputs: 2, Types: booleans, Rule: binary(graph.LogicalXor)},
		"Not":            {Inputs: 1, Types: booleans, Rule: unary(graph.LogicalNot)},
		"Where":          {Inputs: 3, Types: booleans, Rule: where},
		"IsNaN":          {Inputs: 1, Types: floating, Rule: unary(graph.IsNaN)},
		"IsInf":          {Attributes: "detect_negative detect_positive", Inputs: 1, Types: floating, Rule: with(isInf)},
	})
}

func where(c *call) []*value {
	x, last := c.broadcast()
	dims := make([]int, x[0].Rank())
	for i := range dims {
		for _, n := range x {
			if d := n.Shape().Dimensions[i]; d != 1 {
				dims[i] = d
			}
		}
		if dims[i] == 0 && x[0].Shape().Dimensions[i] == 1 && x[1].Shape().Dimensions[i] == 1 && x[2].Shape().Dimensions[i] == 1 {
			dims[i] = 1
		}
	}
	for i := range x {
		x[i] = graph.BroadcastToDims(x[i], dims...)
	}
	return []*value{{node: graph.Where(x[0], x[1], x[2]), last: last}}
}

func isInf(c *call, x *graph.Node) *graph.Node {
	d := x.DType()
	if d.Size() < 4 { // XLA compares halves with infinity as floats in any case
		x = graph.ConvertDType(x, dtypes.Float32)
	}
	y := graph.LogicalAnd(graph.IsNaN(x), graph.LogicalNot(graph.IsNaN(x))) // false everywhere
	if c.int("detect_positive", 1) != 0 {
		y = graph.LogicalOr(y, graph.Equal(x, scalar(x, math.Inf(1))))
	}
	if c.int("detect_negative", 1) != 0 {
		y = graph.LogicalOr(y, graph.Equal(x, scalar(x, math.Inf(-1))))
	}
	return y
}
