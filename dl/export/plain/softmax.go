package plain

import "math"

// softmax is computed in place, along an axis.
func softmax(x tensor[float32], axis int) tensor[float32] {
	return along(x, axis, func(v []float32, n, step int) {
		largest := v[0]
		for k := range n {
			largest = max(largest, v[k*step])
		}
		var sum float32
		for k := range n {
			e := exp32(v[k*step] - largest)
			v[k*step] = e
			sum += e
		}
		by := 1 / sum
		for k := range n {
			v[k*step] *= by
		}
	})
}

// softmax64 is softmax of float64.
func softmax64(x tensor[float64], axis int) tensor[float64] {
	return each(logSoftmax(x, axis), math.Exp)
}

func logSoftmax[T float](x tensor[T], axis int) tensor[T] {
	return along(x, axis, func(v []T, n, step int) {
		largest := v[0]
		for k := range n {
			largest = max(largest, v[k*step])
		}
		var sum float64
		for k := range n {
			sum += math.Exp(float64(v[k*step] - largest))
		}
		less := float64(largest) + math.Log(sum)
		for k := range n {
			v[k*step] = T(float64(v[k*step]) - less)
		}
	})
}

// hardmax is 1 at the first largest number, and 0 elsewhere.
func hardmax[T float](x tensor[T], axis int) tensor[T] {
	return along(x, axis, func(v []T, n, step int) {
		best := 0
		for k := range n {
			if v[k*step] > v[best*step] {
				best = k
			}
		}
		for k := range n {
			v[k*step] = 0
		}
		v[best*step] = 1
	})
}

// lpNormalization makes the norm along an axis 1.
func lpNormalization[T float](x tensor[T], axis, p int) tensor[T] {
	return along(x, axis, func(v []T, n, step int) {
		var sum float64
		for k := range n {
			if p == 1 {
				sum += math.Abs(float64(v[k*step]))
			} else {
				sum += float64(v[k*step]) * float64(v[k*step])
			}
		}
		if p != 1 {
			sum = math.Sqrt(sum)
		}
		if sum == 0 {
			return
		}
		for k := range n {
			v[k*step] = T(float64(v[k*step]) / sum)
		}
	})
}

// along calls f for the numbers along an axis: n of them, step apart.
func along[T any](x tensor[T], axis int, f func(v []T, n, step int)) tensor[T] {
	axis = axisOf(axis, len(x.shape))
	outer, n, inner := around(x.shape, axis)
	if n == 0 {
		return x
	}
	for o := range outer {
		for i := range inner {
			f(x.data[o*n*inner+i:], n, inner)
		}
	}
	return x
}
