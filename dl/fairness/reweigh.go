package fairness

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Reweigh returns a weight for each example, with which label and group are independent: those
// of a group weigh more where their label is rarer in it than in all. Train with them as the
// weights of examples; what is bought is demographic parity of the labels that are learned, as
// far as the model follows them.
//
// Source: Kamiran and Calders (2012), Knowledge and Information Systems 33.
func Reweigh(labels []int, groups []string) ([]float64, error) {
	if len(labels) != len(groups) || len(labels) == 0 {
		return nil, fmt.Errorf("fairness: expected as many groups as labels, and at least one, got %d and %d", len(groups), len(labels))
	}
	type cell struct {
		label int
		group string
	}
	byLabel, byGroup, both := make(map[int]float64), make(map[string]float64), make(map[cell]float64)
	for i, y := range labels {
		byLabel[y]++
		byGroup[groups[i]]++
		both[cell{y, groups[i]}]++
	}
	out := make([]float64, len(labels))
	for i, y := range labels {
		out[i] = byLabel[y] * byGroup[groups[i]] / (both[cell{y, groups[i]}] * float64(len(labels)))
	}
	return out, nil
}

// Goal is what is made equal between groups.
type Goal int

// The goals.
const (
	// DemographicParity makes the selected parts equal.
	DemographicParity Goal = iota
	// EqualOpportunity makes the true positive rates equal.
	EqualOpportunity
	// EqualizedOdds makes the true and the false positive rates equal. One threshold for each
	// group cannot: it is for EqualizeOdds, Constrain and WithAdversary.
	EqualizedOdds
)

// Thresholds are those of groups, with which a goal is met as well as scores allow.
type Thresholds struct {
	ByGroup map[string]float64
	// Accuracy is that on the cases they were found on, Price what a single best threshold
	// has more of it there.
	Accuracy, Price float64
}

// FindThresholds finds, of all that make the goal's rate as equal as there are cases, the
// thresholds with the best accuracy. Find them on cases that are not used to judge them.
//
// They treat people of equal scores differently by their group, which may be against the law.
// Source: Hardt, Price, Srebro (2016), https://arxiv.org/abs/1610.02413, without randomizing.
func FindThresholds(scores []float64, labels []int, groups []string, goal Goal) (*Thresholds, error) {
	c := Cases{Labels: labels, Selected: make([]int, len(labels)), Groups: groups, Scores: scores}
	if scores == nil {
		return nil, errors.New("fairness: expected scores to find thresholds for, got nil")
	}
	if goal != DemographicParity && goal != EqualOpportunity {
		return nil, fmt.Errorf("fairness: expected DemographicParity or EqualOpportunity as goal, got %d (EqualizeOdds finds what EqualizedOdds needs)", goal)
	}
	all, err := c.measure()
	if err != nil {
		return nil, err
	}
	counted := func(i int) bool { return goal == DemographicParity || labels[i] == 1 }
	sorted := make(map[string][]float64)
	for _, g := range all {
		for i := range labels {
			if groups[i] == g.Name && counted(i) {
				sorted[g.Name] = append(sorted[g.Name], scores[i])
			}
		}
		if sorted[g.Name] == nil {
			return nil, fmt.Errorf("fairness: expected cases with the label 1 in each group, got none in %q", g.Name)
		}
		slices.Sort(sorted[g.Name])
	}
	const steps = 200
	best := &Thresholds{Accuracy: -1}
	for k := range steps + 1 {
		at := make(map[string]float64)
		for name, list := range sorted {
			n := int(math.Round(float64(k) / steps * float64(len(list)))) // to be selected
			at[name] = math.Inf(1)
			if n > 0 {
				at[name] = list[len(list)-n]
			}
		}
		if a := accuracy(scores, labels, func(i int) float64 { return at[groups[i]] }); a > best.Accuracy {
			best.ByGroup, best.Accuracy = at, a
		}
	}
	best.Price = bestSingle(scores, labels) - best.Accuracy
	return best, nil
}

// bestSingle is the accuracy of the best threshold for all.
func bestSingle(scores []float64, labels []int) float64 {
	best := accuracy(scores, labels, func(int) float64 { return math.Inf(1) })
	for _, t := range slices.Compact(slices.Sorted(slices.Values(scores))) {
		best = max(best, accuracy(scores, labels, func(int) float64 { return t }))
	}
	return best
}

func accuracy(scores []float64, labels []int, threshold func(i int) float64) float64 {
	right := 0
	for i, s := range scores {
		if (s >= threshold(i)) == (labels[i] == 1) {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}

// Select decides by the thresholds of the groups.
func (t *Thresholds) Select(scores []float64, groups []string) ([]int, error) {
	if len(scores) != len(groups) {
		return nil, fmt.Errorf("fairness: expected as many groups as scores, got %d and %d", len(groups), len(scores))
	}
	if err := checkScores(scores); err != nil {
		return nil, err
	}
	out := make([]int, len(scores))
	for i, s := range scores {
		at, ok := t.ByGroup[groups[i]]
		if !ok {
			return nil, fmt.Errorf("fairness: expected groups for which there is a threshold, got %q of case %d", groups[i], i)
		}
		if s >= at {
			out[i] = 1
		}
	}
	return out, nil
}
