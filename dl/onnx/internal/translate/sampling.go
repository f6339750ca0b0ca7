package translate

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

func init() {
	add(map[string]operator{
		"GridSample": {Attributes: "mode padding_mode align_corners", Inputs: 2, Types: floating, Rule: rule(gridSample)},
		"AffineGrid": {Attributes: "align_corners", Inputs: 2, Types: floating, Rule: rule(affineGrid)},
		"RoiAlign":   {Attributes: "mode output_height output_width sampling_ratio spatial_scale coordinate_transformation_mode", Inputs: 3, Types: floating, Rule: rule(roiAlign)},
		"Col2Im":     {Attributes: "dilations pads strides", Inputs: 3, Types: numeric, Rule: rule(col2im)},
	})
}

// sampler reads images [batch, space…, channels] between their places.
type sampler struct {
	x       *graph.Node
	mode    string // nearest, linear or cubic
	padding string // zeros, border or reflection
	align   bool
}

// at reads at places, one tensor [batch, points] for each axis, and returns [batch, points,
// channels].
func (s sampler) at(places []*graph.Node) *graph.Node {
	space := len(places)
	taps := map[string]int{"nearest": 1, "linear": 2, "cubic": 4}[s.mode]
	ids := make([][]*graph.Node, space)     // by axis and tap
	weights := make([][]*graph.Node, space) // nil for 1
	for i, p := range places {
		ids[i], weights[i] = s.taps(p, i, taps)
	}
	f := frame{size: slices.Repeat([]int{taps}, space)}
	var sum *graph.Node
	f.places(func(tap []int) {
		var at []*graph.Node
		var weight *graph.Node
		for i, t := range tap {
			at = append(at, ids[i][t])
			if w := weights[i][t]; weight == nil {
				weight = w
			} else if w != nil {
				weight = graph.Mul(weight, w)
			}
		}
		y := s.read(at)
		if weight != nil {
			y = graph.Mul(y, graph.ExpandAxes(weight, 2))
		}
		sum = plus(sum, y)
	})
	return sum
}

// border is where reflection turns round.
func (s sampler) border(size int) (low, high float64) {
	if s.align {
		return 0, float64(size - 1)
	}
	return -0.5, float64(size) - 0.5
}

// reflected is x turned round at both borders as often as it has to be.
func reflected(x *graph.Node, low, high float64) *graph.Node {
	if high <= low {
		return graph.ZerosLike(x)
	}
	width := scalar(x, high-low)
	d := graph.Abs(graph.Sub(x, scalar(x, low)))
	n := graph.Floor(graph.Div(d, width))
	r := graph.Sub(d, graph.Mul(n, width))
	odd := graph.NotEqual(graph.Rem(n, scalar(n, 2)), graph.ZerosLike(n))
	return graph.Where(odd, graph.Sub(scalar(x, high), r), graph.Add(r, scalar(x, low)))
}

// taps are the places around p along an axis, and their shares, in which those outside are 0
// if the padding is.
func (s sampler) taps(p *graph.Node, axis, n int) (ids, weights []*graph.Node) {
	size := s.x.Shape().Dimensions[1+axis]
	low, high := s.border(size)
	if s.mode == "nearest" {
		p = graph.Round(p)
	}
	switch s.padding {
	case "border":
		p = graph.Min(graph.Max(p, scalar(p, 0)), scalar(p, float64(size-1)))
	case "reflection":
		outside := graph.LogicalOr(graph.LessThan(p, scalar(p, low)), graph.GreaterThan(p, scalar(p, high)))
		p = graph.Where(outside, reflected(p, low, high), p)
	}
	floor := graph.Floor(p)
	if s.mode == "nearest" && s.padding == "reflection" {
		floor = p
	}
	ratio := graph.Sub(p, floor)
	for t := range n {
		shift := t
		if n == 4 {
			shift = t - 1
		}
		at := graph.Add(floor, scalar(floor, float64(shift)))
		var w *graph.Node
		switch n {
		case 2:
			w = ratio
			if t == 0 {
				w = graph.Sub(scalar(ratio, 1), ratio)
			}
		case 4:
			w = keysNode(graph.Sub(ratio, scalar(ratio, float64(shift))))
		}
		switch s.padding {
		case "zeros":
			inside := graph.LogicalAnd(graph.GreaterOrEqual(at, scalar(at, 0)), graph.LessOrEqual(at, scalar(at, float64(size-1))))
			if w == nil {
				w = graph.OnesLike(at)
			}
			w = graph.Where(inside, w, graph.ZerosLike(w))
		case "reflection":
			outside := graph.LogicalOr(graph.LessThan(at, scalar(at, low)), graph.GreaterThan(at, scalar(at, high)))
			at = graph.Where(outside, reflected(at, low, high), at)
		}
		at = graph.Min(graph.Max(at, scalar(at, 0)), scalar(at, float64(size-1)))
		ids, weights = append(ids, graph.ConvertDType(at, dtypes.Int32)), append(weights, w)
	}
	return ids, weights
}

// keysNode is Keys' kernel with −0.75, as PyTorch has it.
func keysNode(d *graph.Node) *graph.Node {
	const a = -0.75
	d = graph.Abs(d)
	n := func(v float64) *graph.Node { return scalar(d, v) }
	inner := graph.Add(graph.Mul(graph.Mul(graph.Sub(graph.Mul(n(a+2), d), n(a+3)), d), d), n(1))
	outer := graph.Mul(graph.Sub(graph.Mul(n(a), d), n(5*a)), d)
	outer = graph.Sub(graph.Mul(graph.Add(outer, n(8*a)), d), n(4*a))
	return graph.Where(graph.LessOrEqual(d, graph.OnesLike(d)), inner, outer)
}

// read gathers whole places: at has an index [batch, points] for each axis in space.
func (s sampler) read(at []*graph.Node) *graph.Node {
	batch := graph.Iota(s.x.Graph(), shapes.Make(dtypes.Int32, at[0].Shape().Dimensions...), 0)
	return graph.Gather(s.x, graph.Stack(append([]*graph.Node{batch}, at...), 2))
}

// gridSample reads at places that go from −1 to 1 along each axis, the last axis first.
func gridSample(c *call) *graph.Node {
	in := c.images()
	grid := c.x(1)
	space := len(in) - 2
	g := grid.Shape().Dimensions
	if len(g) != len(in) || g[len(g)-1] != space || g[0] != in[0] {
		panic(fmt.Errorf("a grid of shape %v does not fit an input of shape %v", g, in))
	}
	mode := c.text("mode", "linear", "bilinear", "bicubic", "cubic", "nearest")
	mode = map[string]string{"bilinear": "linear", "bicubic": "cubic"}[mode] + map[string]string{"linear": "linear", "cubic": "cubic", "nearest": "nearest"}[mode]
	s := sampler{x: c.last(), mode: mode, padding: c.text("padding_mode", "zeros", "border", "reflection"), align: c.flag("align_corners")}
	points := grid.Shape().Size() / max(1, in[0]*space)
	grid = graph.Reshape(c.toSame(grid, s.x), in[0], points, space)
	out := append([]int{in[0], in[1]}, g[1:len(g)-1]...)
	if points == 0 {
		return graph.Zeros(c.g, sized(s.x.DType(), out))
	}
	var at []*graph.Node
	for i := range space {
		p := graph.Squeeze(graph.SliceAxis(grid, 2, graph.AxisElem(space-1-i)), 2)
		size := float64(in[2+i])
		p = graph.Add(p, scalar(p, 1))
		if s.align {
			p = graph.Mul(p, scalar(p, (size-1)/2))
		} else {
			p = graph.Mul(graph.Sub(graph.Mul(p, scalar(p, size)), scalar(p, 1)), scalar(p, 0.5))
		}
		at = append(at, p)
	}
	y := graph.TransposeAllAxes(s.at(at), 0, 2, 1)
	return graph.Reshape(y, out...)
}

// affineGrid is the grid for GridSample that a matrix turns and moves.
func affineGrid(c *call) *graph.Node {
	theta, size := c.x(0), c.ints(1)
	if len(size) != 4 && len(size) != 5 || theta.Rank() != 3 || theta.Shape().Dimensions[2] != len(size)-1 {
		panic(fmt.Errorf("a size of %v does not fit matrices of shape %v", size, theta.Shape().Dimensions))
	}
	space := size[2:]
	s := sized(theta.DType(), space)
	var all []*graph.Node
	for i := len(space) - 1; i >= 0; i-- {
		at := graph.Iota(c.g, s, i)
		n := float64(space[i])
		if c.flag("align_corners") {
			at = graph.Sub(graph.Mul(at, scalar(at, 2/math.Max(n-1, 1))), scalar(at, 1))
		} else {
			at = graph.Add(graph.Mul(at, scalar(at, 2/n)), scalar(at, 1/n-1))
		}
		all = append(all, graph.Reshape(at, s.Size()))
	}
	all = append(all, graph.OnesLike(all[0]))
	points := graph.Stack(all, 1) // [points, space+1]
	y := dot(theta, []int{2}, nil, points, []int{1}, nil)
	out := slices.Concat([]int{size[0]}, space, []int{len(space)})
	return graph.Reshape(graph.TransposeAllAxes(y, 0, 2, 1), out...)
}
