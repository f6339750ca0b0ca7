package plain

func equal[T comparable](m *memory, a, b tensor[T]) tensor[bool] {
	return combine(m, a, b, func(a, b T) bool { return a == b })
}

func greater[T number](m *memory, a, b tensor[T]) tensor[bool] {
	return combine(m, a, b, func(a, b T) bool { return a > b })
}

func greaterOrEqual[T number](m *memory, a, b tensor[T]) tensor[bool] {
	return combine(m, a, b, func(a, b T) bool { return a >= b })
}

func less[T number](m *memory, a, b tensor[T]) tensor[bool] {
	return combine(m, a, b, func(a, b T) bool { return a < b })
}

func lessOrEqual[T number](m *memory, a, b tensor[T]) tensor[bool] {
	return combine(m, a, b, func(a, b T) bool { return a <= b })
}

func and(m *memory, a, b tensor[bool]) tensor[bool] {
	return combine(m, a, b, func(a, b bool) bool { return a && b })
}

func or(m *memory, a, b tensor[bool]) tensor[bool] {
	return combine(m, a, b, func(a, b bool) bool { return a || b })
}

func xor(m *memory, a, b tensor[bool]) tensor[bool] {
	return combine(m, a, b, func(a, b bool) bool { return a != b })
}

func not(m *memory, x tensor[bool]) tensor[bool] {
	y := alloc[bool](m, x.shape...)
	for i, v := range x.data {
		y.data[i] = !v
	}
	return y
}

// where takes numbers of a where a condition holds, and of b elsewhere.
func where[T any](m *memory, condition tensor[bool], a, b tensor[T]) tensor[T] {
	y := alloc[T](m, broadcast(condition.shape, broadcast(a.shape, b.shape))...)
	pairs(y.shape, condition.shape, a.shape, func(o, c, i, n, sc, si int) {
		for k := range n {
			if condition.data[c+k*sc] {
				y.data[o+k] = a.data[i+k*si]
			}
		}
	})
	pairs(y.shape, condition.shape, b.shape, func(o, c, i, n, sc, si int) {
		for k := range n {
			if !condition.data[c+k*sc] {
				y.data[o+k] = b.data[i+k*si]
			}
		}
	})
	return y
}
