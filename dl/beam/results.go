package beam

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Trial is what became of one.
type Trial struct {
	Number int
	Params Params
	// Value is the last one, Steps those that were reported.
	Value float64
	Steps []float64
	// Stopped says that it was ended early; Error why it has no value, which is 0 then.
	Stopped bool
	Error   string `json:",omitempty"`
	Seconds float64
}

// Results are those of a sweep, in the order of their numbers.
type Results []Trial

// Best is the trial with the least value; ok is false if none has one.
func (r Results) Best() (t Trial, ok bool) {
	t.Value = math.Inf(1)
	for _, one := range r {
		if one.Error == "" && !one.Stopped && one.Value < t.Value {
			t, ok = one, true
		}
	}
	return t, ok
}

// String is a table, the best first.
func (r Results) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%5s %12s %5s %8s  %s\n", "trial", "value", "steps", "seconds", "parameters")
	sorted := slices.Clone(r)
	slices.SortStableFunc(sorted, func(a, b Trial) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Value, b.Value))
	})
	for _, t := range sorted {
		note := ""
		switch {
		case t.Error != "":
			note = "  failed: " + t.Error
		case t.Stopped:
			note = "  stopped"
		}
		fmt.Fprintf(&b, "%5d %12.6g %5d %8.1f  %v%s\n", t.Number, t.Value, len(t.Steps), t.Seconds, t.Params, note)
	}
	return b.String()
}

// rank puts what failed behind what was stopped, and that behind the rest.
func rank(t Trial) int {
	switch {
	case t.Error != "":
		return 2
	case t.Stopped:
		return 1
	}
	return 0
}
