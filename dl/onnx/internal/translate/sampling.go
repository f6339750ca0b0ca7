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
		if sum == nil {
			sum = y
		} else {
			sum = graph.Add(sum, y)
		}
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
	in := c.images(0)
	grid := c.x(1)
	space := len(in) - 2
	g := grid.Shape().Dimensions
	if len(g) != len(in) || g[len(g)-1] != space || g[0] != in[0] {
		panic(fmt.Errorf("a grid of shape %v does not fit an input of shape %v", g, in))
	}
	mode := c.text("mode", "linear", "bilinear", "bicubic", "cubic", "nearest")
	mode = map[string]string{"bilinear": "linear", "bicubic": "cubic"}[mode] + map[string]string{"linear": "linear", "cubic": "cubic", "nearest": "nearest"}[mode]
	s := sampler{x: c.last(0), mode: mode, padding: c.text("padding_mode", "zeros", "border", "reflection"), align: c.flag("align_corners")}
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

// roiAlign averages, or takes the largest of, points of each part of a region.
//
// Source: https://arxiv.org/abs/1703.06870
func roiAlign(c *call) *graph.Node {
	in := c.images(0)
	if len(in) != 4 {
		panic(fmt.Errorf("expected images, got shape %v", in))
	}
	h, w := c.int("output_height", 1), c.int("output_width", 1)
	ratio := c.int("sampling_ratio", 0)
	half := 0.5
	if c.text("coordinate_transformation_mode", "half_pixel", "output_half_pixel") == "output_half_pixel" || c.opset < 16 {
		half = 0
	}
	scale := c.float("spatial_scale", 1)
	rois, batch := Reals(c.known(1)), c.ints(2)
	n := len(batch)
	if len(rois) != 4*n || h < 1 || w < 1 {
		panic(fmt.Errorf("expected 4 numbers for each of %d regions, got %d", n, len(rois)))
	}
	x := c.last(0)
	mean := c.text("mode", "avg", "max") == "avg"
	var all []*graph.Node
	for i, b := range batch {
		if b < 0 || b >= in[0] {
			panic(fmt.Errorf("expected a region of one of %d images, got one of %d", in[0], b))
		}
		r := rois[4*i : 4*i+4]
		x0, y0, x1, y1 := r[0]*scale-half, r[1]*scale-half, r[2]*scale-half, r[3]*scale-half
		width, height := x1-x0, y1-y0
		if half == 0 {
			width, height = math.Max(width, 1), math.Max(height, 1)
		}
		ny, nx := ratio, ratio
		if ratio <= 0 {
			ny, nx = int(math.Ceil(height/float64(h))), int(math.Ceil(width/float64(w)))
		}
		ny, nx = min(max(ny, 1), 1<<10), min(max(nx, 1), 1<<10)
		image := graph.SliceAxis(x, 0, graph.AxisRange(b, b+1))
		all = append(all, pooledRegion(image, regionPoints(in[2], y0, height, h, ny), regionPoints(in[3], x0, width, w, nx), h, w, ny, nx, mean))
	}
	if n == 0 {
		return graph.Zeros(c.g, sized(x.DType(), []int{0, in[1], h, w}))
	}
	return channelsFirst(graph.Concatenate(all, 0))
}

// point is a place between two others: their indices and shares.
type point struct {
	low, high int
	share     float64 // of high
	inside    bool
}

func regionPoints(size int, start, extent float64, parts, each int) []point {
	var all []point
	for i := range parts {
		for j := range each {
			v := start + float64(i)*extent/float64(parts) + (float64(j)+0.5)*extent/float64(parts*each)
			p := point{inside: v >= -1 && v <= float64(size)}
			v = math.Max(v, 0)
			p.low = int(v)
			if p.low >= size-1 || !p.inside {
				p.low = min(size-1, max(p.low, 0))
				p.high = p.low
			} else {
				p.high, p.share = p.low+1, v-float64(p.low)
			}
			all = append(all, p)
		}
	}
	return all
}

// pooledRegion takes the points of each part of a region of [1, height, width, channels]
// together.
func pooledRegion(x *graph.Node, ys, xs []point, h, w, ny, nx int, mean bool) *graph.Node {
	channels := x.Shape().Dimensions[3]
	read := func(yHigh, xHigh bool) *graph.Node {
		index := func(all []point, high bool) []int {
			var out []int
			for _, p := range all {
				if high {
					out = append(out, p.high)
				} else {
					out = append(out, p.low)
				}
			}
			return out
		}
		share := func(all []point, high bool, shape ...int) *graph.Node {
			var out []float64
			for _, p := range all {
				v := p.share
				if !high {
					v = 1 - p.share
				}
				if !p.inside {
					v = 0
				}
				out = append(out, v)
			}
			return graph.Reshape(graph.ConstAsDType(x.Graph(), x.DType(), out), shape...)
		}
		y := taken(taken(x, 1, index(ys, yHigh)), 2, index(xs, xHigh))
		return graph.Mul(graph.Mul(y, share(ys, yHigh, 1, len(ys), 1, 1)), share(xs, xHigh, 1, 1, len(xs), 1))
	}
	four := []*graph.Node{read(false, false), read(false, true), read(true, false), read(true, true)}
	split := func(y *graph.Node) *graph.Node { return graph.Reshape(y, 1, h, ny, w, nx, channels) }
	if !mean {
		// ONNX takes the largest of the four shares of each point, not of their sum.
		y := four[0]
		for _, f := range four[1:] {
			y = graph.Max(y, f)
		}
		return graph.ReduceMax(split(y), 2, 4)
	}
	y := graph.Add(graph.Add(four[0], four[1]), graph.Add(four[2], four[3]))
	return graph.ReduceMean(split(y), 2, 4)
}

// col2im adds columns of windows back into an image.
func col2im(c *call) *graph.Node {
	x, image, block := c.x(0), c.ints(1), c.ints(2)
	n := len(image)
	f := frame{size: block, strides: c.list("strides", ones(n)...), dilation: c.list("dilations", ones(n)...), pads: make([][2]int, n)}
	pads := c.list("pads", make([]int, 2*n)...)
	if x.Rank() != 3 || len(block) != n || len(f.strides) != n || len(f.dilation) != n || len(pads) != 2*n {
		panic(fmt.Errorf("expected [batch, numbers, windows] and sizes of %d axes, got shape %v", n, x.Shape().Dimensions))
	}
	for i := range n {
		f.pads[i] = [2]int{pads[i], pads[n+i]}
	}
	count := f.out(image)
	d := x.Shape().Dimensions
	size, windows := 1, 1
	for i := range n {
		size *= block[i]
		windows *= count[i]
	}
	if d[1]%size != 0 || d[2] != windows {
		panic(fmt.Errorf("an input of shape %v does not fit windows of %v over %v", d, block, image))
	}
	channels := d[1] / size
	x = graph.Reshape(x, slices.Concat([]int{d[0], channels, size}, count)...)
	var sum *graph.Node
	place := 0
	f.places(func(at []int) {
		y := graph.Squeeze(graph.SliceAxis(x, 2, graph.AxisElem(place)), 2)
		place++
		for i, a := range at {
			axis := 2 + i
			y = spreadAxis(y, axis, f.strides[i])
			before := a*f.dilation[i] - f.pads[i][0]
			y = part(y, axis, max(0, -before), y.Shape().Dimensions[axis], 1)
			before = max(before, 0)
			left := image[i] - before
			y = part(y, axis, 0, min(left, y.Shape().Dimensions[axis]), 1)
			y = padded(y, axis, [2]int{before, left - y.Shape().Dimensions[axis]}, scalar0(y))
		}
		if sum == nil {
			sum = y
		} else {
			sum = graph.Add(sum, y)
		}
	})
	return sum
}

// spreadAxis puts by − 1 zeros between the numbers of an axis.
func spreadAxis(x *graph.Node, axis, by int) *graph.Node {
	if by == 1 {
		return x
	}
	d := slices.Clone(x.Shape().Dimensions)
	y := padded(graph.InsertAxes(x, axis+1), axis+1, [2]int{0, by - 1}, scalar0(x))
	size := d[axis]
	d[axis] *= by
	return part(graph.Reshape(y, d...), axis, 0, (size-1)*by+1, 1)
}

// deformConv is a convolution each of whose windows has places of its own.
//
// Source: https://arxiv.org/abs/1811.11168
func deformConv(c *call) *graph.Node {
	in, k := c.images(0), c.value(1).shape().Dimensions
	if len(in) != 4 || len(k) != 4 {
		panic(fmt.Errorf("expected images, got shape %v", in))
	}
	f := c.frame(in[2:], k[2:])
	out := f.out(in[2:])
	groups, apart := c.int("group", 1), c.int("offset_group", 1)
	size := k[2] * k[3]
	if groups < 1 || apart < 1 || in[1] != k[1]*groups || in[1]%apart != 0 || k[0]%groups != 0 {
		panic(fmt.Errorf("%d channels in %d groups do not fit a kernel of shape %v", in[1], groups, k))
	}
	points := out[0] * out[1]
	offset := graph.Reshape(c.x(2), in[0], apart, size, 2, points)
	var mask *graph.Node
	if c.has(4) {
		mask = graph.Reshape(c.x(4), in[0], apart, size, points)
	}
	x := c.last(0)
	each := in[1] / apart
	start := sized(x.DType(), []int{in[0], out[0], out[1]})
	var columns []*graph.Node // by place of the window: [batch, points, channels]
	place := 0
	f.places(func(at []int) {
		var parts []*graph.Node
		for g := range apart {
			var places []*graph.Node
			for axis := range 2 {
				first := graph.Mul(graph.Iota(c.g, start, 1+axis), graph.Scalar(c.g, x.DType(), f.strides[axis]))
				first = graph.Add(first, graph.Scalar(c.g, x.DType(), at[axis]*f.dilation[axis]-f.pads[axis][0]))
				o := graph.Slice(offset, graph.AxisRange(), graph.AxisElem(g), graph.AxisElem(place), graph.AxisElem(axis), graph.AxisRange())
				places = append(places, graph.Add(graph.Reshape(first, in[0], points), graph.Reshape(o, in[0], points)))
			}
			y := sampler{x: part(x, 3, g*each, (g+1)*each, 1), mode: "linear", padding: "zeros", align: true}.at(places)
			if mask != nil {
				m := graph.Slice(mask, graph.AxisRange(), graph.AxisElem(g), graph.AxisElem(place), graph.AxisRange())
				y = graph.Mul(y, graph.Reshape(m, in[0], points, 1))
			}
			parts = append(parts, y)
		}
		columns = append(columns, graph.Concatenate(parts, 2))
		place++
	})
	w := c.x(1)
	var results []*graph.Node
	for g := range groups {
		var sum *graph.Node
		for p, col := range columns {
			wg := graph.Slice(w, graph.AxisRange(g*k[0]/groups, (g+1)*k[0]/groups), graph.AxisRange(), graph.AxisElem(p/k[3]), graph.AxisElem(p%k[3]))
			y := dot(part(col, 2, g*k[1], (g+1)*k[1], 1), []int{2}, nil, graph.Reshape(wg, k[0]/groups, k[1]), []int{1}, nil)
			if sum == nil {
				sum = y
			} else {
				sum = graph.Add(sum, y)
			}
		}
		results = append(results, sum)
	}
	y := graph.TransposeAllAxes(graph.Concatenate(results, 2), 0, 2, 1)
	y = graph.Reshape(y, in[0], k[0], out[0], out[1])
	if c.has(3) {
		y = graph.Add(y, channels(c.x(3), 4))
	}
	return y
}
