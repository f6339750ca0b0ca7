package ops

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/native"
)

// ConvolveBiased is Convolve with a bias, which may be nil, and, if rectified, max(y, 0) of that: by
// one kernel, forward, and by one for what comes before the convolution's gradients. It is nil
// where there are no kernels.
func ConvolveBiased(x, kernel, bias *graph.Node, rectified bool, strides, dilation []int, pads [][2]int, groups int) *graph.Node {
	if narrow(x) {
		return widened(func(in []*graph.Node) *graph.Node {
			return ConvolveBiased(in[0], in[1], in[2], rectified, strides, dilation, pads, groups)
		}, x, kernel, bias)
	}
	k := newKernels(x, kernel, strides, dilation, pads, groups)
	if k == nil || bias == nil && !rectified || idle(x, kernel, pads) >= 0 || bias != nil && !vector(bias, x.DType(), kernel.Shape().Dimensions[kernel.Rank()-1]) {
		return nil
	}
	t := tail{shift: bias}
	if rectified {
		t.after = ReLU
	}
	ins := append([]*graph.Node{x, kernel}, t.nodes()...)
	y := k.behind(t).call("conv_forward", k.y, ins...)
	var out *graph.Node
	out = WithGradient([]*graph.Node{y}, ins, func(d []*graph.Node) []*graph.Node {
		dz := d[0]
		var db *graph.Node
		switch p := poolOf(dz, out); {
		case rectified && p != nil:
			dz, db = p.rectified(y)
		case rectified:
			dz, db = rectifiedBack(y, dz)
		case bias != nil:
			db = graph.ReduceSum(dz, upTo(dz.Rank()-1)...)
		}
		by := []*graph.Node{k.byInput(dz, kernel), k.byWindow(x, dz)}
		if bias != nil {
			by = append(by, db)
		}
		return by
	})[0]
	return out
}

// rectifiedBack is the gradient by z and by the bias in it, where y is max(z, 0).
func rectifiedBack(y, dy *graph.Node) (dz, db *graph.Node) {
	channels := y.Shape().Dimensions[y.Rank()-1]
	both := native.Call("relu_back", nil, []*graph.Node{y, dy}, y.Shape(), shapes.Make(y.DType(), channels))
	both = WithGradient(both, []*graph.Node{dy}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{passed(y, d)}
	})
	return both[0], both[1]
}

// Plus adds to a sum, which is nil at first.
func Plus(sum, x *graph.Node) *graph.Node {
	if sum == nil {
		return x
	}
	return graph.Add(sum, x)
}

// passed is what comes back through max(z, 0), where it is y, to what both of d depend on: by z and
// by the bias, of which one may be nil.
func passed(y *graph.Node, d []*graph.Node) *graph.Node {
	var sum *graph.Node
	for _, each := range d {
		if each != nil {
			sum = Plus(sum, graph.BroadcastToShape(graph.ExpandLeftToRank(each, y.Rank()), y.Shape()))
		}
	}
	zero := graph.ZerosLike(y)
	return graph.Where(graph.LessOrEqual(y, zero), zero, sum)
}
