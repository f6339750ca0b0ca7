package plain

// window is how windows go over the axes behind the channels.
type window struct {
	size, strides, dilations []int
	pads                     []int // before each axis, then behind each
	auto                     string
	ceil                     bool // a window may hang over the end
	spread                   []int
}

// places is a window over an image of three axes; those that there are not have length 1.
type places struct {
	in, size, stride, dilation, before, after, out, spread [3]int
}

// over lays a window over spatial axes.
func (w window) over(shape []int) places {
	p := places{}
	n := len(shape)
	if n < 1 || n > 3 || len(w.size) != n {
		fail("expected %d axes behind the channels, one to three, got %d", len(w.size), n)
	}
	for i := range 3 {
		p.in[i], p.size[i], p.stride[i], p.dilation[i], p.out[i], p.spread[i] = 1, 1, 1, 1, 1, 1
	}
	for j, d := range shape {
		i := 3 - n + j
		p.in[i], p.size[i] = d, w.size[j]
		if len(w.strides) > 0 {
			p.stride[i] = w.strides[j]
		}
		if len(w.dilations) > 0 {
			p.dilation[i] = w.dilations[j]
		}
		if len(w.pads) > 0 {
			p.before[i], p.after[i] = w.pads[j], w.pads[n+j]
		}
		if len(w.spread) > 0 {
			p.spread[i] = w.spread[j]
		}
		w.axis(&p, i)
	}
	return p
}

// axis fills in how many places there are along one axis.
func (w window) axis(p *places, i int) {
	reach := (p.size[i]-1)*p.dilation[i] + 1
	wide := (p.in[i]-1)*p.spread[i] + 1
	switch w.auto {
	case "SAME_UPPER", "SAME_LOWER":
		p.out[i] = (wide + p.stride[i] - 1) / p.stride[i]
		total := max(0, (p.out[i]-1)*p.stride[i]+reach-wide)
		p.before[i], p.after[i] = total/2, total-total/2
		if w.auto == "SAME_LOWER" {
			p.before[i], p.after[i] = p.after[i], p.before[i]
		}
		return
	case "VALID":
		p.before[i], p.after[i] = 0, 0
	}
	room := wide + p.before[i] + p.after[i] - reach
	if room < 0 {
		fail("expected an axis of at least %d for a window, got %d", reach, wide+p.before[i]+p.after[i])
	}
	p.out[i] = room/p.stride[i] + 1
	if w.ceil && room%p.stride[i] != 0 && p.out[i]*p.stride[i] < wide+p.before[i] {
		p.out[i]++
	}
}

// shape is a shape with what the window leaves of the spatial axes.
func (p places) shape(front []int, n int) []int {
	return append(append([]int{}, front...), p.out[3-n:]...)
}
