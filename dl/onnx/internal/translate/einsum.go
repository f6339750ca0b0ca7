package translate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// einsum follows numpy's rules: letters for axes, an ellipsis for those that are
// broadcast, and sums over letters that the result does not have.
//
// Source: https://numpy.org/doc/stable/reference/generated/numpy.einsum.html
func einsum(c *call) *graph.Node {
	a, _ := c.attribute("equation")
	equation := strings.ReplaceAll(a.S, " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(c.in) {
		panic(fmt.Errorf("expected %d terms in equation %q, got %d", len(c.in), a.S, len(terms)))
	}
	wide := 0
	var in []labelled
	for i, t := range terms {
		x := c.x(i)
		l, n := expandLabels(t, x.Rank(), a.S)
		wide = max(wide, n)
		in = append(in, labelled{x, l})
	}
	if !explicit {
		right = implicit(left)
	}
	out, _ := expandLabels(right, strings.Count(strings.ReplaceAll(right, "...", ""), "")-1+wide, a.S)
	if !strings.Contains(right, "...") {
		out = []rune(right)
	}
	for i := range in {
		in[i] = in[i].diagonal()
	}
	for _, r := range out {
		if !slices.ContainsFunc(in, func(l labelled) bool { return slices.Contains(l.labels, r) }) {
			panic(fmt.Errorf("equation %q: no input has the axis %q of the result", a.S, string(r)))
		}
	}
	y := in[0]
	for i, b := range in[1:] {
		y = product(y, b, needed(in[i+2:], out))
	}
	return y.only(out).to(out).x
}

// labelled is a node whose axes have letters.
type labelled struct {
	x      *graph.Node
	labels []rune
}

// The axes of an ellipsis have labels that no equation can have, the last one being the
// last.
const ellipsis = 0x10000

func expandLabels(term string, rank int, equation string) (labels []rune, wide int) {
	before, after, has := strings.Cut(term, "...")
	wide = rank - len([]rune(before)) - len([]rune(after))
	if wide < 0 || !has && wide > 0 {
		panic(fmt.Errorf("equation %q: the term %q does not fit a tensor of %d axes", equation, term, rank))
	}
	labels = []rune(before)
	for i := range wide {
		labels = append(labels, rune(ellipsis+64-wide+i))
	}
	return append(labels, []rune(after)...), wide
}

// implicit is the result that an equation without one has: an ellipsis, and the letters
// that are there once, in their order.
func implicit(left string) string {
	var once []rune
	plain := strings.ReplaceAll(strings.ReplaceAll(left, "...", ""), ",", "")
	for _, r := range plain {
		if strings.Count(plain, string(r)) == 1 {
			once = append(once, r)
		}
	}
	slices.Sort(once)
	if strings.Contains(left, "...") {
		return "..." + string(once)
	}
	return string(once)
}

// needed are the letters that later terms or the result have.
func needed(later []labelled, out []rune) []rune {
	all := slices.Clone(out)
	for _, l := range later {
		all = append(all, l.labels...)
	}
	return all
}

// diagonal keeps of an axis that is there twice what is at the same place of both.
func (l labelled) diagonal() labelled {
	for i := 0; i < len(l.labels); i++ {
		j := slices.Index(l.labels[i+1:], l.labels[i])
		if j < 0 {
			continue
		}
		j += i + 1
		x := l.x
		n := x.Shape().Dimensions[i]
		dims := slices.Repeat([]int{1}, x.Rank())
		dims[i], dims[j] = n, n
		same := graph.Reshape(graph.Diagonal(x.Graph(), n), dims...)
		same = graph.BroadcastToDims(same, x.Shape().Dimensions...)
		x = graph.ReduceSum(graph.Where(same, x, graph.ZerosLike(x)), j)
		l = labelled{x, slices.Delete(slices.Clone(l.labels), j, j+1)}
		i--
	}
	return l
}

// only sums over the letters that are not wanted.
func (l labelled) only(wanted []rune) labelled {
	var axes []int
	var left []rune
	for i, r := range l.labels {
		if slices.Contains(wanted, r) {
			left = append(left, r)
		} else {
			axes = append(axes, i)
		}
	}
	if len(axes) > 0 {
		l.x = graph.ReduceSum(l.x, axes...)
	}
	return labelled{l.x, left}
}

// to puts axes into an order, with those that are missing being 1.
func (l labelled) to(order []rune) labelled {
	var perm, dims []int
	for _, r := range order {
		if i := slices.Index(l.labels, r); i >= 0 {
			perm = append(perm, i)
			dims = append(dims, l.x.Shape().Dimensions[i])
		} else {
			dims = append(dims, 1)
		}
	}
	if len(perm) != l.x.Rank() {
		panic(fmt.Errorf("an equation has an axis twice in its result"))
	}
	return labelled{graph.Reshape(transposed(l.x, perm...), dims...), order}
}

// product multiplies two terms and sums over what is not needed any more. Axes of both
// that are summed over are one product of matrices; those that stay are its batch.
func product(a, b labelled, wanted []rune) labelled {
	a = a.only(append(slices.Clone(wanted), b.labels...))
	b = b.only(append(slices.Clone(wanted), a.labels...))
	var batch, sum, alone []rune
	for i, r := range a.labels {
		j := slices.Index(b.labels, r)
		switch {
		case j < 0 || a.x.Shape().Dimensions[i] != b.x.Shape().Dimensions[j]:
			alone = append(alone, r)
		case slices.Contains(wanted, r):
			batch = append(batch, r)
		default:
			sum = append(sum, r)
		}
	}
	stretched := slices.ContainsFunc(alone, func(r rune) bool { return slices.Contains(b.labels, r) })
	if stretched || len(sum) == 0 {
		order := slices.Clone(a.labels)
		for _, r := range b.labels {
			if !slices.Contains(order, r) {
				order = append(order, r)
			}
		}
		return labelled{graph.Mul(a.to(order).x, b.to(order).x), order}.only(wanted)
	}
	axes := func(l labelled, letters []rune) (all []int) {
		for _, r := range letters {
			all = append(all, slices.Index(l.labels, r))
		}
		return all
	}
	x := dot(a.x, axes(a, sum), axes(a, batch), b.x, axes(b, sum), axes(b, batch))
	order := slices.Concat(batch, alone)
	for _, r := range b.labels {
		if !slices.Contains(batch, r) && !slices.Contains(sum, r) {
			order = append(order, r)
		}
	}
	return labelled{x, order}
}
