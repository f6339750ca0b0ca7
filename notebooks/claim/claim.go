// Package claim checks what the text of a notebook says. Its calls stand in the
// notebooks' test cells, which are tagged "test" and closed in JupyterLab. A claim
// that does not hold panics, wherever in a cell it stands, and so ends the run.
package claim

import (
	"fmt"
	"math"
)

// That panics with the text, formatted as by fmt.Sprintf, if the claim does not hold.
func That(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Sprintf("the text claims what is not so: "+format, args...))
	}
}

// Near panics if two slices of numbers differ in length, or two of their numbers by
// more than tolerance. NaN is near nothing.
func Near[A, B ~float32 | ~float64](got []A, want []B, tolerance float64) {
	if len(got) != len(want) {
		panic(fmt.Sprintf("the text claims that these are equal: %d numbers and %d", len(got), len(want)))
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance) {
			panic(fmt.Sprintf("the text claims that these are equal: number %d is %v and %v", i, got[i], want[i]))
		}
	}
}
