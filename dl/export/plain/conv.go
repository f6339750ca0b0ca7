package plain

// filters are a convolution's weights, laid out for the kernel: whole tiles of rows, each
// with its numbers behind one another, then what rows are left.
type filters struct {
	groups, rows, k int // rows and numbers of each group
	size            []int
	channels        int // of a group
	data            []float32
	bias            []float32
}

// newFilters lays out weights of ONNX's order: filters, channels, axes. bias may be nil.
func newFilters(w tensor[float32], bias []float32, groups int) filters {
	if len(w.shape) < 3 || groups < 1 || w.shape[0]%groups != 0 {
		fail("expected filters of at least three axes, in %d groups, got shape %v", groups, w.shape)
	}
	f := filters{groups: groups, rows: w.shape[0] / groups, k: count(w.shape[1:]), size: w.shape[2:], channels: w.shape[1]}
	f.data = make([]float32, len(w.data), len(w.data)+slack)
	f.bias = make([]float32, w.shape[0], w.shape[0]+slack)
	copy(f.bias, bias)
	for g := range groups {
		from, to := w.data[g*f.rows*f.k:][:f.rows*f.k], f.data[g*f.rows*f.k:][:f.rows*f.k]
		whole := f.rows / tileRows * tileRows
		for r := 0; r < whole; r += tileRows {
			for i := range tileRows {
				for k, v := range from[(r+i)*f.k:][:f.k] {
					to[r*f.k+k*tileRows+i] = v
				}
			}
		}
		copy(to[whole*f.k:], from[whole*f.k:])
	}
	return f
}

// turned are the filters of a transposed convolution, of ONNX's order channels, filters,
// axes, as those of a convolution over an input that is spread out.
func turned(w tensor[float32], groups int) tensor[float32] {
	c, f, n := w.shape[0]/groups, w.shape[1], count(w.shape[2:])
	y := tensor[float32]{append([]int{groups * f, c}, w.shape[2:]...), make([]float32, len(w.data))}
	for g := range groups {
		for i := range c {
			for j := range f {
				for k := range n {
					y.data[((g*f+j)*c+i)*n+n-1-k] = w.data[((g*c+i)*f+j)*n+k]
				}
			}
		}
	}
	return y
}

// grid is an image as the kernel walks over it. Each axis is taken apart by the stride, so
// that neighbours of the result are neighbours here.
type grid struct {
	places
	axis    [3]int // lengths
	phases  int
	channel int // numbers of a channel
	columns int // from the first to behind the last place of the result
	offsets []int
}

func (p places) grid(f filters) grid {
	g := grid{places: p, phases: 1}
	size := 1
	for i := range 3 {
		g.axis[i] = ((p.in[i]-1)*p.spread[i] + p.before[i] + p.after[i] + p.stride[i]) / p.stride[i]
		g.phases *= p.stride[i]
		size *= g.axis[i]
	}
	g.channel = g.phases * size
	g.columns = ((p.out[0]-1)*g.axis[1]+p.out[1]-1)*g.axis[2] + p.out[2]
	for c := range f.channels {
		for d := range p.size[0] {
			for h := range p.size[1] {
				for w := range p.size[2] {
					g.offsets = append(g.offsets, c*g.channel+g.at(d*p.dilation[0], h*p.dilation[1], w*p.dilation[2]))
				}
			}
		}
	}
	return g
}

// at is where a place of the padded image lies within its channel.
func (g *grid) at(d, h, w int) int {
	s := g.stride
	phase := (d%s[0]*s[1]+h%s[1])*s[2] + w%s[2]
	return ((phase*g.axis[0]+d/s[0])*g.axis[1]+h/s[1])*g.axis[2] + w/s[2]
}

// plain says whether an image can be used as it lies.
func (g *grid) plain() bool {
	for i := range 3 {
		if g.stride[i] != 1 || g.before[i] != 0 || g.after[i] != 0 || g.spread[i] != 1 {
			return false
		}
	}
	return true
}

// fill lays the channels of an image out.
func (g *grid) fill(to, x []float32, channels int) {
	for c := range channels {
		dst := to[c*g.channel:]
		for d := range g.in[0] {
			for h := range g.in[1] {
				row := x[((c*g.in[0]+d)*g.in[1]+h)*g.in[2]:][:g.in[2]]
				pd, ph, pw := d*g.spread[0]+g.before[0], h*g.spread[1]+g.before[1], g.before[2]
				if g.stride[2] == 1 && g.spread[2] == 1 {
					copy(dst[g.at(pd, ph, pw):], row)
					continue
				}
				for i, v := range row {
					dst[g.at(pd, ph, pw+i*g.spread[2])] = v
				}
			}
		}
	}
}

// conv is a convolution; no number is below floor.
func conv(m *memory, x tensor[float32], f filters, w window, floor float32) tensor[float32] {
	channels := f.groups * f.channels
	if len(x.shape) != len(f.size)+2 || x.shape[1] != channels {
		fail("expected %d channels and %d axes behind them, got shape %v", channels, len(f.size), x.shape)
	}
	w.size = f.size
	g := w.over(x.shape[2:]).grid(f)
	y := alloc[float32](m, g.shape([]int{x.shape[0], f.groups * f.rows}, len(f.size))...)
	if len(y.data) == 0 {
		return y
	}
	image, place := count(x.shape[1:]), count(y.shape[2:])
	strips := (g.columns + tileColumns - 1) / tileColumns
	reach := (channels-f.channels)*g.channel + g.offsets[len(g.offsets)-1] + strips*tileColumns
	laid := m.take(max(channels*g.channel, reach))
	clear(laid)
	out := m.take(tileRows * strips * tileColumns)
	for n := range x.shape[0] {
		src := x.data[n*image:]
		if !g.plain() || cap(src) < reach {
			g.fill(laid, src, channels)
			src = laid
		}
		for group := range f.groups {
			g.group(y.data[(n*f.groups+group)*f.rows*place:], src[group*f.channels*g.channel:], out, f, group, floor)
		}
	}
	m.give(laid)
	m.give(out)
	return y
}

// group computes the filters of a group for an image.
func (g *grid) group(y, x, out []float32, f filters, group int, floor float32) {
	weights, bias := f.data[group*f.rows*f.k:], f.bias[group*f.rows:]
	place := g.out[0] * g.out[1] * g.out[2]
	x = x[:cap(x)]
	strips := (g.columns + tileColumns - 1) / tileColumns
	ldc := strips * tileColumns
	r := 0
	for ; r+tileRows <= f.rows; r += tileRows {
		for s := range strips {
			productTile(&out[s*tileColumns], ldc, &weights[r*f.k], &x[s*tileColumns], &g.offsets[0], f.k, &bias[r], true, floor)
		}
		for i := range tileRows {
			g.keep(y[(r+i)*place:], out[i*ldc:])
		}
	}
	for ; r < f.rows; r++ {
		for s := range strips {
			productRow(&out[s*tileColumns], &weights[r*f.k], &x[s*tileColumns], &g.offsets[0], f.k, &bias[r], true, floor)
		}
		g.keep(y[r*place:], out)
	}
}

// keep takes the places of the result out of what was computed.
func (g *grid) keep(y, out []float32) {
	n := g.out[2]
	if n == g.axis[2] && (g.out[0] == 1 || g.out[1] == g.axis[1]) {
		copy(y[:g.out[0]*g.out[1]*n], out)
		return
	}
	for d := range g.out[0] {
		for h := range g.out[1] {
			copy(y[(d*g.out[1]+h)*n:][:n], out[(d*g.axis[1]+h)*g.axis[2]:])
		}
	}
}
