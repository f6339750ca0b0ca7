package audit

import (
	"math"
	"math/rand/v2"
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

// Flag marks the given part of all cases, those with the highest scores.
func Flag(scores []float64, part float64) []bool {
	at := int(math.Round(float64(len(scores)) * (1 - part)))
	if at >= len(scores) {
		return make([]bool, len(scores))
	}
	limit := slices.Sorted(slices.Values(scores))[max(at, 0)]
	flagged := make([]bool, len(scores))
	for i, s := range scores {
		flagged[i] = s >= limit
	}
	return flagged
}

// Share is the part of some cases that is flagged.
func Share(flagged []bool, cases []int) float64 {
	n := 0.0
	for _, i := range cases {
		if flagged[i] {
			n++
		}
	}
	return n / float64(len(cases))
}

// Difference is by how much the share of the flagged is larger among the cases of a
// than of b, with the interval that holds 95 % of what resampling both gives. That
// two intervals overlap, one for each share, does not show that there is no difference;
// this one is of the difference itself.
//
// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
func Difference(flagged []bool, a, b []int) (d, low, high float64) {
	random := rand.New(rand.NewPCG(6, 6))
	again := func(cases []int) float64 {
		n := 0.0
		for range cases {
			if flagged[cases[random.IntN(len(cases))]] {
				n++
			}
		}
		return n / float64(len(cases))
	}
	const times = 2000
	var all []float64
	for range times {
		all = append(all, again(a)-again(b))
	}
	slices.Sort(all)
	return Share(flagged, a) - Share(flagged, b), all[times/40], all[times-times/40-1]
}

// Fair is Flag with a limit of its own for each of two groups, such that of those that
// are not positive the same share is flagged in both, as many as one limit flags of all.
//
// Source: Hardt, Price, Srebro, Equality of Opportunity in Supervised Learning, 2016.
func (t *Table) Fair(scores []float64, part float64, first func(i int) bool) []bool {
	all := make([]int, len(scores))
	for i := range all {
		all[i] = i
	}
	_, innocent := t.Split(all)
	rate := Share(Flag(scores, part), innocent)
	limits := map[bool]float64{}
	for _, group := range []bool{true, false} {
		var s []float64
		for _, i := range innocent {
			if first(i) == group {
				s = append(s, scores[i])
			}
		}
		slices.Sort(s)
		limits[group] = math.Inf(1)
		if at := len(s) - int(math.Round(rate*float64(len(s)))); at < len(s) {
			limits[group] = s[at]
		}
	}
	flagged := make([]bool, len(scores))
	for i, s := range scores {
		flagged[i] = s >= limits[first(i)]
	}
	return flagged
}
