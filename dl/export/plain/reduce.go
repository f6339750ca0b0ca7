package plain

import "math"

// fold folds the numbers along axes by a function, which begins with a value; all axes if
// there are none.
func fold[T number](m *memory, x tensor[T], axes []int, keep bool, start T, f func(sum, v T) T) tensor[T] {
	y, at := reduced(m, x, axes, keep)
	for i := range y.data {
		y.data[i] = start
	}
	if n := last(x.shape, axes); n > 0 { // numbers of one sum lie together
		for i := range y.data {
			sum := start
			for _, v := range x.data[i*n:][:n] {
				sum = f(sum, v)
			}
			y.data[i] = sum
		}
		return y
	}
	for i, v := range x.data {
		o := at(i)
		y.data[o] = f(y.data[o], v)
	}
	return y
}

// last is how many numbers the axes have together if they are those at the end, else 0.
func last(shape, axes []int) int {
	first := len(shape) - len(axes)
	n := 1
	for _, a := range axes {
		a = axisOf(a, len(shape))
		if a < first {
			return 0
		}
		n *= shape[a]
	}
	if len(axes) == 0 {
		return count(shape)
	}
	return n
}

// reduced is a tensor for what is left of axes, and where in it a number of x belongs.
func reduced[T number](m *memory, x tensor[T], axes []int, keep bool) (y tensor[T], at func(int) int) {
	drop := make([]bool, len(x.shape))
	for _, a := range axes {
		drop[axisOf(a, len(x.shape))] = true
	}
	shape, out := []int{}, make([]int, len(x.shape))
	for i, d := range x.shape {
		if len(axes) == 0 {
			drop[i] = true
		}
		if !drop[i] {
			shape = append(shape, d)
		} else if keep {
			shape = append(shape, 1)
		}
	}
	step := 1
	for i := len(x.shape) - 1; i >= 0; i-- {
		if !drop[i] {
			out[i] = step
			step *= x.shape[i]
		}
	}
	return alloc[T](m, shape...), func(i int) int {
		o := 0
		for d := len(x.shape) - 1; d >= 0; d-- {
			o += i % x.shape[d] * out[d]
			i /= x.shape[d]
		}
		return o
	}
}

func reduceSum[T number](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	return fold(m, x, axes, keep, 0, func(s, v T) T { return s + v })
}

func reduceMean[T number](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	y := reduceSum(m, x, axes, keep)
	n := T(len(x.data) / max(1, len(y.data)))
	for i := range y.data {
		y.data[i] /= n
	}
	return y
}

func reduceProd[T number](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	return fold(m, x, axes, keep, 1, func(s, v T) T { return s * v })
}

// reduceMax begins with the least number of the type, which is what there is of none.
func reduceMax[T number](m *memory, x tensor[T], axes []int, keep bool, lowest T) tensor[T] {
	return fold(m, x, axes, keep, lowest, func(s, v T) T { return max(s, v) })
}

func reduceMin[T number](m *memory, x tensor[T], axes []int, keep bool, highest T) tensor[T] {
	return fold(m, x, axes, keep, highest, func(s, v T) T { return min(s, v) })
}

func reduceL1[T number](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	return fold(m, x, axes, keep, 0, func(s, v T) T {
		if v < 0 {
			return s - v
		}
		return s + v
	})
}

func reduceSumSquare[T number](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	return fold(m, x, axes, keep, 0, func(s, v T) T { return s + v*v })
}

func reduceL2[T float](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	return each(reduceSumSquare(m, x, axes, keep), math.Sqrt)
}

func reduceLogSum[T float](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	return each(reduceSum(m, x, axes, keep), math.Log)
}

// reduceLogSumExp takes the largest number out first, so that nothing overflows.
func reduceLogSumExp[T float](m *memory, x tensor[T], axes []int, keep bool) tensor[T] {
	largest := reduceMax(m, x, axes, true, T(math.Inf(-1)))
	for i, v := range largest.data {
		if math.IsInf(float64(v), 0) {
			largest.data[i] = 0
		}
	}
	y := reduceLogSum(m, each(sub(m, x, largest), math.Exp), axes, keep)
	for i := range y.data {
		y.data[i] += largest.data[i]
	}
	return y
}

// argMax is the index of the largest number along an axis, the first or the last one.
func argMax[T number](m *memory, x tensor[T], axis int, keep, last, smallest bool) tensor[int64] {
	axis = axisOf(axis, len(x.shape))
	outer, n, inner := around(x.shape, axis)
	shape := append([]int{}, x.shape[:axis]...)
	if keep {
		shape = append(shape, 1)
	}
	y := alloc[int64](m, append(shape, x.shape[axis+1:]...)...)
	for o := range outer {
		for i := range inner {
			best := 0
			for k := 1; k < n; k++ {
				v, b := x.data[(o*n+k)*inner+i], x.data[(o*n+best)*inner+i]
				if v != b && (v < b) == smallest || v == b && last {
					best = k
				}
			}
			y.data[o*inner+i] = int64(best)
		}
	}
	return y
}

// cumSum are the sums up to each place along an axis.
func cumSum[T number](m *memory, x tensor[T], axis int, exclusive, reverse bool) tensor[T] {
	axis = axisOf(axis, len(x.shape))
	outer, n, inner := around(x.shape, axis)
	y := alloc[T](m, x.shape...)
	for o := range outer {
		for i := range inner {
			var sum T
			for k := range n {
				if reverse {
					k = n - 1 - k
				}
				at := (o*n+k)*inner + i
				if exclusive {
					y.data[at] = sum
				}
				sum += x.data[at]
				if !exclusive {
					y.data[at] = sum
				}
			}
		}
	}
	return y
}

// behind are the axes from one on.
func behind(rank, first int) []int {
	axes := []int{}
	for i := first; i < rank; i++ {
		axes = append(axes, i)
	}
	return axes
}
