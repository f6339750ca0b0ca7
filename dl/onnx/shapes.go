package onnx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

func reshape(m *machine, n nodeProto) []value {
	v, _ := m.input(n, 0)
	to, ok := m.ints(n, 1, "shape")
	if !ok {
		panic(fmt.Errorf("node %q (Reshape): expected a shape, got none", n.name))
	}
	if v.ints != nil {
		to = slices.Clone(to)
		if i := slices.Index(to, -1); i >= 0 {
			to[i] = len(v.ints)
		}
		return []value{{ints: v.ints, dims: to}}
	}
	x := m.in(n, 0)
	dims, size, free := slices.Clone(to), 1, -1
	for i, d := range dims {
		if d == 0 && n.int("allowzero", 0) == 0 {
			dims[i] = x.Shape().Dimensions[i]
		}
		if d == -1 {
			free = i
		} else {
			size *= dims[i]
		}
	}
	if free >= 0 {
		dims[free] = x.Shape().Size() / max(size, 1)
	}
	return single(graph.Reshape(x, dims...))
}

func flatten(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	axis := n.int("axis", 1)
	if axis < 0 {
		axis += x.Rank()
	}
	rows := 1
	for _, d := range x.Shape().Dimensions[:axis] {
		rows *= d
	}
	return single(graph.Reshape(x, rows, x.Shape().Size()/rows))
}

func transpose(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	perm := n.list("perm")
	if perm == nil {
		for i := x.Rank() - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
	}
	return single(graph.TransposeAllAxes(x, perm...))
}

func squeeze(m *machine, n nodeProto) []value {
	axes, _ := m.ints(n, 1, "axes")
	if v, ok := m.input(n, 0); ok && v.ints != nil {
		return []value{{ints: v.ints}}
	}
	return single(graph.Squeeze(m.in(n, 0), axes...))
}

func unsqueeze(m *machine, n nodeProto) []value {
	axes, _ := m.ints(n, 1, "axes")
	if v, ok := m.input(n, 0); ok && v.ints != nil {
		return []value{{ints: v.ints, dims: []int{len(v.ints)}}}
	}
	x := m.in(n, 0)
	rank := x.Rank() + len(axes)
	for i := range axes {
		if axes[i] < 0 {
			axes[i] += rank
		}
	}
	slices.Sort(axes)
	dims := slices.Clone(x.Shape().Dimensions)
	for _, a := range axes {
		dims = slices.Insert(dims, a, 1)
	}
	return single(graph.Reshape(x, dims...))
}

func concat(m *machine, n nodeProto) []value {
	var known value
	all := true
	var nodes []*tensor.Node
	for i := range n.in {
		v, ok := m.input(n, i)
		if !ok || v.ints == nil {
			all = false
		}
		known.ints = append(known.ints, v.ints...)
	}
	if all {
		known.dims = []int{len(known.ints)}
		return []value{known}
	}
	for i := range n.in {
		nodes = append(nodes, m.in(n, i))
	}
	return single(graph.Concatenate(nodes, n.int("axis", 0)))
}

func slice(m *machine, n nodeProto) []value {
	from, _ := m.ints(n, 1, "starts")
	to, _ := m.ints(n, 2, "ends")
	axes, ok := m.ints(n, 3, "axes")
	if !ok {
		for i := range from {
			axes = append(axes, i)
		}
	}
	steps, ok := m.ints(n, 4, "")
	if !ok {
		steps = slices.Repeat([]int{1}, len(from))
	}
	bounds := func(i, size int) (a, b int) {
		clamp := func(v, low, high int) int {
			if v < 0 {
				v += size
			}
			return min(max(v, low), high)
		}
		if steps[i] < 0 {
			return clamp(from[i], 0, size-1), clamp(to[i], -1, size-1)
		}
		return clamp(from[i], 0, size), clamp(to[i], 0, size)
	}
	if v, ok := m.input(n, 0); ok && v.ints != nil {
		a, b := bounds(0, len(v.ints))
		var out value
		for j := a; steps[0] > 0 && j < b || steps[0] < 0 && j > b; j += steps[0] {
			out.ints = append(out.ints, v.ints[j])
		}
		out.dims = []int{len(out.ints)}
		return []value{out}
	}
	x := m.in(n, 0)
	for i, axis := range axes {
		if axis < 0 {
			axis += x.Rank()
		}
		a, b := bounds(i, x.Shape().Dimensions[axis])
		if steps[i] < 0 {
			size := x.Shape().Dimensions[axis]
			x = reversed(x, axis)
			a, b = size-1-a, size-1-b
		}
		step := steps[i]
		if step < 0 {
			step = -step
		}
		x = graph.SliceAxis(x, axis, graph.AxisRange(a, b).Stride(step))
	}
	return single(x)
}

func split(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	axis := n.int("axis", 0)
	if axis < 0 {
		axis += x.Rank()
	}
	sizes, ok := m.ints(n, 1, "split")
	if !ok {
		parts := n.int("num_outputs", len(n.out))
		size := (x.Shape().Dimensions[axis] + parts - 1) / parts
		for range parts {
			sizes = append(sizes, size)
		}
	}
	var out []value
	at := 0
	for _, s := range sizes {
		end := min(at+s, x.Shape().Dimensions[axis])
		out = append(out, value{node: graph.SliceAxis(x, axis, graph.AxisRange(at, end))})
		at = end
	}
	return out
}

func expand(m *machine, n nodeProto) []value {
	x := m.in(n, 0)
	to, _ := m.ints(n, 1, "")
	rank := max(x.Rank(), len(to))
	x = graph.ExpandLeftToRank(x, rank)
	dims := slices.Clone(x.Shape().Dimensions)
	for i, d := range to {
		j := rank - len(to) + i
		dims[j] = max(dims[j], d)
	}
	return single(graph.BroadcastToDims(x, dims...))
}

func shapeOf(m *machine, n nodeProto) []value {
	v, _ := m.input(n, 0)
	dims := v.dims
	if v.node != nil {
		dims = v.node.Shape().Dimensions
	}
	end := n.int("end", len(dims))
	if end < 0 {
		end += len(dims)
	}
	dims = dims[n.int("start", 0):min(end, len(dims))]
	return []value{{ints: wide(dims), dims: []int{len(dims)}}}
}

func gather(m *machine, n nodeProto) []value {
	data, _ := m.input(n, 0)
	at, _ := m.input(n, 1)
	if data.ints != nil && at.ints != nil && n.int("axis", 0) == 0 {
		out := value{dims: at.dims}
		for _, i := range at.ints {
			if i < 0 {
				i += int64(len(data.ints))
			}
			out.ints = append(out.ints, data.ints[i])
		}
		return []value{out}
	}
	x, ids := m.node(data), graph.ConvertDType(m.node(at), dtypes.Int32)
	axis := n.int("axis", 0)
	if axis < 0 {
		axis += x.Rank()
	}
	size := x.Shape().Dimensions[axis]
	ids = graph.Where(graph.LessThan(ids, graph.ZerosLike(ids)), graph.AddScalar(ids, size), ids)
	if axis == 0 {
		return single(graph.Gather(x, graph.InsertAxes(ids, -1)))
	}
	// The axis comes first, and the axes of the places go where it was.
	perm := []int{axis}
	for i := range x.Rank() {
		if i != axis {
			perm = append(perm, i)
		}
	}
	y := graph.Gather(graph.TransposeAllAxes(x, perm...), graph.InsertAxes(ids, -1))
	var back []int
	for i := range axis {
		back = append(back, ids.Rank()+i)
	}
	for i := range ids.Rank() {
		back = append(back, i)
	}
	for i := axis; i < x.Rank()-1; i++ {
		back = append(back, ids.Rank()+i)
	}
	return single(graph.TransposeAllAxes(y, back...))
}

func constant(m *machine, n nodeProto) []value {
	for name, a := range n.attributes {
		switch name {
		case "value":
			return []value{m.constant(*a.t)}
		case "value_int":
			return []value{{ints: []int64{a.i}}}
		case "value_ints":
			return []value{{ints: a.ints, dims: []int{len(a.ints)}}}
		case "value_float":
			return single(graph.Const(m.g, a.f))
		case "value_floats":
			return single(graph.Const(m.g, a.floats))
		}
	}
	panic(fmt.Errorf("node %q (Constant): expected a value, got none that is supported", n.name))
}

func constantOfShape(m *machine, n nodeProto) []value {
	dims, _ := m.ints(n, 0, "")
	t := tensorProto{kind: typeFloat, floats: []float32{0}}
	if a, ok := n.attributes["value"]; ok {
		t = *a.t
	}
	if t.integers != nil {
		size := 1
		for _, d := range dims {
			size *= d
		}
		return []value{{ints: slices.Repeat(t.integers[:1], size), dims: dims}}
	}
	return single(graph.FillScalar(m.g, shapes.Make(dtypes.Float32, dims...), float64(t.floats[0])))
}
