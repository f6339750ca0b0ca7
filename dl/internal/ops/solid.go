package ops

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Solid makes x, a factor of a product with other, one whose numbers XLA's CPU reads from
// memory. A factor with the same numbers again along an axis it does not write there, and
// reads what happens to lie in it (XLA of jaxlib 0.11; no option changes it). XLA cannot
// know that what is chosen here is always x.
func Solid(x, other *graph.Node) *graph.Node {
	if x.Shape().Size() < 2 || !x.DType().IsFloat() || !repeats(x, map[*graph.Node]bool{}) {
		return x
	}
	source := other
	if x.IsConstantExpression() && other.IsConstantExpression() {
		return x
	}
	for source.Rank() > 0 {
		source = graph.Squeeze(graph.SliceAxis(source, 0, graph.AxisElem(0)), 0)
	}
	zero := graph.ZerosLike(source)
	never := graph.LogicalAnd(graph.LessThan(source, zero), graph.GreaterThan(source, zero))
	// The numbers differ along all axes: XLA puts what is equal along one inside the product.
	places := graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, x.Shape().Size()), 0)
	places = graph.Reshape(graph.ConvertDType(places, x.DType()), x.Shape().Dimensions...)
	never = graph.BroadcastToDims(graph.StopGradient(never), x.Shape().Dimensions...)
	return graph.Where(never, places, x)
}

// repeats says whether x has, or may have when it is simplified, the same numbers again
// along an axis: it is constant, or is broadcast, or is made of such numbers place by place.
func repeats(x *graph.Node, seen map[*graph.Node]bool) bool {
	if again, ok := seen[x]; ok {
		return again
	}
	seen[x] = false
	for _, in := range x.Inputs() {
		if x.Type() == graph.NodeTypeBroadcastInDim && in.Shape().Size() < x.Shape().Size() {
			seen[x] = true
			return true
		}
		// A slice may be of what repeats; other functions of another size compute something else.
		if x.Type() != graph.NodeTypeSlice && in.Shape().Size() != x.Shape().Size() && in.Shape().Size() > 1 {
			return false
		}
	}
	again := x.IsConstantExpression() || len(x.Inputs()) > 0
	for _, in := range x.Inputs() {
		again = again && repeats(in, seen)
	}
	seen[x] = again
	return again
}
