// Package claim checks what the text of a notebook says. Its calls stand in the
// notebooks' test cells, which are tagged "test" and closed in JupyterLab; a claim
// that does not hold ends its cell with an error, and so the run.
package claim

import (
	"fmt"
	"math"
)

// That returns an error with the text, formatted as by fmt.Sprintf, if the claim
// does not hold.
func That(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf("the text claims what is not so: "+format, args...)
}

// Near returns an error if two slices of numbers differ in length, or two of their
// numbers by more than tolerance.
func Near[A, B ~float32 | ~float64](got []A, want []B, tolerance float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("the text claims that these are equal: %d numbers and %d", len(got), len(want))
	}
	for i := range got {
		// Written such that NaN is near nothing.
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance) {
			return fmt.Errorf("the text claims that these are equal: number %d is %v and %v", i, got[i], want[i])
		}
	}
	return nil
}
