package operation

import (
	"github.com/gomlx/gomlx/core/graph"

	internal "github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	binary(map[string]func(a, b *graph.Node) *graph.Node{
		"equal": graph.Equal, "not_equal": graph.NotEqual, "greater": graph.GreaterThan, "greater_equal": graph.GreaterOrEqual,
		"less": graph.LessThan, "less_equal": graph.LessOrEqual,
		"logical_and": func(a, b *graph.Node) *graph.Node { return graph.LogicalAnd(internal.Truth(a), internal.Truth(b)) },
		"logical_or":  func(a, b *graph.Node) *graph.Node { return graph.LogicalOr(internal.Truth(a), internal.Truth(b)) },
		"logical_xor": func(a, b *graph.Node) *graph.Node { return graph.NotEqual(internal.Truth(a), internal.Truth(b)) },
	})
	table["logical_not"] = func(_ Operation, x []*graph.Node) *graph.Node { return graph.LogicalNot(internal.Truth(x[0])) }
	table["isnan"] = func(_ Operation, x []*graph.Node) *graph.Node { return graph.NotEqual(x[0], x[0]) }
	table["isfinite"] = func(_ Operation, x []*graph.Node) *graph.Node { return graph.IsFinite(float(x[0])) }
	table["where"] = func(_ Operation, x []*graph.Node) *graph.Node {
		a, b := oneType(x[1], x[2])
		a, b = broadcast(a, b)
		c, a := broadcast(internal.Truth(x[0]), a)
		_, b = broadcast(c, b)
		return graph.Where(c, a, b)
	}
}
