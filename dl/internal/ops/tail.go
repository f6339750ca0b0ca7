package ops

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// tail is what comes behind a sum of products in one kernel with it: y · factor + shift + also, and then After.
type tail struct {
	factor, shift *graph.Node // of filters; nil is 1 and 0
	also          *graph.Node // of the shape of the result; nil is nothing
	after         After
}

// open is a result that can be computed together with what comes behind it.
type open struct {
	tail
	// with is the result with another tail.
	with func(tail) *graph.Node
}

type opensKey struct{}

func opens(g *graph.Graph) map[*graph.Node]open { return byNode[open](g, opensKey{}) }

// opened makes a result that can have more behind it, of a function that computes it with a tail.
func opened(t tail, with func(tail) *graph.Node) *graph.Node {
	y := with(t)
	opens(y.Graph())[y] = open{t, with}
	return y
}

// Scaled is y · factor + shift, which are of its last axis, in one kernel with what y is made of, on which it
// depends in place of y. It is nil if there is no kernel for that. It pays only where nothing else needs y.
func Scaled(y, factor, shift *graph.Node) *graph.Node {
	o, ok := opens(y.Graph())[y]
	filters := y.Shape().Dimensions[y.Rank()-1]
	if !ok || o.also != nil || o.after != Nothing || !vector(factor, y.DType(), filters) || !vector(shift, y.DType(), filters) {
		return nil
	}
	t := o.tail
	if t.factor == nil {
		t.factor = factor
	} else {
		t.factor = graph.Mul(t.factor, factor)
	}
	if t.shift == nil {
		t.shift = shift
	} else {
		t.shift = graph.Add(graph.Mul(t.shift, factor), shift)
	}
	return opened(t, o.with)
}

// Added is y + also, as Scaled.
func Added(y, also *graph.Node) *graph.Node {
	o, ok := opens(y.Graph())[y]
	if !ok || o.also != nil || o.after != Nothing || !also.Shape().Equal(y.Shape()) {
		return nil
	}
	t := o.tail
	t.also = also
	return opened(t, o.with)
}

// Then is y and what comes after, as Scaled. It also knows normalizations in training.
func Then(y *graph.Node, after After) *graph.Node {
	if n := norms(y.Graph())[y]; n != nil && after != Positive {
		return n.apply(after)
	}
	o, ok := opens(y.Graph())[y]
	if !ok || o.after != Nothing {
		return nil
	}
	t := o.tail
	t.after = after
	return opened(t, o.with)
}

// ConvolveOpen is Convolve with a bias, which may be nil, for what is not trained: Scaled, Added and Then can
// follow. It is nil where there are no kernels.
func ConvolveOpen(x, kernel, bias *graph.Node, strides, dilation []int, pads [][2]int, groups int) *graph.Node {
	if narrow(x) {
		return widened(func(in []*graph.Node) *graph.Node {
			return ConvolveOpen(in[0], in[1], in[2], strides, dilation, pads, groups)
		}, x, kernel, bias)
	}
	k := newKernels(x, kernel, strides, dilation, pads, groups)
	if k == nil || idle(x, kernel, pads) >= 0 || bias != nil && !vector(bias, x.DType(), kernel.Shape().Dimensions[kernel.Rank()-1]) {
		return nil
	}
	return opened(tail{shift: bias}, func(t tail) *graph.Node {
		ins := []*graph.Node{x, kernel}
		y := k.behind(t).call("conv_forward", k.y, append(slices.Clone(ins), t.nodes()...)...)
		return graded(y, append(ins, t.nodes()...), func(ins []*graph.Node) *graph.Node {
			return t.of(k.forward(ins[0], ins[1]), ins[2:])
		})
	})
}

// vector says whether n is a number for each filter: kernels read as many.
func vector(n *graph.Node, dtype dtypes.DType, filters int) bool {
	return n.DType() == dtype && n.Rank() == 1 && n.Shape().Size() == filters
}

// nodes are what there is of shift, factor and also, in the order of the kernel.
func (t tail) nodes() (all []*graph.Node) {
	for _, n := range []*graph.Node{t.shift, t.factor, t.also} {
		if n != nil {
			all = append(all, n)
		}
	}
	return all
}

// has says by bits which of nodes there are.
func (t tail) has() (bits int) {
	for i, n := range []*graph.Node{t.shift, t.factor, t.also} {
		if n != nil {
			bits |= 1 << i
		}
	}
	return bits
}

// of is the tail of y without a kernel, with nodes in place of its own.
func (t tail) of(y *graph.Node, nodes []*graph.Node) *graph.Node {
	next := func(own *graph.Node) *graph.Node {
		if own == nil {
			return nil
		}
		n := nodes[0]
		nodes = nodes[1:]
		return graph.ExpandLeftToRank(n, y.Rank())
	}
	shift, factor, also := next(t.shift), next(t.factor), next(t.also)
	if factor != nil {
		y = graph.Mul(y, factor)
	}
	for _, n := range []*graph.Node{shift, also} {
		if n != nil {
			y = graph.Add(y, n)
		}
	}
	zero := graph.ZerosLike(y)
	if t.after == Positive {
		return graph.Where(graph.GreaterThan(y, zero), y, zero)
	}
	if t.after != Nothing {
		y = graph.Where(graph.LessOrEqual(y, zero), zero, y)
	}
	if t.after == ReLU6 {
		six := graph.AddScalar(zero, 6)
		y = graph.Where(graph.GreaterOrEqual(y, six), six, y)
	}
	return y
}

// graded is y with the gradient of what plain makes of ins, which is the same without a kernel.
func graded(y *graph.Node, ins []*graph.Node, plain func(ins []*graph.Node) *graph.Node) *graph.Node {
	return WithGradient([]*graph.Node{y}, ins, func(d []*graph.Node) []*graph.Node {
		own := make([]*graph.Node, len(ins)) // none of which depends on another
		for i, n := range ins {
			own[i] = graph.Identity(n)
		}
		return graph.Gradient(graph.ReduceAllSum(graph.Mul(plain(own), d[0])), own...)
	})[0]
}
