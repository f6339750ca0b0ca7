package plain

// slice takes every so manieth place between two, along axes; axes and steps may be nil.
func slice[T any](m *memory, x tensor[T], starts, ends, axes, strides []int) tensor[T] {
	shape, from := append([]int{}, x.shape...), steps(x.shape)
	at := 0
	for i, start := range starts {
		axis, step := i, 1
		if len(axes) > 0 {
			axis = axisOf(axes[i], len(shape))
		}
		if len(strides) > 0 {
			step = strides[i]
		}
		n := x.shape[axis]
		first, length := within(n, start, ends[i], step)
		at += first * from[axis]
		shape[axis] = length
		from[axis] *= step
	}
	y := alloc[T](m, shape...)
	gatherRows(y.data, x.data, at, shape, from)
	return y
}

// within are the first place and the number of places of a slice of an axis.
func within(n, start, end, step int) (first, length int) {
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	switch {
	case step > 0:
		start, end = max(0, min(n, start)), max(0, min(n, end))
		length = (end - start + step - 1) / step
	case step < 0:
		start, end = max(-1, min(n-1, start)), max(-1, min(n-1, end))
		length = (start - end - step - 1) / -step
	default:
		fail("expected a step other than 0")
	}
	return start, max(0, length)
}

// index is a place along an axis of n, which may be counted from its end.
func index[I int32 | int64](i I, n int) int {
	at := int(i)
	if at < 0 {
		at += n
	}
	if at < 0 || at >= n {
		fail("expected an index below %d, got %d", n, i)
	}
	return at
}

// gather takes parts of x along an axis by their indices.
func gather[T any, I int32 | int64](m *memory, x tensor[T], indices tensor[I], axis int) tensor[T] {
	axis = axisOf(axis, len(x.shape))
	outer, n, inner := around(x.shape, axis)
	shape := append([]int{}, x.shape[:axis]...)
	shape = append(append(shape, indices.shape...), x.shape[axis+1:]...)
	y := alloc[T](m, shape...)
	at := 0
	for o := range outer {
		for _, i := range indices.data {
			copy(y.data[at:at+inner], x.data[(o*n+index(i, n))*inner:])
			at += inner
		}
	}
	return y
}

// gatherElements takes for each place the number at its index along an axis.
func gatherElements[T any, I int32 | int64](m *memory, x tensor[T], indices tensor[I], axis int) tensor[T] {
	axis = axisOf(axis, len(x.shape))
	y := alloc[T](m, indices.shape...)
	from, rank := steps(x.shape), len(x.shape)
	for i, v := range indices.data {
		at, rest := 0, i
		for d := rank - 1; d >= 0; d-- {
			k := rest % indices.shape[d]
			rest /= indices.shape[d]
			if d == axis {
				k = index(v, x.shape[d])
			}
			at += k * from[d]
		}
		y.data[i] = x.data[at]
	}
	return y
}

// gatherND takes parts of x by indices of several axes, behind axes that both have.
func gatherND[T any, I int32 | int64](m *memory, x tensor[T], indices tensor[I], batch int) tensor[T] {
	last := len(indices.shape) - 1
	depth := indices.shape[last]
	from := steps(x.shape)
	inner := count(x.shape[batch+depth:])
	shape := append(append([]int{}, indices.shape[:last]...), x.shape[batch+depth:]...)
	y := alloc[T](m, shape...)
	each := count(indices.shape[batch:last])
	for i := range count(indices.shape[:last]) {
		at := i / max(1, each) * count(x.shape[batch:])
		for d := range depth {
			at += index(indices.data[i*depth+d], x.shape[batch+d]) * from[batch+d]
		}
		copy(y.data[i*inner:][:inner], x.data[at:])
	}
	return y
}

// oneHot has one number at an index and another one elsewhere, along a new axis.
func oneHot[T any, I number](m *memory, indices tensor[I], depth int, off, on T, axis int) tensor[T] {
	axis = axisOf(axis, len(indices.shape)+1)
	shape := append([]int{}, indices.shape[:axis]...)
	shape = append(append(shape, depth), indices.shape[axis:]...)
	y := alloc[T](m, shape...)
	for i := range y.data {
		y.data[i] = off
	}
	inner := count(indices.shape[axis:])
	for i, v := range indices.data {
		k := int(v)
		if k < 0 {
			k += depth
		}
		if k >= 0 && k < depth {
			y.data[(i/inner*depth+k)*inner+i%inner] = on
		}
	}
	return y
}

// sequence is the numbers from one up to another.
func sequence[T number](start, limit, delta tensor[T]) tensor[T] {
	a, b, d := start.data[0], limit.data[0], delta.data[0]
	if d == 0 {
		fail("expected a step other than 0")
	}
	y := tensor[T]{}
	for i := 0; ; i++ {
		v := a + T(i)*d
		if d > 0 && v >= b || d < 0 && v <= b {
			break
		}
		y.data = append(y.data, v)
	}
	y.shape = []int{len(y.data)}
	return y
}

// full is a tensor of one number.
func full[T any](m *memory, shape tensor[int64], v T) tensor[T] {
	y := alloc[T](m, whole(shape)...)
	for i := range y.data {
		y.data[i] = v
	}
	return y
}
