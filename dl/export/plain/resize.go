package plain

import "math"

// resizing is how an image gets another size, in ONNX's terms.
type resizing struct {
	mode, transform, nearest string
	cubic                    float64
	exclude                  bool // a cubic's weights outside count as none
}

// resize gives axes other lengths, one axis after the other. scales are by how much, where
// that differs from the quotient of the lengths; 0 is that quotient.
func resize(m *memory, x tensor[float32], r resizing, shape []int, scales []float64) tensor[float32] {
	for axis, n := range shape {
		if n == x.shape[axis] && (scales[axis] == 0 || scales[axis] == 1) {
			continue
		}
		outer, old, inner := around(x.shape, axis)
		out := append([]int{}, x.shape...)
		out[axis] = n
		y := alloc[float32](m, out...)
		by := scales[axis]
		length := by * float64(old)
		if by == 0 {
			by, length = float64(n)/float64(old), float64(n)
		}
		for i := range n {
			places, weights := r.sources(i, old, n, length, by)
			for o := range outer {
				to := y.data[(o*n+i)*inner:][:inner]
				clear(to)
				for k, p := range places {
					w := float32(weights[k])
					for e, v := range x.data[(o*old+p)*inner:][:inner] {
						to[e] += w * v
					}
				}
			}
		}
		x = y
	}
	return x
}

// sources are the places that a place comes from, and their weights.
func (r resizing) sources(i, old, whole int, n, by float64) (places []int, weights []float64) {
	at := r.place(float64(i), float64(old), float64(whole), n, by)
	if r.mode == "nearest" {
		var p float64
		switch r.nearest {
		case "floor":
			p = math.Floor(at)
		case "ceil":
			p = math.Ceil(at)
		case "round_prefer_ceil":
			p = math.Floor(at + 0.5)
		default:
			p = math.Ceil(at - 0.5)
		}
		return []int{max(0, min(old-1, int(p)))}, []float64{1}
	}
	first := math.Floor(at)
	t := at - first
	if r.mode == "linear" {
		return r.inside(int(first), old, []float64{1 - t, t})
	}
	a := r.cubic
	near := func(t float64) float64 { return ((a+2)*t-(a+3))*t*t + 1 }
	far := func(t float64) float64 { return ((a*t-5*a)*t+8*a)*t - 4*a }
	return r.inside(int(first)-1, old, []float64{far(1 + t), near(t), near(1 - t), far(2 - t)})
}

func (r resizing) inside(first, old int, w []float64) (places []int, weights []float64) {
	sum := 0.0
	for k, v := range w {
		p := first + k
		if r.exclude && (p < 0 || p >= old) {
			continue
		}
		places, weights = append(places, max(0, min(old-1, p))), append(weights, v)
		sum += v
	}
	if r.exclude {
		for i := range weights {
			weights[i] /= sum
		}
	}
	return places, weights
}

// place is where in the old axis a place of the new one lies. whole is the new length, n
// what it is before it is made a whole number.
func (r resizing) place(i, old, whole, n, by float64) float64 {
	switch r.transform {
	case "asymmetric":
		return i / by
	case "align_corners":
		if n == 1 {
			return 0
		}
		return i * (old - 1) / (n - 1)
	case "pytorch_half_pixel":
		if n == 1 {
			return 0
		}
	case "half_pixel_symmetric":
		half := old / 2 * (1 - whole/n)
		return half + (i+0.5)/by - 0.5
	}
	return (i+0.5)/by - 0.5
}

// resizeTo gives axes, or all if none are named, other lengths, by scales or by sizes.
func resizeTo(m *memory, x tensor[float32], r resizing, scales []float32, sizes, axes []int) tensor[float32] {
	shape, by := append([]int{}, x.shape...), make([]float64, len(x.shape))
	for i := range max(len(scales), len(sizes)) {
		axis := i
		if len(axes) > 0 {
			axis = axisOf(axes[i], len(shape))
		}
		if len(sizes) > 0 {
			shape[axis] = sizes[i]
			continue
		}
		by[axis] = float64(scales[i])
		shape[axis] = int(float64(x.shape[axis]) * by[axis])
	}
	return resize(m, x, r, shape, by)
}
