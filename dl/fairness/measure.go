package fairness

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Cases are what a model said of people, and what was so.
type Cases struct {
	// Labels are 1 or 0: what was so.
	Labels []int
	// Selected are 1 or 0: what the model decided.
	Selected []int
	// Groups are the names of the groups.
	Groups []string
	// Scores are the model's probabilities of 1, for calibration; nil leaves it out.
	Scores []float64
	// Confidence is that of intervals; 0 means 0.95.
	Confidence float64
	// Bins is how many calibration has; 0 means 10.
	Bins int
}

// Select decides by scores, those of at least threshold.
func Select(scores []float64, threshold float64) []int {
	out := make([]int, len(scores))
	for i, s := range scores {
		if s >= threshold {
			out[i] = 1
		}
	}
	return out
}

func (c Cases) check() error {
	n := len(c.Labels)
	switch {
	case n == 0:
		return errors.New("fairness: expected at least one case, got none")
	case len(c.Selected) != n || len(c.Groups) != n:
		return fmt.Errorf("fairness: expected as many Selected and Groups as Labels, got %d, %d and %d", len(c.Selected), len(c.Groups), n)
	case c.Scores != nil && len(c.Scores) != n:
		return fmt.Errorf("fairness: expected as many Scores as Labels, got %d and %d", len(c.Scores), n)
	case !(c.Confidence >= 0 && c.Confidence < 1):
		return fmt.Errorf("fairness: expected a Confidence in (0, 1), got %g", c.Confidence)
	case c.Bins < 0:
		return fmt.Errorf("fairness: expected Bins of at least 1, got %d", c.Bins)
	}
	for i := range n {
		if c.Labels[i]|1 != 1 || c.Selected[i]|1 != 1 {
			return fmt.Errorf("fairness: expected labels and selections of 0 or 1, got %d and %d of case %d", c.Labels[i], c.Selected[i], i)
		}
	}
	return checkScores(c.Scores)
}

func checkScores(scores []float64) error {
	for i, s := range scores {
		if !(s >= 0 && s <= 1) {
			return fmt.Errorf("fairness: expected scores that are probabilities in [0, 1], got %g of case %d", s, i)
		}
	}
	return nil
}

// Group is what a model does with one group.
type Group struct {
	Name  string
	Cases int
	// Base is the part whose label is 1, Selection the part that is selected.
	Base, Selection Rate
	// TruePositive is of those whose label is 1, FalsePositive of those whose label is 0,
	// how many are selected; Precision how many of those selected have the label 1.
	TruePositive, FalsePositive, Precision Rate
	// Accuracy is how many decisions are right.
	Accuracy Rate
	// Calibration is the mean distance between score and labels, bin by bin (ECE, Naeini
	// et al., 2015); NaN without scores.
	Calibration float64
	// Reliability are the bins with cases, from the lowest.
	Reliability []Bin
}

// Bin is what became of the cases whose scores are alike.
type Bin struct {
	Cases          int
	Score, Outcome float64 // means of scores and labels
}

// measure takes the cases of each group together, in the order of names.
func (c Cases) measure() (groups []Group, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Confidence == 0 {
		c.Confidence = 0.95
	}
	if c.Bins == 0 {
		c.Bins = 10
	}
	names := slices.Clone(c.Groups)
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < 2 {
		return nil, fmt.Errorf("fairness: expected at least two groups, got %q", names)
	}
	for _, name := range names {
		var count [2][2]int // by label, by selection
		for i, g := range c.Groups {
			if g == name {
				count[c.Labels[i]][c.Selected[i]]++
			}
		}
		rate := func(k, rest int) Rate { return newRate(k, k+rest, c.Confidence) }
		n, p := count[0], count[1]
		g := Group{
			Name: name, Cases: n[0] + n[1] + p[0] + p[1],
			Base: rate(p[0]+p[1], n[0]+n[1]), Selection: rate(n[1]+p[1], n[0]+p[0]),
			TruePositive: rate(p[1], p[0]), FalsePositive: rate(n[1], n[0]), Precision: rate(p[1], n[1]),
			Accuracy: rate(p[1]+n[0], p[0]+n[1]),
		}
		g.Calibration, g.Reliability = c.calibration(name)
		groups = append(groups, g)
	}
	return groups, nil
}

func (c Cases) calibration(name string) (ece float64, bins []Bin) {
	if c.Scores == nil {
		return math.NaN(), nil
	}
	all, total := make([]Bin, c.Bins), 0
	for i, s := range c.Scores {
		if c.Groups[i] != name {
			continue
		}
		b := &all[min(int(s*float64(c.Bins)), c.Bins-1)]
		b.Cases++
		b.Score += s
		b.Outcome += float64(c.Labels[i])
		total++
	}
	for _, b := range all {
		if b.Cases == 0 {
			continue
		}
		n := float64(b.Cases)
		b.Score, b.Outcome = b.Score/n, b.Outcome/n
		ece += n / float64(total) * math.Abs(b.Score-b.Outcome)
		bins = append(bins, b)
	}
	return ece, bins
}
