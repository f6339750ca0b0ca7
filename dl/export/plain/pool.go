package plain

import "math"

// windows calls f for each place of the result, with the place's number, the first number
// of its channel, and the numbers of its window by their indices.
func windows(p places, planes int, f func(at, base int, inside []int, outside int)) {
	size := p.in[0] * p.in[1] * p.in[2]
	inside := make([]int, 0, p.size[0]*p.size[1]*p.size[2])
	at := 0
	for plane := range planes {
		for od := range p.out[0] {
			for oh := range p.out[1] {
				for ow := range p.out[2] {
					inside = inside[:0]
					padded := 0
					d0, h0, w0 := od*p.stride[0]-p.before[0], oh*p.stride[1]-p.before[1], ow*p.stride[2]-p.before[2]
					for kd := range p.size[0] {
						for kh := range p.size[1] {
							for kw := range p.size[2] {
								d, h, w := d0+kd*p.dilation[0], h0+kh*p.dilation[1], w0+kw*p.dilation[2]
								switch {
								case d >= 0 && d < p.in[0] && h >= 0 && h < p.in[1] && w >= 0 && w < p.in[2]:
									inside = append(inside, (d*p.in[1]+h)*p.in[2]+w)
								case d < p.in[0]+p.after[0] && h < p.in[1]+p.after[1] && w < p.in[2]+p.after[2]:
									padded++
								}
							}
						}
					}
					f(at, plane*size, inside, padded)
					at++
				}
			}
		}
	}
}

func maxPool[T number](m *memory, x tensor[T], w window) tensor[T] {
	p := w.over(x.shape[2:])
	y := alloc[T](m, p.shape(x.shape[:2], len(w.size))...)
	if p.inside() {
		maxima(y.data, x.data, p, count(x.shape[:2]))
		return y
	}
	windows(p, count(x.shape[:2]), func(at, base int, inside []int, _ int) {
		if len(inside) == 0 {
			fail("expected windows that hold numbers")
		}
		v := x.data[base+inside[0]]
		for _, i := range inside[1:] {
			v = max(v, x.data[base+i])
		}
		y.data[at] = v
	})
	return y
}

// inside says whether all windows lie within the image.
func (p places) inside() bool {
	for i := range 3 {
		if p.before[i] != 0 || (p.out[i]-1)*p.stride[i]+(p.size[i]-1)*p.dilation[i] >= p.in[i] {
			return false
		}
	}
	return true
}

// maxima are those of windows that lie within the image.
func maxima[T number](y, x []T, p places, planes int) {
	size, n := p.in[0]*p.in[1]*p.in[2], p.out[2]
	for plane := range planes {
		for od := range p.out[0] {
			for oh := range p.out[1] {
				row := y[((plane*p.out[0]+od)*p.out[1]+oh)*n:][:n]
				for kd := range p.size[0] {
					for kh := range p.size[1] {
						d, h := od*p.stride[0]+kd*p.dilation[0], oh*p.stride[1]+kh*p.dilation[1]
						maximaOfRow(row, x[plane*size+(d*p.in[1]+h)*p.in[2]:][:p.in[2]], p, kd == 0 && kh == 0)
					}
				}
			}
		}
	}
}

// maximaOfRow raises numbers to what windows find in one row of an image.
func maximaOfRow[T number](y, x []T, p places, first bool) {
	step, wide := p.stride[2], p.dilation[2]
	if first {
		for i := range y {
			y[i] = x[i*step]
		}
	}
	k := 0
	for ; k+1 < p.size[2]; k += 2 {
		x, z := x[k*wide:], x[(k+1)*wide:]
		at := 0
		for i, v := range y {
			y[i] = max(v, max(x[at], z[at]))
			at += step
		}
	}
	for ; k < p.size[2]; k++ {
		x, at := x[k*wide:], 0
		for i, v := range y {
			y[i] = max(v, x[at])
			at += step
		}
	}
}

// averagePool is the mean of windows; padded says whether what lies outside counts as zeros.
func averagePool(m *memory, x tensor[float32], w window, padded bool) tensor[float32] {
	p := w.over(x.shape[2:])
	y := alloc[float32](m, p.shape(x.shape[:2], len(w.size))...)
	windows(p, count(x.shape[:2]), func(at, base int, inside []int, outside int) {
		var sum float64
		for _, i := range inside {
			sum += float64(x.data[base+i])
		}
		n := len(inside)
		if padded {
			n += outside
		}
		y.data[at] = float32(sum / float64(n))
	})
	return y
}

// lpPool is the p-norm of windows.
func lpPool(m *memory, x tensor[float32], w window, norm float64) tensor[float32] {
	p := w.over(x.shape[2:])
	y := alloc[float32](m, p.shape(x.shape[:2], len(w.size))...)
	windows(p, count(x.shape[:2]), func(at, base int, inside []int, _ int) {
		var sum float64
		for _, i := range inside {
			sum += math.Pow(math.Abs(float64(x.data[base+i])), norm)
		}
		y.data[at] = float32(math.Pow(sum, 1/norm))
	})
	return y
}
