package main

import (
	"fmt"
	"io"
	"slices"
)

// write prints a table of medians and of ratios to ours, taken round by round:
// what runs one after the other has met the same mood of the machine.
func write(w io.Writer, all []contestant, results map[string][]result, model string, batch int) {
	fmt.Fprintf(w, "%s on MNIST, batch %d; medians of %d rounds. Ratio: ours / theirs.\n", model, batch, len(results[self]))
	fmt.Fprintf(w, "One and 10k are predictions of one image and of 10,000.\n")
	fmt.Fprintf(w, "A + marks a peer whose allocator was told by the environment to keep its memory.\n\n")
	fmt.Fprintf(w, "| %-20s | %8s | %7s | %8s | %7s | %9s | %9s | %8s | %8s |\n", "", "step ms", "ratio", "epoch s", "ratio", "first s", "memory MB", "one ms", "10k ms")
	fmt.Fprintf(w, "|----------------------|----------|---------|----------|---------|-----------|-----------|----------|----------|\n")
	ours := results[self]
	for _, c := range all {
		theirs := results[c.name]
		fmt.Fprintf(w, "| %-20s | %8.2f | %7.2f | %8.1f | %7.2f | %9.1f | %9.0f | %8.2f | %8.0f |\n", c.name,
			median(theirs, func(r result) float64 { return r.Step }),
			ratio(ours, theirs, func(r result) float64 { return r.Step }),
			median(theirs, func(r result) float64 { return r.Epoch }),
			ratio(ours, theirs, func(r result) float64 { return r.Epoch }),
			median(theirs, func(r result) float64 { return r.First }),
			median(theirs, func(r result) float64 { return r.Memory }),
			median(theirs, func(r result) float64 { return r.One }),
			median(theirs, func(r result) float64 { return r.Many }))
	}
}

func ratio(ours, theirs []result, of func(result) float64) float64 {
	var ratios []float64
	for i := range ours {
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
