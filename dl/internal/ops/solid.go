package ops

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Solid makes x, a factor of a product with other, one whose numbers XLA's CPU reads from
// memory. A factor that is one number for all places it does not write there, and reads
// what happens to lie in it (XLA of jaxlib 0.11; no option changes it). XLA cannot know that
// what is chosen here is always x.
func Solid(x, other *graph.Node) *graph.Node {
	if x.Shape().Size() < 2 || !x.DType().IsFloat() || !uniform(x) {
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
	s := x.Shape().Clone()
	s.DType = dtypes.Int32
	places := graph.ConvertDType(graph.Iota(x.Graph(), s, 0), x.DType())
	if s.Dimensions[0] == 1 {
		places = graph.ConvertDType(graph.Iota(x.Graph(), s, s.Rank()-1), x.DType())
	}
	never = graph.BroadcastToDims(graph.StopGradient(never), s.Dimensions...)
	return graph.Where(never, places, x)
}

// uniform says whether x is, or may become when it is simplified, one number for all places.
func uniform(x *graph.Node) bool {
	if x.IsConstantExpression() {
		return true
	}
	for {
		in := x.Inputs()
		if len(in) != 1 {
			return false
		}
		if x.Type() == graph.NodeTypeBroadcastInDim && in[0].Shape().Size() == 1 {
			return true
		}
		switch x.Type() {
		case graph.NodeTypeBroadcastInDim, graph.NodeTypeReshape, graph.NodeTypeTranspose, graph.NodeTypeConvertDType, graph.NodeTypeSlice, graph.NodeTypeReverse, graph.NodeTypeNeg, graph.NodeTypeIdentity:
			x = in[0]
		default:
			return false
		}
	}
}
