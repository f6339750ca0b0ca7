package audit

import (
	"math"
	"slices"
)

// AUC is how often one of the first cases has a higher score than one of the second; a
// half is a guess, and equal scores count half.
func AUC(scores []float64, high, low []int) float64 {
	sum := 0.0
	for _, i := range high {
		for _, k := range low {
			switch {
			case scores[i] > scores[k]:
				sum++
			case scores[i] == scores[k]:
				sum += 0.5
			}
		}
	}
	return sum / float64(len(high)*len(low))
}

// Split divides cases into those that are positive and the others.
func (t *Table) Split(cases []int) (positive, negative []int) {
	for _, i := range cases {
		if t.Positive[i] {
			positive = append(positive, i)
		} else {
			negative = append(negative, i)
		}
	}
	return positive, negative
}

// Where are the cases among some for which a condition holds.
func Where(cases []int, holds func(i int) bool) (list []int) {
	for _, i := range cases {
		if holds(i) {
			list = append(list, i)
		}
	}
	return list
}

// Flag marks the given part of all cases, those with the highest scores, with 1.
func Flag(scores []float64, part float64) []int {
	flagged := make([]int, len(scores))
	at := int(math.Round(float64(len(scores)) * (1 - part)))
	if at >= len(scores) {
		return flagged
	}
	limit := slices.Sorted(slices.Values(scores))[max(at, 0)]
	for i, s := range scores {
		if s >= limit {
			flagged[i] = 1
		}
	}
	return flagged
}

// Share is the part of some cases that is flagged.
func Share(flagged, cases []int) float64 {
	n := 0
	for _, i := range cases {
		n += flagged[i]
	}
	return float64(n) / float64(len(cases))
}
