package fairness

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
)

// Report is what can be said of a model's treatment of groups.
type Report struct {
	Groups []Group
	// Differences are those of the metrics, between the two groups that are the farthest apart.
	DemographicParity, EqualOpportunity, FalsePositives, PredictiveParity, Accuracy Difference
	// Base is the difference of base rates, on which it depends what can be had together.
	Base Difference
	// Missing says, by name, why a difference is not there: its groups have no cases.
	Missing map[string]error
}

// Measure compares groups. An error says what is wrong with the cases; a metric of which a
// group has no cases is in Missing.
func Measure(c Cases) (*Report, error) {
	groups, err := c.measure()
	if err != nil {
		return nil, err
	}
	r := &Report{Groups: groups, Missing: make(map[string]error)}
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	for _, m := range []struct {
		name string
		of   func(g Group) Rate
		to   *Difference
	}{
		{"base rates", func(g Group) Rate { return g.Base }, &r.Base},
		{"demographic parity", func(g Group) Rate { return g.Selection }, &r.DemographicParity},
		{"equal opportunity", func(g Group) Rate { return g.TruePositive }, &r.EqualOpportunity},
		{"false positives", func(g Group) Rate { return g.FalsePositive }, &r.FalsePositives},
		{"predictive parity", func(g Group) Rate { return g.Precision }, &r.PredictiveParity},
		{"accuracy", func(g Group) Rate { return g.Accuracy }, &r.Accuracy},
	} {
		var rates []Rate
		for _, g := range groups {
			rates = append(rates, m.of(g))
		}
		d, err := newDifference(m.name, names, rates)
		if err != nil {
			r.Missing[m.name] = err
			d = Difference{Metric: m.name, Low: math.NaN(), High: math.NaN()}
		}
		*m.to = d
	}
	return r, nil
}

// EqualizedOdds is the larger of the differences of true and false positive rates.
func (r *Report) EqualizedOdds() float64 {
	return math.Max(r.EqualOpportunity.Value(), r.FalsePositives.Value())
}

// Together says what of it cannot be had together, and why.
func (r *Report) Together() string {
	if r.Base.Chance() {
		return "The groups' base rates may be the same: nothing forbids equalized odds, predictive parity and demographic parity at once."
	}
	return fmt.Sprintf("The base rates differ (%.0f %% in %s, %.0f %% in %s): a model that errs cannot have equalized odds together with predictive parity or calibration (Chouldechova, 2017; Kleinberg et al., 2016), and one with demographic parity selects others than those whose label is 1.",
		100*r.Base.A.Value(), r.Base.Higher, 100*r.Base.B.Value(), r.Base.Lower)
}

// differences are all, in the order of the report.
func (r *Report) differences() []Difference {
	return []Difference{r.DemographicParity, r.EqualOpportunity, r.FalsePositives, r.PredictiveParity, r.Accuracy}
}

// String is the report as a text.
func (r *Report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "group\tcases\tlabel 1\tselected\ttrue positives\tfalse positives\tprecision\taccuracy")
	for _, g := range r.Groups {
		fmt.Fprintf(w, "%s\t%d\t%v\t%v\t%v\t%v\t%v\t%v\n", g.Name, g.Cases, g.Base, g.Selection, g.TruePositive, g.FalsePositive, g.Precision, g.Accuracy)
	}
	_ = w.Flush() // into memory
	b.WriteByte('\n')
	for _, d := range r.differences() {
		if err := r.Missing[d.Metric]; err != nil {
			fmt.Fprintln(&b, err)
			continue
		}
		fmt.Fprintf(&b, "%v", d)
		if d.Chance() {
			b.WriteString(", which chance explains")
		}
		b.WriteByte('\n')
	}
	b.WriteString("\n" + r.Together() + "\n")
	return b.String()
}
