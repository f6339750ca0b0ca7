package fairness

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Odds decide with equalized odds: each group has two thresholds, of which chance takes one, and
// some of its cases are decided by chance alone.
type Odds struct {
	ByGroup map[string]RandomThreshold
	// TruePositive and FalsePositive are the rates of every group, on the cases the thresholds
	// were found on.
	TruePositive, FalsePositive float64
	// Accuracy is that expected there, Price what a single best threshold has more of it.
	Accuracy, Price float64
}

// RandomThreshold decides a group's cases. Of a case a part, Chance, is selected with the
// probability Selected, whatever its score; of the rest the part First is selected from the
// threshold A on, and the others from B.
type RandomThreshold struct {
	A, B, First      float64
	Chance, Selected float64
}

// Probability is how probable it is that a score is selected.
func (r RandomThreshold) Probability(score float64) float64 {
	p := 0.0
	if score >= r.A {
		p += r.First
	}
	if score >= r.B {
		p += 1 - r.First
	}
	return r.Chance*r.Selected + (1-r.Chance)*p
}

// EqualizeOdds finds, of all that give every group the same true and the same false positive
// rate, the decisions with the best accuracy. Find them on cases that are not used to judge
// them.
//
// Chance decides of people, which may be hard to defend: of two with the same score and group
// one may be selected and the other not; and the better group is made worse until it is as bad
// as the other. Source: Hardt, Price, Srebro (2016), https://arxiv.org/abs/1610.02413.
func EqualizeOdds(scores []float64, labels []int, groups []string) (*Odds, error) {
	if scores == nil {
		return nil, errors.New("fairness: expected scores to find thresholds for, got nil")
	}
	all, err := Cases{Labels: labels, Selected: make([]int, len(labels)), Groups: groups, Scores: scores}.measure()
	if err != nil {
		return nil, err
	}
	hulls := make(map[string][]rocPoint)
	positive := 0
	for _, g := range all {
		if g.TruePositive.N == 0 || g.FalsePositive.N == 0 {
			return nil, fmt.Errorf("fairness: expected cases with each label in each group, got none of one in %q", g.Name)
		}
		positive += g.TruePositive.N
		hulls[g.Name] = hull(scores, labels, groups, g.Name)
	}
	base := float64(positive) / float64(len(labels))
	o := &Odds{ByGroup: make(map[string]RandomThreshold), Accuracy: -1}
	for _, x := range corners(hulls) {
		y := 1.0
		for _, h := range hulls {
			at, _ := onHull(h, x)
			y = min(y, at)
		}
		if a := base*y + (1-base)*(1-x); a > o.Accuracy {
			o.Accuracy, o.TruePositive, o.FalsePositive = a, y, x
		}
	}
	for name, h := range hulls {
		y, r := onHull(h, o.FalsePositive)
		if y > o.TruePositive {
			r.Chance, r.Selected = (y-o.TruePositive)/(y-o.FalsePositive), o.FalsePositive
		}
		o.ByGroup[name] = r
	}
	o.Price = bestSingle(scores, labels) - o.Accuracy
	return o, nil
}

// rocPoint is what a threshold does: x are false, y true positive rates.
type rocPoint struct{ x, y, threshold float64 }

// hull is the upper hull of a group's thresholds, from none to all selected.
func hull(scores []float64, labels []int, groups []string, name string) []rocPoint {
	type scored struct {
		score float64
		label int
	}
	var own []scored
	var n [2]float64
	for i, s := range scores {
		if groups[i] == name {
			own = append(own, scored{s, labels[i]})
			n[labels[i]]++
		}
	}
	slices.SortFunc(own, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	points := []rocPoint{{0, 0, math.Inf(1)}}
	var got [2]float64
	for i, s := range own {
		got[s.label]++
		if i+1 < len(own) && own[i+1].score == s.score {
			continue
		}
		p := rocPoint{got[0] / n[0], got[1] / n[1], s.score}
		for len(points) > 1 {
			a, b := points[len(points)-2], points[len(points)-1]
			if (b.x-a.x)*(p.y-a.y) < (b.y-a.y)*(p.x-a.x) {
				break
			}
			points = points[:len(points)-1] // on or below the line
		}
		points = append(points, p)
	}
	return points
}

// onHull is the hull's height at x, and the thresholds that get there.
func onHull(h []rocPoint, x float64) (y float64, r RandomThreshold) {
	for i := len(h) - 1; ; i-- { // the highest of those at x
		a := h[i]
		if a.x > x {
			continue
		}
		if a.x == x || i == len(h)-1 {
			return a.y, RandomThreshold{A: a.threshold, B: a.threshold, First: 1}
		}
		b := h[i+1]
		part := (x - a.x) / (b.x - a.x)
		return a.y + part*(b.y-a.y), RandomThreshold{A: a.threshold, B: b.threshold, First: 1 - part}
	}
}

// corners are the places where the lowest of the hulls can have a corner.
func corners(hulls map[string][]rocPoint) (xs []float64) {
	for _, h := range hulls {
		for _, p := range h {
			xs = append(xs, p.x)
		}
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)
	for i := len(xs) - 2; i >= 0; i-- { // between two, hulls are straight
		a, b := xs[i], xs[i+1]
		for _, g := range hulls {
			for _, h := range hulls {
				ga, gb, ha, hb := behind(g, a), before(g, b), behind(h, a), before(h, b)
				if (ga-ha)*(gb-hb) < 0 {
					xs = append(xs, a+(b-a)*(ga-ha)/((ga-ha)-(gb-hb)))
				}
			}
		}
	}
	return xs
}

func behind(h []rocPoint, x float64) float64 { y, _ := onHull(h, x); return y }

// before is the height that is come to from the left: that of a jump's foot.
func before(h []rocPoint, x float64) float64 {
	for i := 1; i < len(h); i++ {
		if a, b := h[i-1], h[i]; b.x >= x && a.x < x {
			return a.y + (x-a.x)/(b.x-a.x)*(b.y-a.y)
		}
	}
	return behind(h, x)
}

// Select decides cases, with chance.
func (o *Odds) Select(scores []float64, groups []string, r *rand.Rand) ([]int, error) {
	return decided(scores, groups, o.ByGroup, func(at RandomThreshold, score float64) bool { return r.Float64() < at.Probability(score) })
}
