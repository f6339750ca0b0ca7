package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

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
		if dims[i] > 0 && size > (1<<47)/dims[i] {
			panic(fmt.Errorf("a shape of %v is not possible", to))
		}
		size *= dims[i]
	}
	if free < 0 {
		sized(x.DType(), dims)
	} else if size < 0 || size > 1<<47 {
		panic(fmt.Errorf("a shape of %v is not possible", to))
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
		from := toFirst(rank)
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
	if _, ok := c.attribute("axis"); !ok {
		panic(fmt.Errorf("expected an attribute axis, got none"))
	}
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
	if last {
		axis = atLast(axis, rank)
	}
	if len(nodes) == 1 {
		return []*value{{node: nodes[0], last: last}}
	}
	return []*value{{node: graph.Concatenate(nodes, axis), last: last}}
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
