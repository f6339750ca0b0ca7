package plain

// pad adds numbers at the ends of axes, or takes them away: "constant" ones, or those of
// the tensor that "edge", "reflect" and "wrap" stand for.
func pad[T any](m *memory, x tensor[T], pads, axes []int, mode string, value T) tensor[T] {
	shape, before := append([]int{}, x.shape...), make([]int, len(x.shape))
	n := len(pads) / 2
	for i := range n {
		axis := i
		if len(axes) > 0 {
			axis = axisOf(axes[i], len(shape))
		}
		before[axis] = pads[i]
		shape[axis] = max(0, shape[axis]+pads[i]+pads[n+i])
	}
	// Where each place of an axis comes from; -1 is the value.
	from := make([][]int, len(shape))
	for d := range shape {
		from[d] = make([]int, shape[d])
		for i := range from[d] {
			from[d][i] = source(i-before[d], x.shape[d], mode)
		}
	}
	y := alloc[T](m, shape...)
	padded(y.data, x.data, from, x.shape, value)
	return y
}

func source(i, n int, mode string) int {
	if i >= 0 && i < n {
		return i
	}
	if n == 0 || mode == "constant" {
		return -1
	}
	switch mode {
	case "edge":
		return max(0, min(n-1, i))
	case "wrap":
		return (i%n + n) % n
	}
	if n == 1 {
		return 0
	}
	turn := 2 * (n - 1)
	if i = (i%turn + turn) % turn; i >= n {
		i = turn - i
	}
	return i
}

func padded[T any](y, x []T, from [][]int, shape []int, value T) {
	if len(from) == 0 {
		copy(y, x)
		return
	}
	if len(from[0]) == 0 {
		return
	}
	size, inner := len(y)/len(from[0]), count(shape[1:])
	for i, at := range from[0] {
		to := y[i*size:][:size]
		if at < 0 {
			for k := range to {
				to[k] = value
			}
			continue
		}
		padded(to, x[at*inner:][:inner], from[1:], shape[1:], value)
	}
}
