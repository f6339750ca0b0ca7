// Package claim checks what the text of a notebook says. Its calls stand in the
// notebooks' test cells, which are tagged "test" and closed in JupyterLab. A claim
// that does not hold panics, wherever in a cell it stands, and so ends the run.
//
// A reader may go back and run an earlier cell again, and what a claim looks at is
// no longer what the text speaks of. Then a claim that does not hold says which cells
// to run again, and nothing else.
package claim

import (
	"fmt"
	"math"

	"github.com/gradbook/gradbook/kernel/session/calls"
)

// That panics with the text, formatted as by fmt.Sprintf, if the claim does not hold.
func That(holds bool, format string, args ...any) {
	if !holds {
		failed("the text claims what is not so: " + fmt.Sprintf(format, args...))
	}
}

// Near panics if two slices of numbers differ in length, or two of their numbers by
// more than tolerance. NaN is near nothing. What says what the numbers are.
func Near[A, B ~float32 | ~float64](what string, got []A, want []B, tolerance float64) {
	if len(got) != len(want) {
		failed(fmt.Sprintf("the text claims what is not so: %s: %d numbers and %d", what, len(got), len(want)))
		return
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance) {
			failed(fmt.Sprintf("the text claims what is not so: %s: number %d is %v and %v", what, i, got[i], want[i]))
			return
		}
	}
}

// Pass checks nothing: where a single claim of a cell is tried, it stands for the
// others.
func Pass(...any) {}

// Language is "en" or "zh": that of the notebook.
var Language = "en"

var advice = map[string]string{
	"en": "Cells have run again, so the text may speak of other numbers. For its own, run all again from the cell that begins with %q.\n",
	"zh": "有单元格重新运行过，正文说的可能是另外的数。要得到正文里的数，请从以 %q 开头的单元格起全部重新运行。\n",
}

// again is calls.Again; tests replace it.
var again = calls.Again

func failed(message string) {
	if line := again(); line != "" {
		fmt.Printf(advice[Language], line)
		return
	}
	panic(message)
}
