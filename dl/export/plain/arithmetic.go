package plain

// runs are two runs of numbers of the same length; a run of one number is repeated.
func runs[T number](m *memory, a, b tensor[T], vectors, left, right func(y, a, b []T)) tensor[T] {
	y := alloc[T](m, broadcast(a.shape, b.shape)...)
	pairs(y.shape, a.shape, b.shape, func(o, i, j, n, si, sj int) {
		dst := y.data[o : o+n]
		switch {
		case si == 1 && sj == 1:
			vectors(dst, a.data[i:i+n], b.data[j:j+n])
		case si == 1:
			right(dst, a.data[i:i+n], b.data[j:j+1])
		case sj == 1:
			left(dst, a.data[i:i+1], b.data[j:j+n])
		default:
			right(dst[:1], a.data[i:i+1], b.data[j:j+1])
			for k := 1; k < n; k++ {
				dst[k] = dst[0]
			}
		}
	})
	return y
}

func add[T number](m *memory, a, b tensor[T]) tensor[T] {
	return runs(m, a, b, func(y, a, b []T) {
		for i := range y {
			y[i] = a[i] + b[i]
		}
	}, func(y, a, b []T) {
		v := a[0]
		for i := range y {
			y[i] = v + b[i]
		}
	}, func(y, a, b []T) {
		v := b[0]
		for i := range y {
			y[i] = a[i] + v
		}
	})
}

func sub[T number](m *memory, a, b tensor[T]) tensor[T] {
	return runs(m, a, b, func(y, a, b []T) {
		for i := range y {
			y[i] = a[i] - b[i]
		}
	}, func(y, a, b []T) {
		v := a[0]
		for i := range y {
			y[i] = v - b[i]
		}
	}, func(y, a, b []T) {
		v := b[0]
		for i := range y {
			y[i] = a[i] - v
		}
	})
}

func mul[T number](m *memory, a, b tensor[T]) tensor[T] {
	return runs(m, a, b, func(y, a, b []T) {
		for i := range y {
			y[i] = a[i] * b[i]
		}
	}, func(y, a, b []T) {
		v := a[0]
		for i := range y {
			y[i] = v * b[i]
		}
	}, func(y, a, b []T) {
		v := b[0]
		for i := range y {
			y[i] = a[i] * v
		}
	})
}

func div[T number](m *memory, a, b tensor[T]) tensor[T] {
	return combine(m, a, b, quotient[T])
}

// quotient is a quotient; whole numbers have none by zero, which ONNX leaves open.
func quotient[T number](a, b T) T {
	if b == 0 && T(1)/T(2) == 0 {
		fail("expected a divisor other than 0 of whole numbers")
	}
	return a / b
}

func least[T number](m *memory, a, b tensor[T]) tensor[T] {
	return combine(m, a, b, func(a, b T) T { return min(a, b) })
}

func greatest[T number](m *memory, a, b tensor[T]) tensor[T] {
	return combine(m, a, b, func(a, b T) T { return max(a, b) })
}
