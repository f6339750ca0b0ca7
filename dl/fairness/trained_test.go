package fairness_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/fairness"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

type optimum struct{ Exact, Fairlearn, Gap float64 }

type trainedCase struct {
	Cells, Labels     []int
	Groups            []string
	Within            float64
	DemographicParity optimum `json:"demographic_parity"`
	EqualOpportunity  optimum `json:"equal_opportunity"`
	EqualizedOdds     optimum `json:"equalized_odds"`
	Scores            []float64
	Thresholds        float64
}

func trained(t *testing.T) (all []trainedCase) {
	t.Helper()
	text, err := os.ReadFile("testdata/trained.json")
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil || len(all) != 4 {
		t.Fatalf("expected 4 cases, got %d, %v", len(all), err)
	}
	return all
}

// lookup learns a decision for each cell: the best that can be had from cells.
func lookup(cells []int) func(labels []int, weights []float64) ([]int, []int, error) {
	return func(labels []int, weights []float64) ([]int, []int, error) {
		votes := make([]float64, 8)
		for i, c := range cells {
			votes[c] += weights[i] * float64(2*labels[i]-1)
		}
		byCell, out := make([]int, 8), make([]int, len(cells))
		for c, v := range votes {
			if v > 0 {
				byCell[c] = 1
			}
		}
		for i, c := range cells {
			out[i] = byCell[c]
		}
		return byCell, out, nil
	}
}

// TestConstrain compares with the exact solution, and with fairlearn's, which is as good.
func TestConstrain(t *testing.T) {
	for i, c := range trained(t) {
		for goal, want := range map[fairness.Goal]optimum{
			fairness.DemographicParity: c.DemographicParity, fairness.EqualOpportunity: c.EqualOpportunity, fairness.EqualizedOdds: c.EqualizedOdds,
		} {
			m, err := fairness.Constrain(fairness.Constraint{Labels: c.Labels, Groups: c.Groups, Goal: goal, Within: c.Within}, lookup(c.Cells))
			if err != nil {
				t.Fatalf("case %d, goal %d: %v", i, goal, err)
			}
			if math.Abs(1-m.Accuracy-want.Exact) > 1e-6 || math.Abs(1-m.Accuracy-want.Fairlearn) > want.Gap+1e-6 || m.Violation > 1e-9 {
				t.Errorf("case %d, goal %d: expected an error of %.9g, got %.9g, violated by %g, of %d models", i, goal, want.Exact, 1-m.Accuracy, m.Violation, len(m.Models))
			}
			expected := 0.0
			for k, p := range m.Selected {
				expected += math.Abs(float64(c.Labels[k])-p) / float64(len(c.Labels))
			}
			if math.Abs(expected-(1-m.Accuracy)) > 1e-9 || m.Price < 0 {
				t.Errorf("case %d, goal %d: expected probabilities with an error of %g, got %g; the price is %g", i, goal, 1-m.Accuracy, expected, m.Price)
			}
		}
	}
}

// TestEqualizeOdds compares with fairlearn's ThresholdOptimizer, which tries 5,000 false
// positive rates; and counts what the decisions do.
func TestEqualizeOdds(t *testing.T) {
	for i, c := range trained(t) {
		o, err := fairness.EqualizeOdds(c.Scores, c.Labels, c.Groups)
		if err != nil {
			t.Fatal(err)
		}
		if o.Accuracy < c.Thresholds-1e-9 || o.Accuracy > c.Thresholds+1e-3 {
			t.Errorf("case %d: expected an accuracy of %.9g, got %.9g", i, c.Thresholds, o.Accuracy)
		}
		rates, cases := make(map[string]*[2]float64), make(map[string]*[2]float64)
		right := 0.0
		for k, g := range c.Groups {
			if rates[g] == nil {
				rates[g], cases[g] = new([2]float64), new([2]float64)
			}
			p := o.ByGroup[g].Probability(c.Scores[k])
			rates[g][c.Labels[k]] += p
			cases[g][c.Labels[k]]++
			right += math.Abs(float64(1-c.Labels[k])-p) / float64(len(c.Labels))
		}
		if math.Abs(right-o.Accuracy) > 1e-9 {
			t.Errorf("case %d: expected decisions that are right in %g, got %g", i, o.Accuracy, right)
		}
		for g, r := range rates {
			fp, tp := r[0]/cases[g][0], r[1]/cases[g][1]
			if math.Abs(fp-o.FalsePositive) > 1e-9 || math.Abs(tp-o.TruePositive) > 1e-9 {
				t.Errorf("case %d: %s: expected rates of %g and %g, got %g and %g", i, g, o.FalsePositive, o.TruePositive, fp, tp)
			}
		}
	}
}

// TestPrice: over 1,000 draws, the interval contains the true price as often as it says.
func TestPrice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	within := 0
	for range 1000 {
		labels, before, after := make([]int, 200), make([]int, 200), make([]int, 200)
		for i := range labels { // right before in 0.8, after in 0.7
			labels[i], before[i], after[i] = 1, 1, 1
			switch u := r.Float64(); {
			case u < 0.1:
				before[i], after[i] = 0, 0
			case u < 0.2:
				before[i] = 0
			case u < 0.4:
				after[i] = 0
			}
		}
		p, err := fairness.MeasurePrice(labels, before, after, 0)
		if err != nil {
			t.Fatal(err)
		}
		if p.Low <= 0.1 && 0.1 <= p.High {
			within++
		}
	}
	if within < 930 || within > 970 {
		t.Errorf("expected the interval to hold in about 950 of 1000, got %d", within)
	}
}

// people are cases whose first column is the same in both groups, and whose second tells the
// group; both say something of the label.
func people(n int, seed uint64) (x *tensor.Tensor, labels []int, groups []string, numbers []float32) {
	r := rand.New(rand.NewPCG(seed, 1))
	var flat []float32
	for range n {
		g := r.IntN(2)
		skill, tell := r.NormFloat64(), float64(2*g-1)+0.5*r.NormFloat64()
		y := 0
		if skill+0.8*float64(2*g-1)+0.5*r.NormFloat64() > 0 {
			y = 1
		}
		flat = append(flat, float32(skill), float32(tell))
		labels, groups, numbers = append(labels, y), append(groups, []string{"a", "b"}[g]), append(numbers, float32(g))
	}
	return tensor.New(flat, n, 2), labels, groups, numbers
}

func scorer(t *testing.T) *dl.Model {
	t.Helper()
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}},
		layers.Dense{Units: 8, Activation: activations.ReLU, Name: "hidden"},
		layers.Dense{Units: 1, Activation: activations.Sigmoid, Name: "score"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestWithAdversary: a model that plays against an adversary treats groups alike that a plain
// one does not, at a price.
func TestWithAdversary(t *testing.T) {
	x, labels, groups, numbers := people(1200, 1)
	y := make([]float32, len(labels))
	for i, l := range labels {
		y[i] = float32(l)
	}
	labelled, err := data.New(x, tensor.New(y, len(y), 1))
	if err != nil {
		t.Fatal(err)
	}
	second, err := data.New(tensor.New(numbers, len(numbers), 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	selected := func(m *dl.Model) []int {
		out, err := m.PredictOnBatch(x)
		if err != nil {
			t.Fatal(err)
		}
		flat, err := tensor.Flat[float32](out[0])
		if err != nil {
			t.Fatal(err)
		}
		s := make([]int, len(flat))
		for i, v := range flat {
			if v >= 0.5 {
				s[i] = 1
			}
		}
		return s
	}
	dl.SetRandomSeed(3)
	plain, fair := scorer(t), scorer(t)
	both, err := fairness.WithAdversary(fair, fairness.AdversaryConfig{Groups: 2, Weight: 3})
	if err != nil {
		t.Fatal(err)
	}
	fit := func(m *dl.Model, c dl.CompileConfig, ds *data.Dataset) {
		t.Helper()
		c.Optimizer = optimizers.Adam{LearningRate: 0.01}
		if err := m.Compile(c); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 20, BatchSize: 64, Silent: true}); err != nil {
			t.Fatal(err)
		}
	}
	fit(plain, dl.CompileConfig{Loss: losses.BinaryCrossentropy{}}, labelled)
	names := []string{fair.Name(), "adversary"}
	fit(both, dl.CompileConfig{Losses: map[string]losses.Loss{names[0]: losses.BinaryCrossentropy{}, names[1]: losses.SparseCategoricalCrossentropy{}}},
		labelled.WithLabels(second))
	measure := func(s []int) *fairness.Report {
		r, err := fairness.Measure(fairness.Cases{Labels: labels, Selected: s, Groups: groups})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before, after := selected(plain), selected(fair)
	price, err := fairness.MeasurePrice(labels, before, after, 0)
	if err != nil {
		t.Fatal(err)
	}
	was, is := measure(before).DemographicParity.Value(), measure(after).DemographicParity.Value()
	if was < 0.35 || is > was/2 || price.Before.Value() < 0.85 || price.After.Value() < 0.6 {
		t.Errorf("expected groups to be selected more alike at a price, got %.3f and %.3f; %v", was, is, price)
	}
	odds, err := fairness.WithAdversary(fair, fairness.AdversaryConfig{Groups: 2, Goal: fairness.EqualizedOdds})
	if err != nil || len(odds.Inputs()) != 2 {
		t.Errorf("expected the labels as a second input, got %v", err)
	}
}

func TestBadTraining(t *testing.T) {
	c := some()
	three, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3})
	if err != nil {
		t.Fatal(err)
	}
	constrained := func(change func(c *fairness.Constraint), selected ...int) error {
		own := fairness.Constraint{Labels: c.Labels, Groups: c.Groups}
		change(&own)
		_, err := fairness.Constrain(own, func([]int, []float64) (int, []int, error) { return 0, selected, nil })
		return err
	}
	for want, got := range map[string]error{
		"decision of each of 8 cases, got 1": constrained(func(*fairness.Constraint) {}, 1),
		"got 2 of case 0":                    constrained(func(*fairness.Constraint) {}, 2, 0, 0, 0, 0, 0, 0, 0),
		"Within in [0, 1)":                   constrained(func(c *fairness.Constraint) { c.Within = 1 }),
		"got 7":                              constrained(func(c *fairness.Constraint) { c.Goal = 7 }),
		`none in "b"`: constrained(func(c *fairness.Constraint) {
			c.Goal, c.Labels = fairness.EqualOpportunity, []int{1, 1, 0, 0, 0, 0, 0, 0}
		}),
		"one unit":          second(fairness.WithAdversary(three, fairness.AdversaryConfig{Groups: 2})),
		"two Groups":        second(fairness.WithAdversary(scorer(t), fairness.AdversaryConfig{Groups: 1})),
		"as Goal, got 1":    second(fairness.WithAdversary(scorer(t), fairness.AdversaryConfig{Groups: 2, Goal: fairness.EqualOpportunity})),
		"got 2, 1 and 1":    second(fairness.MeasurePrice([]int{1}, []int{1, 0}, []int{1}, 0)),
		"rate in [0, 1]":    second(fairness.ThresholdsAt(c.Scores, c.Labels, c.Groups, fairness.DemographicParity, 2)),
		"label 0 in each":   second(fairness.ThresholdsAt(c.Scores, []int{1, 1, 1, 1, 0, 0, 0, 0}, c.Groups, fairness.PredictiveEquality, 0.5)),
		"confidence":        second(fairness.MeasurePrice([]int{1}, []int{1}, []int{1}, 1)),
		"one in \"b\"":      second(fairness.EqualizeOdds(c.Scores, []int{1, 1, 0, 0, 0, 0, 0, 0}, c.Groups)),
		"scores to find":    second(fairness.EqualizeOdds(nil, c.Labels, c.Groups)),
		"got 1.5 of":        second(fairness.EqualizeOdds([]float64{1.5, 0, 0, 0, 0, 0, 0, 0}, c.Labels, c.Groups)),
		"what EqualizedOdd": second(fairness.FindThresholds(c.Scores, c.Labels, c.Groups, fairness.EqualizedOdds)),
	} {
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, got)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestTies: cases of one score are selected together, or not at all.
func TestTies(t *testing.T) {
	scores := []float64{0.5, 0.5, 0.5, 0.5, 0.1, 0.2, 0.3, 0.4}
	labels := []int{1, 1, 1, 0, 0, 1, 0, 1}
	groups := []string{"a", "a", "a", "a", "b", "b", "b", "b"}
	th, err := fairness.FindThresholds(scores, labels, groups, fairness.DemographicParity)
	if err != nil {
		t.Fatal(err)
	}
	selected, err := th.Select(scores, groups)
	if err != nil {
		t.Fatal(err)
	}
	r, err := fairness.Measure(fairness.Cases{Labels: labels, Selected: selected, Groups: groups})
	if err != nil || r.DemographicParity.Value() > 0.25 {
		t.Errorf("expected rates that are one case apart at most, got %v, %v", r.DemographicParity, err)
	}
	few, err := fairness.ThresholdsAt(scores, labels, groups, fairness.DemographicParity, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	if selected, err = few.Select(scores, groups); err != nil || selected[0] != 0 || selected[7] != 1 {
		t.Errorf("expected none of those with one score for a quarter, got %v, %v", selected, err)
	}
}

// TestNothingToGain: where the first models are as good as any, none is trained for nothing.
func TestNothingToGain(t *testing.T) {
	calls := 0
	m, err := fairness.Constrain(fairness.Constraint{Labels: []int{1, 1, 0, 0}, Groups: []string{"a", "a", "b", "b"}},
		func(labels []int, weights []float64) (int, []int, error) {
			calls++
			for _, w := range weights {
				if math.IsNaN(w) {
					t.Errorf("expected weights, got %v", weights)
				}
			}
			return calls, labels, nil
		})
	if err != nil || m.Violation > 1e-9 {
		t.Errorf("expected a mixture within the constraint, got %+v, %v", m, err)
	}
}
