package beam

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Params are the hyperparameters of a trial, by name.
type Params map[string]float64

// String lists them in order.
func (p Params) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		all = append(all, name+"="+strconv.FormatFloat(p[name], 'g', 6, 64))
	}
	return strings.Join(all, " ")
}

// Range is what a hyperparameter may be.
type Range struct {
	// Values are all that it may be, in the order of a grid; of more meaning for a search than
	// their order they have none. Otherwise it is from Min to Max.
	Values []float64
	Min    float64
	Max    float64
	// Log searches by factors and not by differences, as learning rates want it; Whole has
	// whole numbers only.
	Log, Whole bool
	// Steps is how many values a grid takes of a range from Min to Max.
	Steps int
}

func (r Range) check(name string, grid bool) error {
	switch {
	case len(r.Values) > 0 && (r.Min != 0 || r.Max != 0):
		return fmt.Errorf("expected %s to have Values, or Min and Max, got both", name)
	case len(r.Values) > 0:
	case !(r.Min < r.Max):
		return fmt.Errorf("expected Values of %s, or a Min below its Max, got %g and %g", name, r.Min, r.Max)
	case r.Log && r.Min <= 0:
		return fmt.Errorf("expected a Min of %s above 0 to search by factors, got %g", name, r.Min)
	case grid && r.Steps < 2:
		return fmt.Errorf("expected Values of %s, or at least two Steps, for a grid", name)
	}
	return nil
}

// at is the value at a part of the range, from 0 to 1.
func (r Range) at(part float64) float64 {
	if n := len(r.Values); n > 0 {
		return r.Values[min(n-1, int(part*float64(n)))]
	}
	v := r.Min + part*(r.Max-r.Min)
	if r.Log {
		v = r.Min * math.Pow(r.Max/r.Min, part)
	}
	if r.Whole {
		v = math.Round(v)
	}
	return min(r.Max, max(r.Min, v))
}

// part is where in the range a value is.
func (r Range) part(v float64) float64 {
	if n := len(r.Values); n > 0 {
		return (float64(slices.Index(r.Values, v)) + 0.5) / float64(n)
	}
	if r.Log {
		return math.Log(v/r.Min) / math.Log(r.Max/r.Min)
	}
	return (v - r.Min) / (r.Max - r.Min)
}

// Space is what a sweep searches, by the names of hyperparameters.
type Space map[string]Range

// grid are all combinations.
func (s Space) grid() []Params {
	all := []Params{{}}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		r := s[name]
		values := r.Values
		for i := range r.Steps {
			if len(r.Values) == 0 {
				values = append(values, r.at(float64(i)/float64(r.Steps-1)))
			}
		}
		var next []Params
		for _, p := range all {
			for _, v := range values {
				q := maps.Clone(p)
				q[name] = v
				next = append(next, q)
			}
		}
		all = next
	}
	return all
}

// draw is a point of the space by chance.
func (s Space) draw(r *rand.Rand) Params {
	p := Params{}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		p[name] = s[name].at(r.Float64())
	}
	return p
}
