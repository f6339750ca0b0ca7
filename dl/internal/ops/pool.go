package ops

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/native"
)

// MaxPool is the largest number of each window of x, [batch, space…, channels], with places before
// and behind each axis that are none; of equal numbers the gradient goes to the first. It is nil
// where there is no kernel for it.
func MaxPool(x *graph.Node, size, strides []int, pads [][2]int) *graph.Node {
	if narrow(x) {
		return widened(func(in []*graph.Node) *graph.Node { return MaxPool(in[0], size, strides, pads) }, x)
	}
	lanes, space, d := native.For(x.Graph()), len(size), x.Shape().Dimensions
	if lanes == 0 || space < 1 || space > 2 || x.DType() != dtypes.Float32 || !fills(d[space+1], lanes) || x.Shape().Size() == 0 {
		return nil
	}
	p := &pool{space: space}
	first := slices.Repeat([]int{1}, 2-space)
	p.settings = slices.Concat(first, size, first, strides, slices.Repeat([]int{0}, 2-space))
	dims := []int{d[0]}
	for i, at := range pads {
		if at[0] < 0 || at[1] < 0 || at[0] >= size[i] || at[1] >= size[i] {
			return nil
		}
		p.settings = append(p.settings, at[0])
		dims = append(dims, (d[1+i]+at[0]+at[1]-size[i])/strides[i]+1)
	}
	p.x = x
	p.y = p.call("pool_max", append(dims, d[space+1]), x)
	return WithGradient([]*graph.Node{p.y}, []*graph.Node{x}, func(d []*graph.Node) []*graph.Node {
		dx := p.back(d[0])
		pools(x.Graph())[dx] = p.with(d[0])
		return []*graph.Node{dx}
	})[0]
}

// pool is a pooling layer's call.
type pool struct {
	space    int
	settings []int
	x, y, dy *graph.Node
}

func (p *pool) with(dy *graph.Node) *pool {
	other := *p
	other.dy = dy
	return &other
}

func (p *pool) call(name string, out []int, in ...*graph.Node) *graph.Node {
	shape := shapes.Make(p.x.DType(), out...)
	if p.space == 2 {
		return native.Call(name, p.settings, in, shape)[0]
	}
	wide := make([]*graph.Node, len(in))
	for i, x := range in {
		wide[i] = graph.InsertAxes(x, 1)
	}
	shape.Dimensions = slices.Insert(slices.Clone(out), 1, 1)
	return graph.Squeeze(native.Call(name, p.settings, wide, shape)[0], 1)
}

// back is the gradient by x, which is linear in dy, as pick is in what it is the gradient by.
func (p *pool) back(dy *graph.Node) *graph.Node {
	dx := p.call("pool_back", p.x.Shape().Dimensions, p.x, p.y, dy)
	return WithGradient([]*graph.Node{dx}, []*graph.Node{dy}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{p.pick(d[0])}
	})[0]
}

func (p *pool) pick(d *graph.Node) *graph.Node {
	picked := p.call("pool_pick", p.y.Shape().Dimensions, p.x, p.y, d)
	return WithGradient([]*graph.Node{picked}, []*graph.Node{d}, func(d []*graph.Node) []*graph.Node {
		return []*graph.Node{p.back(d[0])}
	})[0]
}

// rectified is the gradient of what x, which is y and max(z, 0), was made of: by z and by the bias in it.
func (p *pool) rectified(y *graph.Node) (dz, db *graph.Node) {
	if p.space != 2 {
		return rectifiedBack(y, p.back(p.dy))
	}
	sums := shapes.Make(y.DType(), y.Shape().Dimensions[y.Rank()-1])
	both := native.Call("pool_back", p.settings, []*graph.Node{y, p.y, p.dy}, y.Shape(), sums)
	both = WithGradient(both, []*graph.Node{p.dy}, func(d []*graph.Node) []*graph.Node {
		if d[0] != nil {
			d[0] = p.pick(d[0])
		}
		return []*graph.Node{passed(p.y, d)}
	})
	return both[0], both[1]
}

type poolsKey struct{}

// pools are the poolings of a graph by their gradients, for what is before them to be taken together
// with them.
func pools(g *graph.Graph) map[*graph.Node]*pool { return byNode[*pool](g, poolsKey{}) }

// poolOf is the pooling of x whose gradient d is, and nothing else's; nil if it is something else.
func poolOf(d, x *graph.Node) *pool {
	if p := pools(x.Graph())[d]; p != nil && p.x == x {
		return p
	}
	return nil
}
