package plain

import (
	"slices"
	"strings"
)

// named is a tensor whose axes have names.
type named struct {
	tensor[float32]
	axes []rune
}

// einsum is a sum of products by an equation such as "bij,bjk->bik".
func einsum(m *memory, equation string, xs ...tensor[float32]) tensor[float32] {
	left, right, explicit := strings.Cut(strings.ReplaceAll(equation, " ", ""), "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(xs) {
		fail("expected %d operands for %q, got %d", len(terms), equation, len(xs))
	}
	rest := 0
	for i, t := range terms {
		if strings.Contains(t, "...") {
			rest = max(rest, len(xs[i].shape)-len(t)+3)
		}
	}
	var all []named
	seen := make(map[rune]int)
	for i, t := range terms {
		all = append(all, diagonal(m, xs[i], axesOf(t, len(xs[i].shape), rest)))
		for _, a := range axesOf(t, len(xs[i].shape), rest) {
			seen[a]++
		}
	}
	out := axesOf(right, -1, rest)
	if !explicit {
		out = axesOf("...", -1, rest)
		var once []rune
		for a, n := range seen {
			if n == 1 && a < 1<<20 {
				once = append(once, a)
			}
		}
		slices.Sort(once)
		out = append(out, once...)
	}
	for len(all) > 1 {
		keep := slices.Clone(out)
		for _, x := range all[2:] {
			keep = append(keep, x.axes...)
		}
		all = append([]named{contract(m, all[0], all[1], keep)}, all[2:]...)
	}
	return all[0].summed(m, out).ordered(m, out).tensor
}

// axesOf are the names of a term's axes, where an ellipsis stands for what is left of rank, or
// for all of rest if there is no rank; its axes are counted from the last.
func axesOf(term string, rank, rest int) []rune {
	before, after, has := strings.Cut(term, "...")
	if !has {
		return []rune(term)
	}
	n := rest
	if rank >= 0 {
		n = rank - len(term) + 3
	}
	axes := []rune(before)
	for i := range n {
		axes = append(axes, rune(1<<20+n-1-i))
	}
	return append(axes, []rune(after)...)
}

// diagonal makes one axis of those that have the same name.
func diagonal(m *memory, x tensor[float32], axes []rune) named {
	if len(axes) != len(x.shape) {
		fail("expected %d axes, got shape %v", len(axes), x.shape)
	}
	var shape, from []int
	var out []rune
	for i, step := range steps(x.shape) {
		if at := slices.Index(out, axes[i]); at >= 0 {
			from[at] += step
			continue
		}
		out, shape, from = append(out, axes[i]), append(shape, x.shape[i]), append(from, step)
	}
	if len(out) == len(axes) {
		return named{x, axes}
	}
	y := alloc[float32](m, shape...)
	gatherRows(y.data, x.data, 0, shape, from)
	return named{y, out}
}

// summed sums over the axes that are not among some.
func (x named) summed(m *memory, keep []rune) named {
	var drop []int
	var left []rune
	for i, a := range x.axes {
		if slices.Contains(keep, a) {
			left = append(left, a)
		} else {
			drop = append(drop, i)
		}
	}
	if len(drop) == 0 {
		return x
	}
	return named{reduceSum(m, x.tensor, drop, false), left}
}

// ordered has the axes in another order; those that it has not are of length 1.
func (x named) ordered(m *memory, axes []rune) named {
	var perm, missing []int
	for i, a := range axes {
		if at := slices.Index(x.axes, a); at >= 0 {
			perm = append(perm, at)
		} else {
			missing = append(missing, i)
		}
	}
	t := x.tensor
	if !slices.IsSorted(perm) {
		t = transpose(m, t, perm...)
	}
	if len(missing) > 0 {
		t = unsqueeze(t, missing...)
	}
	return named{t, axes}
}

// contract multiplies two tensors and sums over what neither the result nor others need.
func contract(m *memory, a, b named, keep []rune) named {
	a, b = a.summed(m, append(slices.Clone(keep), b.axes...)), b.summed(m, append(slices.Clone(keep), a.axes...))
	var batch, rows, inner, columns []rune
	length := make(map[rune]int)
	for i, x := range a.axes {
		length[x] = a.shape[i]
		switch {
		case !slices.Contains(b.axes, x):
			rows = append(rows, x)
		case slices.Contains(keep, x):
			batch = append(batch, x)
		default:
			inner = append(inner, x)
		}
	}
	for i, x := range b.axes {
		if l, ok := length[x]; !ok {
			columns = append(columns, x)
		} else if l != b.shape[i] && l != 1 && b.shape[i] != 1 || slices.Contains(inner, x) && l != b.shape[i] {
			fail("expected axes %q of one length, got %d and %d", string(x), l, b.shape[i])
		}
		length[x] = max(length[x], b.shape[i])
	}
	sizes := func(axes []rune, of named) []int {
		var s []int
		for _, x := range axes {
			s = append(s, of.shape[slices.Index(of.axes, x)])
		}
		return s
	}
	left := a.ordered(m, slices.Concat(batch, rows, inner))
	right := b.ordered(m, slices.Concat(batch, inner, columns))
	k := count(sizes(inner, a))
	y := matmul(m,
		tensor[float32]{append(sizes(batch, a), count(sizes(rows, a)), k), left.data},
		tensor[float32]{append(sizes(batch, b), k, count(sizes(columns, b))), right.data})
	axes := slices.Concat(batch, rows, columns)
	shape := make([]int, len(axes))
	for i, x := range axes {
		shape[i] = length[x]
	}
	return named{tensor[float32]{shape, y.data}, axes}
}
