package plain

// broadcast is the shape of what two shapes come to.
func broadcast(a, b []int) []int {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := append([]int{}, a...)
	for i, d := range b {
		at := &out[len(a)-len(b)+i]
		switch {
		case *at == d || d == 1:
		case *at == 1:
			*at = d
		default:
			fail("expected shapes that go together, got %v and %v", a, b)
		}
	}
	return out
}

// stretched are the steps of a shape within a larger one: 0 where it is repeated.
func stretched(shape, to []int) []int {
	s := make([]int, len(to))
	for i, step := range steps(shape) {
		if shape[i] != 1 {
			s[len(to)-len(shape)+i] = step
		}
	}
	return s
}

// pairs calls f for runs of n numbers that lie together: at o of the result, at a and b of
// the operands, with steps 0 or 1.
func pairs(shape, a, b []int, f func(o, a, b, n, stepA, stepB int)) {
	if count(shape) == 0 {
		return
	}
	sa, sb, so := stretched(a, shape), stretched(b, shape), steps(shape)
	// Axes at the end along which both lie as the result does, or both are repeated, are one.
	last := len(shape) - 1
	for last > 0 && joins(sa, shape, last) && joins(sb, shape, last) {
		last--
	}
	n, stepA, stepB := 1, 0, 0
	if last >= 0 {
		n = count(shape[last:])
		stepA, stepB = sa[len(shape)-1], sb[len(shape)-1]
		for i := last; i < len(shape); i++ { // an axis of one says nothing of its step
			if shape[i] > 1 {
				stepA, stepB = min(sa[i], 1), min(sb[i], 1)
			}
		}
	} else {
		last = 0
	}
	outer := shape[:last]
	for i := range count(outer) {
		o, pa, pb, rest := 0, 0, 0, i
		for d := last - 1; d >= 0; d-- {
			k := rest % outer[d]
			rest /= outer[d]
			o += k * so[d]
			pa += k * sa[d]
			pb += k * sb[d]
		}
		f(o, pa, pb, n, stepA, stepB)
	}
}

// joins says whether axis d-1 goes on where axis d ends.
func joins(s, shape []int, d int) bool {
	return shape[d] == 1 || shape[d-1] == 1 || s[d-1] == s[d]*shape[d]
}

// combine computes a function of each two numbers.
func combine[T, R any](m *memory, a, b tensor[T], f func(T, T) R) tensor[R] {
	y := alloc[R](m, broadcast(a.shape, b.shape)...)
	pairs(y.shape, a.shape, b.shape, func(o, i, j, n, si, sj int) {
		for k := range n {
			y.data[o+k] = f(a.data[i+k*si], b.data[j+k*sj])
		}
	})
	return y
}
