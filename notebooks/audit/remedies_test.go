package audit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/fairness"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
	"github.com/gradbook/gradbook/notebooks/audit"
)

// credit is the table of credits, half of which is learned from; good is what is looked for.
type credit struct {
	t              *audit.Table
	rows           [][]float32
	groups         []string
	learned, other []int
}

func pick[T any](all []T, at []int) (some []T) {
	for _, i := range at {
		some = append(some, all[i])
	}
	return some
}

func credits(t *testing.T) *credit {
	t.Helper()
	table, err := audit.Read(datasets.GermanCredit(), "creditability", "good")
	if err != nil {
		t.Fatal(err)
	}
	c := &credit{t: table}
	c.learned, c.other = table.Halves(2)
	c.rows = table.Scaled(c.learned)
	for _, age := range table.Values("age_in_years") {
		c.groups = append(c.groups, map[bool]string{true: "up to 25", false: "older"}[age <= 25])
	}
	return c
}

func (c *credit) model(t *testing.T) *dl.Model {
	t.Helper()
	dl.SetRandomSeed(5)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{len(c.rows[0])}}, layers.Dense{Units: 1, Activation: activations.Sigmoid})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fit trains a model, or one with an adversary that has it in it.
func (c *credit) fit(t *testing.T, m *dl.Model, labels []float32, weights []float32, adversary string) {
	t.Helper()
	config := dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.01}, Loss: losses.BinaryCrossentropy{}}
	x := tensor.Of(pick(c.rows, c.learned))
	ds, err := data.New(x, tensor.New(labels, len(labels), 1))
	if err != nil {
		t.Fatal(err)
	}
	if weights != nil {
		ds = ds.WithWeights(weights)
	}
	if adversary != "" {
		var numbers []float32
		for _, g := range pick(c.groups, c.learned) {
			numbers = append(numbers, map[string]float32{"older": 1}[g])
		}
		second, err := data.New(tensor.New(numbers, len(numbers), 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		ds = ds.WithLabels(second)
		config.Loss = nil
		config.Losses = map[string]losses.Loss{adversary: losses.BinaryCrossentropy{}, "adversary": losses.SparseCategoricalCrossentropy{}}
	}
	if err := m.Compile(config); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 40, BatchSize: 50, Silent: true}); err != nil {
		t.Fatal(err)
	}
}

func (c *credit) scores(t *testing.T, m *dl.Model, of []int) (p []float64) {
	t.Helper()
	out, err := m.PredictOnBatch(tensor.Of(pick(c.rows, of)))
	if err != nil {
		t.Fatal(err)
	}
	flat, err := tensor.Flat[float32](out[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range flat {
		p = append(p, float64(v))
	}
	return p
}

// TestRemedies: each remedy makes the groups more alike in what it is for, on people that nothing
// was learned from, at a price that is said.
func TestRemedies(t *testing.T) {
	c := credits(t)
	plain := c.model(t)
	c.fit(t, plain, pick(c.t.Labels(), c.learned), nil, "")
	truth, before := pick(c.t.Answers(), c.other), fairness.Select(c.scores(t, plain, c.other), 0.5)
	selection := func(r *fairness.Report) fairness.Difference { return r.DemographicParity }
	positives := func(r *fairness.Report) fairness.Difference { return r.EqualOpportunity }
	table := "\n| remedy | selection differs by | true positives by | false positives by | accuracy | points lost |\n|---|---|---|---|---|---|\n"
	for _, remedy := range []struct {
		name   string
		decide func() []int
		of     func(r *fairness.Report) fairness.Difference
	}{
		{"none", func() []int { return before }, nil},
		{"`Reweigh`", func() []int { return c.reweighed(t) }, selection},
		{"`WithAdversary`", func() []int { return c.contested(t) }, selection},
		{"`Constrain`, selection", func() []int { return c.constrained(t) }, selection},
		{"`FindThresholds`, selection", func() []int { return c.split(t, plain, fairness.DemographicParity) }, selection},
		{"`FindThresholds`, true positives", func() []int { return c.split(t, plain, fairness.EqualOpportunity) }, positives},
		{"`EqualizeOdds`", func() []int { return c.randomized(t, plain) }, positives},
	} {
		s := remedy.decide()
		measure := func(s []int) *fairness.Report {
			r, err := fairness.Measure(fairness.Cases{Labels: truth, Selected: s, Groups: pick(c.groups, c.other)})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r, was := measure(s), measure(before)
		if remedy.of != nil && remedy.of(r).Value() >= remedy.of(was).Value() {
			t.Errorf("%s: expected groups more alike than %v, got %v", remedy.name, remedy.of(was), remedy.of(r))
		}
		p, err := fairness.MeasurePrice(truth, before, s, 0)
		if err != nil {
			t.Fatal(err)
		}
		table += fmt.Sprintf("| %s | %.3f | %.3f | %.3f | %.3f | %.1f (%.1f to %.1f) |\n", remedy.name, r.DemographicParity.Value(),
			r.EqualOpportunity.Value(), r.FalsePositives.Value(), p.After.Value(), 100*p.Lost, 100*p.Low, 100*p.High)
	}
	t.Log(table)
}

func (c *credit) reweighed(t *testing.T) []int {
	weights, err := fairness.Reweigh(pick(c.t.Answers(), c.learned), pick(c.groups, c.learned))
	if err != nil {
		t.Fatal(err)
	}
	m := c.model(t)
	c.fit(t, m, pick(c.t.Labels(), c.learned), narrow(weights), "")
	return fairness.Select(c.scores(t, m, c.other), 0.5)
}

func narrow(weights []float64) (w []float32) {
	for _, v := range weights {
		w = append(w, float32(v))
	}
	return w
}

func (c *credit) contested(t *testing.T) []int {
	m := c.model(t)
	both, err := fairness.WithAdversary(m, fairness.AdversaryConfig{Groups: 2, Weight: 2})
	if err != nil {
		t.Fatal(err)
	}
	c.fit(t, both, pick(c.t.Labels(), c.learned), nil, m.Name())
	return fairness.Select(c.scores(t, m, c.other), 0.5)
}

func (c *credit) constrained(t *testing.T) []int {
	mixture, err := fairness.Constrain(fairness.Constraint{
		Labels: pick(c.t.Answers(), c.learned), Groups: pick(c.groups, c.learned), Goal: fairness.DemographicParity, Trainings: 12,
	}, func(labels []int, weights []float64) (*dl.Model, []int, error) {
		m := c.model(t)
		var y []float32
		for _, l := range labels {
			y = append(y, float32(l))
		}
		c.fit(t, m, y, narrow(weights), "")
		return m, fairness.Select(c.scores(t, m, c.learned), 0.5), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if mixture.Violation > 1e-6 {
		t.Errorf("expected a mixture within the constraint, got one beyond it by %g", mixture.Violation)
	}
	r := rand.New(rand.NewPCG(1, 1))
	decided := make(map[*dl.Model][]int)
	for _, m := range mixture.Models {
		decided[m] = fairness.Select(c.scores(t, m, c.other), 0.5)
	}
	out := make([]int, len(c.other))
	for i := range out {
		out[i] = decided[mixture.Pick(r)][i]
	}
	return out
}

func (c *credit) split(t *testing.T, m *dl.Model, goal fairness.Goal) []int {
	th, err := fairness.FindThresholds(c.scores(t, m, c.learned), pick(c.t.Answers(), c.learned), pick(c.groups, c.learned), goal)
	if err != nil {
		t.Fatal(err)
	}
	s, err := th.Select(c.scores(t, m, c.other), pick(c.groups, c.other))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (c *credit) randomized(t *testing.T, m *dl.Model) []int {
	o, err := fairness.EqualizeOdds(c.scores(t, m, c.learned), pick(c.t.Answers(), c.learned), pick(c.groups, c.learned))
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.Select(c.scores(t, m, c.other), pick(c.groups, c.other), rand.New(rand.NewPCG(2, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
