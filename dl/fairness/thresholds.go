package fairness

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

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
	// PredictiveEquality makes the false positive rates equal: those selected among the cases
	// whose label is 0 (Corbett-Davies et al., 2017, https://arxiv.org/abs/1701.08230).
	PredictiveEquality
)

// Thresholds are those of groups, with which a goal is met as well as scores allow.
type Thresholds struct {
	ByGroup map[string]float64
	// Accuracy is that on the cases they were found on, Price what a single best threshold
	// has more of it there.
	Accuracy, Price float64

	apart float64 // how far the groups' rates are from each other
}

// FindThresholds finds, of those that make the goal's rate as equal as scores allow, but for one
// case of the smallest group, the thresholds with the best accuracy. It tries the rates that a
// group can have; of more than 1,000 of them, so many. Find them on cases that are not used to judge them.
//
// They treat people of equal scores differently by their group, which may be against the law.
// Source: Hardt, Price, Srebro (2016), https://arxiv.org/abs/1610.02413, without randomizing.
func FindThresholds(scores []float64, labels []int, groups []string, goal Goal) (*Thresholds, error) {
	counted, err := countedScores(scores, labels, groups, goal)
	if err != nil {
		return nil, err
	}
	var tried []*Thresholds
	least, smallest := math.Inf(1), math.MaxInt
	for _, list := range counted {
		smallest = min(smallest, len(list))
	}
	for _, rate := range rates(counted) {
		t := thresholdsAt(counted, rate, scores, labels, groups)
		tried, least = append(tried, t), min(least, t.apart)
	}
	best := &Thresholds{Accuracy: -1}
	for _, t := range tried {
		if t.apart <= least+1/float64(smallest) && t.Accuracy > best.Accuracy {
			best = t
		}
	}
	best.Price = bestSingle(scores, labels) - best.Accuracy
	return best, nil
}

// rates are those that a threshold can reach in one of the groups: all, or of many 1,001.
func rates(counted map[string][]float64) (all []float64) {
	for _, list := range counted {
		for n := range len(list) + 1 {
			if reachable(list, n) {
				all = append(all, float64(n)/float64(len(list)))
			}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	const most = 1000
	if len(all) <= most {
		return all
	}
	var some []float64
	for i := range most + 1 {
		some = append(some, all[i*(len(all)-1)/most])
	}
	return some
}

// reachable says whether a threshold can select the last n of a sorted list, and no others.
func reachable(sorted []float64, n int) bool {
	at := len(sorted) - n
	return n == 0 || at == 0 || sorted[at-1] < sorted[at]
}

// ThresholdsAt are those with which the goal's rate is rate in every group, as well as scores
// allow: with DemographicParity and 0.3, three of ten are selected in each. The rest is as with
// FindThresholds.
func ThresholdsAt(scores []float64, labels []int, groups []string, goal Goal, rate float64) (*Thresholds, error) {
	if !(rate >= 0 && rate <= 1) {
		return nil, fmt.Errorf("fairness: expected a rate in [0, 1], got %g", rate)
	}
	counted, err := countedScores(scores, labels, groups, goal)
	if err != nil {
		return nil, err
	}
	t := thresholdsAt(counted, rate, scores, labels, groups)
	t.Price = bestSingle(scores, labels) - t.Accuracy
	return t, nil
}

// countedScores are the scores of each group, in order, of the cases that the goal counts.
func countedScores(scores []float64, labels []int, groups []string, goal Goal) (map[string][]float64, error) {
	if scores == nil {
		return nil, errors.New("fairness: expected scores to find thresholds for, got nil")
	}
	label := map[Goal]int{DemographicParity: -1, EqualOpportunity: 1, PredictiveEquality: 0}
	want, ok := label[goal]
	if !ok {
		return nil, fmt.Errorf("fairness: expected DemographicParity, EqualOpportunity or PredictiveEquality as goal, got %d (EqualizeOdds finds what EqualizedOdds needs)", goal)
	}
	all, err := Cases{Labels: labels, Selected: make([]int, len(labels)), Groups: groups, Scores: scores}.measure()
	if err != nil {
		return nil, err
	}
	counted := make(map[string][]float64)
	for i, y := range labels {
		if want < 0 || y == want {
			counted[groups[i]] = append(counted[groups[i]], scores[i])
		}
	}
	for _, g := range all {
		if counted[g.Name] == nil {
			return nil, fmt.Errorf("fairness: expected cases with the label %d in each group, got none in %q", want, g.Name)
		}
		slices.Sort(counted[g.Name])
	}
	return counted, nil
}

// thresholdsAt are those whose rates are the nearest to a rate that scores allow.
func thresholdsAt(counted map[string][]float64, rate float64, scores []float64, labels []int, groups []string) *Thresholds {
	t := &Thresholds{ByGroup: make(map[string]float64)}
	low, high := math.Inf(1), math.Inf(-1)
	for name, list := range counted {
		wanted := rate * float64(len(list))
		down, up := int(math.Floor(wanted)), int(math.Ceil(wanted))
		for !reachable(list, down) {
			down--
		}
		for !reachable(list, up) {
			up++
		}
		n := down // to be selected
		if float64(up)-wanted < wanted-float64(down) {
			n = up
		}
		t.ByGroup[name] = math.Inf(1)
		if n > 0 {
			t.ByGroup[name] = list[len(list)-n]
		}
		reached := float64(n) / float64(len(list))
		low, high = min(low, reached), max(high, reached)
	}
	t.Accuracy = accuracy(scores, labels, func(i int) float64 { return t.ByGroup[groups[i]] })
	t.apart = high - low
	return t
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
	return decided(scores, groups, t.ByGroup, func(at, score float64) bool { return score >= at })
}

// decided decides each case by what its group has.
func decided[T any](scores []float64, groups []string, byGroup map[string]T, selected func(at T, score float64) bool) ([]int, error) {
	if len(scores) != len(groups) {
		return nil, fmt.Errorf("fairness: expected as many groups as scores, got %d and %d", len(groups), len(scores))
	}
	if err := checkScores(scores); err != nil {
		return nil, err
	}
	out := make([]int, len(scores))
	for i, s := range scores {
		at, ok := byGroup[groups[i]]
		if !ok {
			return nil, fmt.Errorf("fairness: expected groups for which there is a threshold, got %q of case %d", groups[i], i)
		}
		if selected(at, s) {
			out[i] = 1
		}
	}
	return out, nil
}
