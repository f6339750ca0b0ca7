package translate

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

func ceil(x float64) float64 { return math.Ceil(x) }

func init() {
	add(map[string]operator{
		"Reshape":       {Attributes: "shape allowzero", Inputs: 2, Rule: rule(reshape)},
		"Flatten":       {Attributes: "axis", Inputs: 1, Rule: rule(flatten)},
		"Transpose":     {Attributes: "perm", Inputs: 1, Rule: rule(transpose)},
		"Squeeze":       {Attributes: "axes", Inputs: 2, Rule: rule(squeeze)},
		"Unsqueeze":     {Attributes: "axes", Inputs: 2, Rule: rule(unsqueeze)},
		"Concat":        {Attributes: "axis", Inputs: unlimited, Rule: concat},
		"Slice":         {Attributes: "starts ends axes", Inputs: 5, Rule: rule(slice)},
		"Split":         {Attributes: "axis split num_outputs", Inputs: 2, Outputs: unlimited, Rule: split},
		"Expand":        {Inputs: 2, Rule: rule(expand)},
		"Tile":          {Inputs: 2, Rule: rule(tile)},
		"Pad":           {Attributes: "pads paddings mode value", Inputs: 4, Rule: rule(pad)},
		"Trilu":         {Attributes: "upper", Inputs: 2, Rule: rule(trilu)},
		"DepthToSpace":  {Attributes: "blocksize mode", Inputs: 1, Rule: rule(depthToSpace)},
		"SpaceToDepth":  {Attributes: "blocksize mode", Inputs: 1, Rule: rule(spaceToDepth)},
		"CenterCropPad": {Attributes: "axes", Inputs: 2, Rule: rule(centerCropPad)},
		"ReverseSequence": {Attributes: "batch_axis time_axis", Inputs: 2, Rule: rule(func(c *call) *graph.Node {
			return reverseSequence(c.x(0), casted(c.x(1), dtypes.Int32), c.axis(0, c.x(0).Rank()), c.int("batch_axis", 1), c.int("time_axis", 0))
		})},
	})
}

func reshape(c *call) *graph.Node {
	x := c.x(0)
	to, ok := c.intsOr(1, "shape")
	if !ok {
		panic(fmt.Errorf("expected a shape, got none"))
	}
	dims, size, free := slices.Clone(to), 1, -1
	for i, d := range dims {
		if d == 0 && !c.flag("allowzero") {
			if i >= x.Rank() {
				panic(fmt.Errorf("shape %v takes its axis %d from the input, which has %d", to, i, x.Rank()))
			}
			dims[i] = x.Shape().Dimensions[i]
		}
		if d == -1 {
			if free >= 0 {
				panic(fmt.Errorf("expected at most one -1 in shape %v", to))
			}
			free = i
			continue
		}
		if dims[i] < 0 {
			panic(fmt.Errorf("expected dimensions of at least 0 in shape %v", to))
		}
		size *= dims[i]
	}
	total := x.Shape().Size()
	if free >= 0 && size > 0 {
		dims[free] = total / size
		size *= dims[free]
	} else if free >= 0 {
		dims[free] = 0
	}
	if size != total {
		panic(fmt.Errorf("shape %v has %d numbers, the input of shape %v has %d", to, size, x.Shape().Dimensions, total))
	}
	return graph.Reshape(x, dims...)
}

func flatten(c *call) *graph.Node {
	x := c.x(0)
	axis := c.int("axis", 1)
	if axis < 0 {
		axis += x.Rank()
	}
	if axis < 0 || axis > x.Rank() {
		panic(fmt.Errorf("expected an axis of %d, got %d", x.Rank(), c.int("axis", 1)))
	}
	rows, columns := 1, 1
	for i, d := range x.Shape().Dimensions {
		if i < axis {
			rows *= d
		} else {
			columns *= d
		}
	}
	return graph.Reshape(x, rows, columns)
}

func transpose(c *call) *graph.Node {
	v := c.value(0)
	rank := v.shape().Rank()
	perm := c.list("perm")
	if perm == nil {
		for i := rank - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
	}
	if len(perm) != rank {
		panic(fmt.Errorf("expected %d axes in perm, got %v", rank, perm))
	}
	if v.last && v.node != nil && v.first == nil { // its channels are at the end already: turn them once
		from := []int{0, rank - 1}
		for i := 1; i < rank-1; i++ {
			from = append(from, i)
		}
		both := make([]int, rank)
		for i, p := range perm {
			both[i] = from[p]
		}
		return transposed(v.node, both...)
	}
	if v.weight != "" && v.node == nil && v.known == nil {
		if n := c.weightNode(v.weight, perm); n != nil {
			return n
		}
	}
	return transposed(c.node(v), perm...)
}

// transposed leaves out what would change nothing.
func transposed(x *graph.Node, perm ...int) *graph.Node {
	for i, p := range perm {
		if i != p {
			return graph.TransposeAllAxes(x, perm...)
		}
	}
	return x
}

func squeeze(c *call) *graph.Node {
	x := c.x(0)
	axes, ok := c.intsOr(1, "axes")
	axes = axesOf(axes, x.Rank())
	var dims []int
	for i, d := range x.Shape().Dimensions {
		switch {
		case !ok && d == 1:
		case ok && slices.Contains(axes, i):
			if d != 1 {
				panic(fmt.Errorf("expected axis %d of shape %v to be 1", i, x.Shape().Dimensions))
			}
		default:
			dims = append(dims, d)
		}
	}
	return graph.Reshape(x, dims...)
}

func unsqueeze(c *call) *graph.Node {
	x := c.x(0)
	axes, ok := c.intsOr(1, "axes")
	if !ok {
		panic(fmt.Errorf("expected axes, got none"))
	}
	axes = axesOf(axes, x.Rank()+len(axes))
	slices.Sort(axes)
	dims := slices.Clone(x.Shape().Dimensions)
	for _, a := range axes {
		dims = slices.Insert(dims, a, 1)
	}
	return graph.Reshape(x, dims...)
}

// concat leaves channels at the end where all inputs have them there.
func concat(c *call) []*value {
	rank := c.value(0).shape().Rank()
	axis := c.axis(1, rank)
	last := true
	for i := range c.in {
		last = last && c.value(i).last
	}
	var nodes []*graph.Node
	for i := range c.in {
		if last {
			nodes = append(nodes, c.value(i).node)
		} else {
			nodes = append(nodes, c.x(i))
		}
	}
	if last && axis > 0 {
		if axis--; axis == 0 {
			axis = rank - 1
		}
	}
	if len(nodes) == 1 {
		return []*value{{node: nodes[0], last: last}}
	}
	return []*value{{node: graph.Concatenate(nodes, axis), last: last}}
}

func slice(c *call) *graph.Node {
	x := c.x(0)
	from, okFrom := c.intsOr(1, "starts")
	to, okTo := c.intsOr(2, "ends")
	axes, ok := c.intsOr(3, "axes")
	if !okFrom || !okTo || len(from) != len(to) {
		panic(fmt.Errorf("expected as many starts as ends, got %v and %v", from, to))
	}
	if !ok {
		for i := range from {
			axes = append(axes, i)
		}
	}
	axes = axesOf(axes, x.Rank())
	steps := slices.Repeat([]int{1}, len(from))
	if c.has(4) {
		steps = c.ints(4)
	}
	if len(axes) != len(from) || len(steps) != len(from) {
		panic(fmt.Errorf("expected %d axes and steps, got %v and %v", len(from), axes, steps))
	}
	for i, axis := range axes {
		x = sliced(x, axis, from[i], to[i], steps[i])
	}
	return x
}

// sliced takes from an axis what Python's x[from:to:step] would.
func sliced(x *graph.Node, axis, from, to, step int) *graph.Node {
	size := x.Shape().Dimensions[axis]
	clamp := func(v, low, high int) int {
		if v < 0 {
			v += size
		}
		return min(max(v, low), high)
	}
	switch {
	case step == 0:
		panic(fmt.Errorf("expected steps other than 0"))
	case step < 0:
		a, b := clamp(from, -1, size-1), clamp(to, -1, size-1)
		if from < -size {
			a = -1
		}
		step = max(step, -size-1)
		return part(ops.Reverse(x, axis), axis, size-1-a, size-1-b, -step)
	}
	return part(x, axis, clamp(from, 0, size), clamp(to, 0, size), min(step, size+1))
}

// part is a slice that may be empty.
func part(x *graph.Node, axis, from, to, step int) *graph.Node {
	if from >= to {
		dims := slices.Clone(x.Shape().Dimensions)
		dims[axis] = 0
		return graph.Zeros(x.Graph(), sized(x.DType(), dims))
	}
	if from == 0 && to == x.Shape().Dimensions[axis] && step == 1 {
		return x
	}
	return graph.SliceAxis(x, axis, graph.AxisRange(from, to).Stride(step))
}

func split(c *call) []*value {
	v := c.value(0)
	rank := v.shape().Rank()
	axis := c.axis(0, rank)
	size := v.shape().Dimensions[axis]
	sizes, ok := c.intsOr(1, "split")
	if !ok {
		parts := c.int("num_outputs", len(c.Out))
		if parts < 1 {
			panic(fmt.Errorf("expected at least one output, got %d", parts))
		}
		each := (size + parts - 1) / parts
		for left := size; len(sizes) < parts; left -= each {
			sizes = append(sizes, max(0, min(each, left)))
		}
	}
	sum := 0
	for _, s := range sizes {
		sum += s
	}
	if sum != size || slices.ContainsFunc(sizes, func(s int) bool { return s < 0 }) {
		panic(fmt.Errorf("expected parts that are %d together, got %v", size, sizes))
	}
	x, last := v.node, v.last
	if !last {
		x = c.node(v)
	} else if axis > 0 {
		if axis--; axis == 0 {
			axis = rank - 1
		}
	}
	var out []*value
	at := 0
	for _, s := range sizes {
		out = append(out, &value{node: part(x, axis, at, at+s, 1), last: last})
		at += s
	}
	return out
}

func expand(c *call) *graph.Node {
	x, to := c.x(0), c.ints(1)
	rank := max(x.Rank(), len(to))
	x = graph.ExpandLeftToRank(x, rank)
	dims := slices.Clone(x.Shape().Dimensions)
	for i, d := range to {
		j := rank - len(to) + i
		if dims[j] == 1 {
			dims[j] = d
		} else if d != 1 && d != dims[j] {
			panic(fmt.Errorf("cannot expand shape %v to %v", x.Shape().Dimensions, to))
		}
	}
	c.fits(sized(x.DType(), dims))
	return graph.BroadcastToDims(x, dims...)
}

// tile repeats each axis.
func tile(c *call) *graph.Node {
	x, repeats := c.x(0), c.ints(1)
	if len(repeats) != x.Rank() {
		panic(fmt.Errorf("expected %d repeats, got %v", x.Rank(), repeats))
	}
	var spread, dims []int
	for i, d := range x.Shape().Dimensions {
		if repeats[i] < 0 {
			panic(fmt.Errorf("expected repeats of at least 0, got %v", repeats))
		}
		spread, dims = append(spread, 1, d), append(dims, repeats[i], d)
	}
	c.fits(sized(x.DType(), dims))
	y := graph.BroadcastToDims(graph.Reshape(x, spread...), dims...)
	for i, d := range x.Shape().Dimensions {
		spread[i] = d * repeats[i]
	}
	return graph.Reshape(y, spread[:x.Rank()]...)
}

func trilu(c *call) *graph.Node {
	x, k := c.x(0), 0
	if c.has(1) {
		k = c.one(1)
	}
	k = min(max(k, -1<<30), 1<<30)
	s := x.Shape().Clone()
	if s.Rank() < 2 {
		panic(fmt.Errorf("expected matrices, got shape %v", s.Dimensions))
	}
	s.DType = dtypes.Int32
	d := graph.Sub(graph.Iota(c.g, s, s.Rank()-1), graph.Iota(c.g, s, s.Rank()-2))
	edge := graph.BroadcastToDims(graph.Scalar(c.g, dtypes.Int32, k), s.Dimensions...)
	keep := graph.LessOrEqual(d, edge)
	if c.int("upper", 1) != 0 {
		keep = graph.GreaterOrEqual(d, edge)
	}
	return graph.Where(keep, x, graph.ZerosLike(x))
}

func (c *call) blocks(x *graph.Node) (block int, dims []int) {
	if x.Rank() != 4 || c.int("blocksize", 0) < 1 {
		panic(fmt.Errorf("expected images and a blocksize, got shape %v and %d", x.Shape().Dimensions, c.int("blocksize", 0)))
	}
	return c.int("blocksize", 0), x.Shape().Dimensions
}

func depthToSpace(c *call) *graph.Node {
	x := c.x(0)
	b, d := c.blocks(x)
	depth := d[1] / (b * b)
	if c.text("mode", "DCR", "CRD") == "DCR" {
		x = graph.TransposeAllAxes(graph.Reshape(x, d[0], b, b, depth, d[2], d[3]), 0, 3, 4, 1, 5, 2)
	} else {
		x = graph.TransposeAllAxes(graph.Reshape(x, d[0], depth, b, b, d[2], d[3]), 0, 1, 4, 2, 5, 3)
	}
	return graph.Reshape(x, d[0], depth, d[2]*b, d[3]*b)
}

func spaceToDepth(c *call) *graph.Node {
	x := c.x(0)
	b, d := c.blocks(x)
	perm := []int{0, 3, 5, 1, 2, 4}
	if c.text("mode", "DCR", "CRD") == "CRD" {
		perm = []int{0, 1, 3, 5, 2, 4}
	}
	x = graph.TransposeAllAxes(graph.Reshape(x, d[0], d[1], d[2]/b, b, d[3]/b, b), perm...)
	return graph.Reshape(x, d[0], d[1]*b*b, d[2]/b, d[3]/b)
}

func centerCropPad(c *call) *graph.Node {
	x, to := c.x(0), c.ints(1)
	axes := c.list("axes")
	if axes == nil {
		for i := range x.Rank() {
			axes = append(axes, i)
		}
	}
	axes = axesOf(axes, x.Rank())
	if len(axes) != len(to) {
		panic(fmt.Errorf("expected %d sizes, got %v", len(axes), to))
	}
	for i, axis := range axes {
		d := to[i] - x.Shape().Dimensions[axis]
		if d < 0 {
			x = part(x, axis, -d/2, -d/2+to[i], 1)
		} else {
			x = padded(x, axis, [2]int{d / 2, d - d/2}, scalar0(x))
		}
	}
	return x
}

func scalar0(x *graph.Node) *graph.Node { return graph.ScalarZero(x.Graph(), x.DType()) }

// reverseSequence turns the first numbers of each example round, as many as lengths say.
func reverseSequence(x, lengths *graph.Node, _, batch, time int) *graph.Node {
	s := x.Shape().Clone()
	s.DType = dtypes.Int32
	at := graph.Iota(x.Graph(), s, time)
	dims := slices.Repeat([]int{1}, x.Rank())
	dims[batch] = s.Dimensions[batch]
	n := graph.BroadcastToDims(graph.Reshape(lengths, dims...), s.Dimensions...)
	at = graph.Where(graph.LessThan(at, n), graph.Sub(graph.Sub(n, graph.OnesLike(n)), at), at)
	return gatherElements(x, at, time)
}
