package fairness_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/fairness"
	"github.com/gradbook/gradbook/dl/layers"
)

func ExampleEqualizeOdds() {
	c := some()
	o, err := fairness.EqualizeOdds(c.Scores, c.Labels, c.Groups)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f and %.2f in both groups\n", o.TruePositive, o.FalsePositive)
	// Output:
	// 1.00 and 0.00 in both groups
}

func ExampleOdds() {
	o := fairness.Odds{ByGroup: map[string]fairness.RandomThreshold{"a": {A: 0.7, B: 0.7, First: 1}}}
	fmt.Println(o.Select([]float64{0.6, 0.8}, []string{"a", "a"}, rand.New(rand.NewPCG(1, 1))))
	// Output:
	// [0 1] <nil>
}

func ExampleRandomThreshold() {
	r := fairness.RandomThreshold{A: 0.8, B: 0.5, First: 0.25}
	fmt.Println(r.Probability(0.9), r.Probability(0.6), r.Probability(0.1))
	// Output:
	// 1 0.75 0
}

func ExampleMeasurePrice() {
	p, err := fairness.MeasurePrice([]int{1, 1, 0, 0}, []int{1, 1, 0, 0}, []int{1, 0, 0, 0}, 0)
	fmt.Println(p, err)
	// Output:
	// accuracy 100.0 % of 4 before, 75.0 % of 4 after: 25.0 points lost; -38.3 to 71.7 <nil>
}

func ExamplePrice() {
	p, err := fairness.MeasurePrice([]int{1, 0}, []int{1, 1}, []int{1, 0}, 0)
	fmt.Println(p.Lost, err)
	// Output:
	// -0.5 <nil>
}

func ExampleConstrain() {
	// what is known of people is one of four cells; the models decide by it
	cells := []int{0, 1, 1, 2, 1, 2, 2, 3}
	labels := []int{0, 0, 0, 1, 0, 1, 1, 1}
	groups := []string{"a", "a", "a", "a", "b", "b", "b", "b"}
	c := fairness.Constraint{Labels: labels, Groups: groups, Goal: fairness.DemographicParity}
	m, err := fairness.Constrain(c, lookup(cells))
	if err != nil {
		panic(err)
	}
	fmt.Printf("accuracy %.3f at a price of %.3f\n", m.Accuracy, m.Price)
	// Output:
	// accuracy 0.760 at a price of 0.240
}

func ExampleConstraint() {
	c := fairness.Constraint{Labels: []int{0, 1}, Groups: []string{"a", "b"}, Goal: fairness.EqualOpportunity}
	_, err := fairness.Constrain(c, lookup([]int{0, 1}))
	fmt.Println(err)
	// Output:
	// fairness: expected cases that the goal counts in each group, got none in "a"
}

func ExampleMixture() {
	m := fairness.Mixture[string]{Models: []string{"strict", "mild"}, Parts: []float64{0, 1}}
	fmt.Println(m.Pick(rand.New(rand.NewPCG(1, 1))))
	// Output:
	// mild
}

func ExampleWithAdversary() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{5}}, layers.Dense{Units: 1, Activation: activations.Sigmoid})
	if err != nil {
		panic(err)
	}
	both, err := fairness.WithAdversary(m, fairness.AdversaryConfig{Groups: 3})
	fmt.Println(both.Outputs()[1].Shape(), err)
	// Output:
	// (None, 3) <nil>
}

func ExampleAdversaryConfig() {
	_, err := fairness.WithAdversary(nil, fairness.AdversaryConfig{Groups: 2, Goal: fairness.EqualizedOdds})
	fmt.Println(err)
	// Output:
	// fairness: expected a built model with one output of one unit, a probability
}

func ExampleGradientReversal() {
	out := dl.Apply(fairness.GradientReversal{Weight: 1}, dl.Input(layers.Shape{3}))
	fmt.Println(out.Shape())
	// Output:
	// (None, 3)
}

func ExampleThresholdsAt() {
	c := some()
	t, err := fairness.ThresholdsAt(c.Scores, c.Labels, c.Groups, fairness.PredictiveEquality, 0.5)
	if err != nil {
		panic(err)
	}
	c.Selected, err = t.Select(c.Scores, c.Groups)
	if err != nil {
		panic(err)
	}
	r, err := fairness.Measure(c)
	fmt.Println(r.Groups[0].FalsePositive, "and", r.Groups[1].FalsePositive, err)
	// Output:
	// 50.0 % of 2 and 33.3 % of 3 <nil>
}
