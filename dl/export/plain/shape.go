package plain

// reshape is the same numbers with other axes: 0 stands for an axis that there is, unless
// zeros are allowed, and -1 for what is left.
func reshape[T any](x tensor[T], shape tensor[int64], allowZero bool) tensor[T] {
	out, open, known := whole(shape), -1, 1
	for i, d := range out {
		if d == 0 && !allowZero {
			if i >= len(x.shape) {
				fail("expected an axis %d to keep, got shape %v", i, x.shape)
			}
			out[i] = x.shape[i]
		}
		if d == -1 {
			open = i
			continue
		}
		known *= out[i]
	}
	if open >= 0 && known != 0 {
		out[open] = len(x.data) / known
	}
	if count(out) != len(x.data) {
		fail("expected a shape of %d numbers for %v, got %v", len(x.data), x.shape, shape.data)
	}
	return tensor[T]{out, x.data}
}

// flatten joins the axes before one, and the others.
func flatten[T any](x tensor[T], axis int) tensor[T] {
	if axis < 0 {
		axis += len(x.shape)
	}
	return tensor[T]{[]int{count(x.shape[:axis]), count(x.shape[axis:])}, x.data}
}

// squeeze drops axes of one; all of them if none are named.
func squeeze[T any](x tensor[T], axes ...int) tensor[T] {
	drop := make([]bool, len(x.shape))
	for _, a := range axes {
		a = axisOf(a, len(x.shape))
		if drop[a] = true; x.shape[a] != 1 {
			fail("expected an axis of length 1 to drop, got axis %d of %v", a, x.shape)
		}
	}
	out := []int{}
	for i, d := range x.shape {
		if !drop[i] && (len(axes) > 0 || d != 1) {
			out = append(out, d)
		}
	}
	return tensor[T]{out, x.data}
}

// unsqueeze adds axes of one at the places that they have afterwards.
func unsqueeze[T any](x tensor[T], axes ...int) tensor[T] {
	out := make([]int, len(x.shape)+len(axes))
	for _, a := range axes {
		out[axisOf(a, len(out))] = 1
	}
	rest := x.shape
	for i, d := range out {
		if d == 0 {
			if len(rest) == 0 {
				fail("expected axes that differ, got %v", axes)
			}
			out[i], rest = rest[0], rest[1:]
		}
	}
	return tensor[T]{out, x.data}
}

// shapeOf is a shape as numbers, from one axis up to another.
func shapeOf[T any](x tensor[T], start, end int) tensor[int64] {
	rank := len(x.shape)
	at := func(i int) int {
		if i < 0 {
			i += rank
		}
		return max(0, min(rank, i))
	}
	y := tensor[int64]{}
	for i := at(start); i < at(end); i++ {
		y.data = append(y.data, int64(x.shape[i]))
	}
	y.shape = []int{len(y.data)}
	return y
}

func sizeOf[T any](x tensor[T]) tensor[int64] {
	return tensor[int64]{nil, []int64{int64(len(x.data))}}
}

// transpose has the axes of x in another order; in the opposite one if none is given.
func transpose[T any](m *memory, x tensor[T], perm ...int) tensor[T] {
	rank := len(x.shape)
	if len(perm) == 0 {
		for i := range rank {
			perm = append(perm, rank-1-i)
		}
	}
	if len(perm) != rank {
		fail("expected an order of %d axes, got %v", rank, perm)
	}
	shape, from := make([]int, rank), make([]int, rank)
	sx := steps(x.shape)
	for i, p := range perm {
		shape[i], from[i] = x.shape[p], sx[p]
	}
	y := alloc[T](m, shape...)
	gatherRows(y.data, x.data, 0, shape, from)
	return y
}

// gatherRows fills y, of a shape, with numbers of x from a place on, by steps of its own, which
// may lead back.
func gatherRows[T any](y, x []T, at int, shape, from []int) {
	if len(y) == 0 {
		return
	}
	switch len(shape) {
	case 0:
		y[0] = x[at]
	case 1:
		if from[0] == 1 {
			copy(y, x[at:])
			return
		}
		for i := range y {
			y[i] = x[at]
			at += from[0]
		}
	default:
		size := len(y) / shape[0]
		for i := range shape[0] {
			gatherRows(y[i*size:][:size], x, at+i*from[0], shape[1:], from[1:])
		}
	}
}

// expand repeats a tensor along axes.
func expand[T any](m *memory, x tensor[T], shape tensor[int64]) tensor[T] {
	y := alloc[T](m, broadcast(x.shape, whole(shape))...)
	gatherRows(y.data, x.data, 0, y.shape, stretched(x.shape, y.shape))
	return y
}

// tile lays copies of a tensor side by side.
func tile[T any](m *memory, x tensor[T], repeats tensor[int64]) tensor[T] {
	n := whole(repeats)
	if len(n) != len(x.shape) {
		fail("expected %d repeats, got %v", len(x.shape), n)
	}
	shape, wide, from := make([]int, len(n)), []int{}, []int{}
	for i, s := range steps(x.shape) {
		shape[i] = n[i] * x.shape[i]
		wide, from = append(wide, n[i], x.shape[i]), append(from, 0, s)
	}
	y := alloc[T](m, shape...)
	gatherRows(y.data, x.data, 0, wide, from)
	return y
}

// concat joins tensors along an axis.
func concat[T any](m *memory, axis int, xs ...tensor[T]) tensor[T] {
	axis = axisOf(axis, len(xs[0].shape))
	shape := append([]int{}, xs[0].shape...)
	shape[axis] = 0
	for _, x := range xs {
		for i, d := range x.shape {
			if len(x.shape) != len(shape) || i != axis && d != shape[i] {
				fail("expected shapes that differ along axis %d only, got %v and %v", axis, xs[0].shape, x.shape)
			}
		}
		shape[axis] += x.shape[axis]
	}
	y := alloc[T](m, shape...)
	outer, n, inner := around(shape, axis)
	at := 0
	for _, x := range xs {
		size := x.shape[axis] * inner
		for o := range outer {
			copy(y.data[o*n*inner+at:], x.data[o*size:][:size])
		}
		at += size
	}
	return y
}

// split takes a tensor apart along an axis into parts of given lengths.
func split[T any](m *memory, x tensor[T], axis int, lengths []int) []tensor[T] {
	axis = axisOf(axis, len(x.shape))
	outer, n, inner := around(x.shape, axis)
	var parts []tensor[T]
	at := 0
	for _, l := range lengths {
		if l < 0 || at+l > n {
			fail("expected parts of %d along axis %d, got %v", n, axis, lengths)
		}
		shape := append([]int{}, x.shape...)
		shape[axis] = l
		y := alloc[T](m, shape...)
		for o := range outer {
			copy(y.data[o*l*inner:][:l*inner], x.data[(o*n+at)*inner:])
		}
		parts = append(parts, y)
		at += l
	}
	if at != n {
		fail("expected parts of %d along axis %d, got %v", n, axis, lengths)
	}
	return parts
}

// equalParts are the lengths of n parts as equal as can be, the last one the smallest.
func equalParts(length, n int) []int {
	size := (length + n - 1) / n
	out := make([]int, n)
	for i := range out {
		out[i] = max(0, min(size, length-i*size))
	}
	return out
}
