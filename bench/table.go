package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
)

// measured is what a network's contestants needed, round by round.
type measured struct {
	work
	all     []contestant
	results map[string][]result
}

func step(r result) float64  { return r.Step }
func one(r result) float64   { return r.One }
func many(r result) float64  { return r.Many }
func first(r result) float64 { return r.First }

// write prints a table of medians and of ratios to ours, taken round by round:
// what runs one after the other has met the same mood of the machine.
func (m measured) write(w io.Writer) {
	fmt.Fprintf(w, "%v, on MNIST; medians of %d rounds. Ratio: ours / theirs.\n", m.work, len(m.results[self]))
	fmt.Fprintf(w, "One and many are predictions of one image and of %d.\n", predicted(m.steps))
	fmt.Fprintf(w, "A + marks a peer whose allocator was told by the environment to keep its memory.\n\n")
	fmt.Fprintf(w, "| %-20s | %8s | %7s | %8s | %9s | %9s | %8s | %8s |\n", "", "step ms", "ratio", "epoch s", "first s", "memory MB", "one ms", "many ms")
	fmt.Fprintf(w, "|----------------------|----------|---------|----------|-----------|-----------|----------|----------|\n")
	ours := m.results[self]
	for _, c := range m.all {
		theirs := m.results[c.name]
		fmt.Fprintf(w, "| %-20s | %8.2f | %7.2f | %8.1f | %9.2f | %9.0f | %8.2f | %8.1f |\n", c.name,
			median(theirs, step), ratio(ours, theirs, step),
			median(theirs, func(r result) float64 { return r.Epoch }),
			theirs[0].First,
			median(theirs, func(r result) float64 { return r.Memory }),
			median(theirs, one), median(theirs, many))
	}
	fmt.Fprintln(w)
}

// families are the peers of the summary: each is its fastest way, of which there are several.
var families = []struct {
	name string
	has  func(contestant string) bool
}{
	{"PyTorch", func(c string) bool { return strings.HasPrefix(c, "pytorch") && !strings.Contains(c, "compile") }},
	{"torch.compile", func(c string) bool { return strings.Contains(c, "compile") }},
	{"Keras on TensorFlow", func(c string) bool { return strings.HasPrefix(c, "keras-tensorflow") }},
	{"Keras on JAX", func(c string) bool { return strings.HasPrefix(c, "keras-jax") }},
	{"JAX", func(c string) bool { return strings.HasPrefix(c, "jax") }},
}

// fastest is the least ratio's counterpart: of a family's ways the one that is the fastest, as ours /
// theirs; 0 if none was measured.
func (m measured) fastest(has func(string) bool, of func(result) float64) (most float64) {
	for _, c := range m.all {
		if c.name == self || !has(c.name) || median(m.results[c.name], of) == 0 {
			continue
		}
		most = max(most, ratio(m.results[self], m.results[c.name], of))
	}
	return most
}

// summary is a table of networks by peers: ours / theirs, each peer at its fastest.
func summary(all []measured, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Steps of training, and predictions of one image; ours / theirs, each peer in its fastest way (eager, channels last, allocator told to keep memory); medians of %d %s on %d processors. First is the first step, with compiling; again, in a second session. Below 1 ours is faster. GFLOP/s counts additions and multiplications of the layers' kernels; a product of large matrices reaches %.0f of them with as many threads.\n\n", rounds, plural(rounds, "round"), runtime.NumCPU(), matrices(all))
	b.WriteString("| | step ms | GFLOP/s |")
	for _, f := range families {
		fmt.Fprintf(&b, " %s |", f.name)
	}
	b.WriteString(" fastest | one ms | fastest | first s | again s | fastest | memory MB |\n|---|---|---|")
	b.WriteString(strings.Repeat("---|", len(families)+7) + "\n")
	anyone := func(string) bool { return true }
	for _, m := range all {
		ours := m.results[self]
		fmt.Fprintf(&b, "| %v | %.2f | %.0f |", m.work, median(ours, step), median(ours, result.speed))
		for _, f := range families {
			fmt.Fprintf(&b, " %s |", shown(m.fastest(f.has, step)))
		}
		again := "–"
		if len(ours) > 1 {
			again = fmt.Sprintf("%.2f", median(ours[1:], first))
		}
		fmt.Fprintf(&b, " **%s** | %.2f | %s | %.2f | %s | %s | %.0f |\n", shown(m.fastest(anyone, step)), median(ours, one), shown(m.fastest(anyone, one)),
			ours[0].First, again, shown(m.fastest(anyone, first)), median(ours, func(r result) float64 { return r.Memory }))
	}
	return b.String()
}

// matrices is the speed of a product, where there are most threads.
func matrices(all []measured) (most float64) {
	for _, m := range all {
		most = max(most, median(m.results[self], func(r result) float64 { return r.Matrices }))
	}
	return most
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func shown(ratio float64) string {
	if ratio == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", ratio)
}

func ratio(ours, theirs []result, of func(result) float64) float64 {
	var ratios []float64
	for i := range theirs {
		ratios = append(ratios, of(ours[i])/of(theirs[i]))
	}
	return middle(ratios)
}

func median(results []result, of func(result) float64) float64 {
	var values []float64
	for _, r := range results {
		values = append(values, of(r))
	}
	return middle(values)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}
