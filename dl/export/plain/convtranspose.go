package plain

// convTranspose is a transposed convolution: a convolution over an input with zeros
// between its numbers. pads are what is cut off, extra what is added at the ends.
func convTranspose(m *memory, x tensor[float32], f filters, w window, extra, shape []int) tensor[float32] {
	n := len(f.size)
	if len(x.shape) != n+2 {
		fail("expected %d axes behind the channels, got shape %v", n, x.shape)
	}
	c := window{dilations: w.dilations, spread: make([]int, n), pads: make([]int, 2*n)}
	for i := range n {
		stride, reach, more := 1, f.size[i]-1, 0
		if len(w.strides) > 0 {
			stride = w.strides[i]
		}
		if len(w.dilations) > 0 {
			reach *= w.dilations[i]
		}
		if len(extra) > 0 {
			more = extra[i]
		}
		before, after := 0, 0
		full := (x.shape[2+i]-1)*stride + reach + 1 + more
		if len(w.pads) > 0 {
			before, after = w.pads[i], w.pads[n+i]
		}
		same := w.auto == "SAME_UPPER" || w.auto == "SAME_LOWER"
		if same || len(shape) > 0 {
			want := x.shape[2+i] * stride
			if len(shape) > 0 {
				want = shape[i]
			}
			total := full - want
			before = total / 2
			if w.auto != "SAME_UPPER" && len(shape) > 0 && !same || w.auto == "SAME_LOWER" {
				before = total - total/2
			}
			if total < 0 { // what is asked for beyond the end is zeros
				before = 0
			}
			after = total - before
		}
		c.spread[i] = stride
		c.pads[i], c.pads[n+i] = reach-before, reach-after+more
	}
	x, c.pads = cut(m, x, c.pads, c.spread)
	return conv(m, x, f, c, noFloor)
}

// cut takes whole numbers of a spread input off its ends, where pads are below zero.
func cut(m *memory, x tensor[float32], pads, spread []int) (tensor[float32], []int) {
	n := len(spread)
	pads = append([]int{}, pads...)
	for i := range n {
		start, end := 0, x.shape[2+i]
		for pads[i] < 0 && start < end {
			start++
			pads[i] += spread[i]
		}
		for pads[n+i] < 0 && start < end {
			end--
			pads[n+i] += spread[i]
		}
		if start > 0 || end < x.shape[2+i] {
			x = slice(m, x, []int{start}, []int{end}, []int{2 + i}, nil)
		}
	}
	return x, pads
}
