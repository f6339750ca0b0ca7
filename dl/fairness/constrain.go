package fairness

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// Constraint is what Constrain holds.
type Constraint struct {
	Labels []int
	Groups []string
	// Goal is what is made equal.
	Goal Goal
	// Within is how far a group's rate may be from that of all; 0 means 0.01.
	Within float64
	// Trainings is how often is trained at most; 0 means 50.
	Trainings int
}

// Mixture are models of which chance takes one for each decision.
type Mixture[M any] struct {
	Models []M
	// Parts are the probabilities of the models.
	Parts []float64
	// Accuracy is that expected on the cases of the constraint, Price what the model without
	// it has more there, Violation by how much rates are further apart than Within.
	Accuracy, Price, Violation float64
	// Selected are the probabilities that each of the cases is selected.
	Selected []float64
}

// Pick takes one of the models.
func (m *Mixture[M]) Pick(r *rand.Rand) M {
	at := r.Float64()
	for i, part := range m.Parts {
		if at -= part; at < 0 {
			return m.Models[i]
		}
	}
	return m.Models[len(m.Models)-1]
}

// Constrain trains under a constraint: it finds the mixture of models with the best accuracy
// whose rates are as equal as is wanted. learn gets labels and weights of the cases, trains a
// model for them from the start, and returns it with what it decides of the cases. It is called
// again and again, with labels that make up for what the models before it violate.
//
// It is as good as learn: the price is the least that can be had from models like its own if it
// finds the best for its labels and weights. What holds on the cases need not hold on others:
// measure both. Source: Agarwal et al. (2018), A reductions approach to fair classification,
// https://arxiv.org/abs/1803.02453; solved here by generating columns of a linear program.
func Constrain[M any](c Constraint, learn func(labels []int, weights []float64) (model M, selected []int, err error)) (*Mixture[M], error) {
	p, err := newProgram(c)
	if err != nil {
		return nil, err
	}
	out := new(Mixture[M])
	prices := make([]float64, len(p.rows))
	for range p.trainings {
		labels, weights, some := p.wanted(prices)
		if !some {
			break // nothing would be better
		}
		model, selected, err := learn(labels, weights)
		if err != nil {
			return nil, err
		}
		fresh, err := p.add(selected, prices)
		if err != nil {
			return nil, err
		}
		if !fresh {
			break
		}
		out.Models = append(out.Models, model)
		if out.Parts, prices, err = p.solve(); err != nil {
			return nil, err
		}
	}
	p.describe(out.Parts, &out.Accuracy, &out.Price, &out.Violation)
	out.Selected = make([]float64, len(c.Labels))
	for k, part := range out.Parts {
		for i, s := range p.decisions[k] {
			out.Selected[i] += part * float64(s)
		}
	}
	return out, nil
}

// program is the linear program: parts of models, with the least error, under rows that are to
// be at most within.
type program struct {
	labels       []int
	rows         [][]float64 // how much the selection of each case adds to each row
	within, dear float64
	trainings    int
	decisions    [][]int
	errors       []float64
	violations   [][]float64 // of each model, the rows
}

func newProgram(c Constraint) (*program, error) {
	all, err := Cases{Labels: c.Labels, Selected: make([]int, len(c.Labels)), Groups: c.Groups}.measure()
	switch {
	case err != nil:
		return nil, err
	case c.Goal < DemographicParity || c.Goal > PredictiveEquality:
		return nil, fmt.Errorf("fairness: expected a Goal among DemographicParity, EqualOpportunity, EqualizedOdds and PredictiveEquality, got %d", c.Goal)
	case !(c.Within >= 0 && c.Within < 1):
		return nil, fmt.Errorf("fairness: expected Within in [0, 1), got %g", c.Within)
	case c.Trainings < 0:
		return nil, fmt.Errorf("fairness: expected Trainings of at least 1 (or 0 for the default), got %d", c.Trainings)
	}
	p := &program{labels: c.Labels, within: c.Within, trainings: c.Trainings, dear: 1000}
	if p.within == 0 {
		p.within = 0.01
	}
	if p.trainings == 0 {
		p.trainings = 50
	}
	var of []func(i int) bool
	switch c.Goal {
	case DemographicParity:
		of = append(of, func(int) bool { return true })
	case EqualizedOdds:
		of = append(of, labelled(c, 0), labelled(c, 1))
	case EqualOpportunity:
		of = append(of, labelled(c, 1))
	case PredictiveEquality:
		of = append(of, labelled(c, 0))
	}
	for _, counts := range of {
		for _, g := range all {
			row, err := rateRow(c, g.Name, counts)
			if err != nil {
				return nil, err
			}
			other := slices.Clone(row)
			for i := range other {
				other[i] = -other[i]
			}
			p.rows = append(p.rows, row, other)
		}
	}
	return p, nil
}

// labelled says which cases have a label.
func labelled(c Constraint, label int) func(i int) bool {
	return func(i int) bool { return c.Labels[i] == label }
}

// rateRow is how far a group's rate is from that of all, of the cases that count.
func rateRow(c Constraint, group string, counts func(i int) bool) ([]float64, error) {
	own, all := 0.0, 0.0
	for i, g := range c.Groups {
		if counts(i) {
			all++
			if g == group {
				own++
			}
		}
	}
	if own == 0 {
		return nil, fmt.Errorf("fairness: expected cases that the goal counts in each group, got none in %q", group)
	}
	row := make([]float64, len(c.Groups))
	for i, g := range c.Groups {
		if !counts(i) {
			continue
		}
		row[i] = -1 / all
		if g == group {
			row[i] += 1 / own
		}
	}
	return row, nil
}

// cost is what it costs to select a case rather than not, at the rows' prices.
func (p *program) cost(i int, prices []float64) float64 {
	cost := (1 - 2*float64(p.labels[i])) / float64(len(p.labels))
	for k, price := range prices {
		cost += price * p.rows[k][i]
	}
	return cost
}

// wanted are the labels and weights that say what selecting costs. Weights have a mean of 1; they
// are none if nothing costs anything.
func (p *program) wanted(prices []float64) (labels []int, weights []float64, some bool) {
	labels, weights = make([]int, len(p.labels)), make([]float64, len(p.labels))
	total := 0.0
	for i := range labels {
		cost := p.cost(i, prices)
		if cost < 0 {
			labels[i] = 1
		}
		weights[i] = math.Abs(cost)
		total += weights[i]
	}
	if total < 1e-12 {
		return nil, nil, false
	}
	for i := range weights {
		weights[i] *= float64(len(weights)) / total
	}
	return labels, weights, true
}

// add adds a model's decisions, unless the mixture would not be better with them.
func (p *program) add(selected []int, prices []float64) (fresh bool, err error) {
	if len(selected) != len(p.labels) {
		return false, fmt.Errorf("fairness: expected a decision of each of %d cases, got %d", len(p.labels), len(selected))
	}
	var wrong float64
	row := make([]float64, len(p.rows))
	for i, s := range selected {
		if s|1 != 1 {
			return false, fmt.Errorf("fairness: expected decisions of 0 or 1, got %d of case %d", s, i)
		}
		wrong += float64(1-right(p.labels[i], s)) / float64(len(p.labels))
		for k := range row {
			row[k] += float64(s) * p.rows[k][i]
		}
	}
	value := func(wrong float64, row []float64) float64 {
		for k, price := range prices {
			wrong += price * (row[k] - p.within)
		}
		return wrong
	}
	for k, other := range p.errors {
		if value(wrong, row) >= value(other, p.violations[k])-1e-9 {
			return false, nil
		}
	}
	p.decisions, p.errors, p.violations = append(p.decisions, slices.Clone(selected)), append(p.errors, wrong), append(p.violations, row)
	return true, nil
}

// solve finds the parts of the models, and the prices of the rows. What is violated is bought
// dearly, so that there is always a solution.
func (p *program) solve() (parts, prices []float64, err error) {
	// parts and one slack: the least error + dear·slack, of rows - within ≤ slack
	n, m := len(p.errors), len(p.rows)
	c := append(slices.Clone(p.errors), p.dear)
	a := mat.NewDense(m+1, n+1+m, nil)
	b := make([]float64, m+1)
	for k := range m {
		for i, row := range p.violations {
			a.Set(k, i, row[k]-p.within)
		}
		a.Set(k, n, -1)
		a.Set(k, n+1+k, 1)
	}
	for i := range n {
		a.Set(m, i, 1)
	}
	b[m] = 1
	_, x, err := lp.Simplex(append(c, make([]float64, m)...), a, b, 1e-12, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("fairness: a mixture: %w", err)
	}
	prices, err = p.prices()
	return x[:n], prices, err
}

// prices solve the other program: the largest t with t ≤ error + prices·(row - within) for each
// model, prices that add up to dear at most.
func (p *program) prices() ([]float64, error) {
	n, m := len(p.errors), len(p.rows)
	// t = up - down; one slack for each model, and one for the sum
	a := mat.NewDense(n+1, m+2+n+1, nil)
	b := append(slices.Clone(p.errors), p.dear)
	for i, row := range p.violations {
		for k := range m {
			a.Set(i, k, -(row[k] - p.within))
		}
		a.Set(i, m, 1)
		a.Set(i, m+1, -1)
		a.Set(i, m+2+i, 1)
	}
	for k := range m {
		a.Set(n, k, 1)
	}
	a.Set(n, m+2+n, 1)
	c := make([]float64, m+2+n+1)
	c[m], c[m+1] = -1, 1
	_, x, err := lp.Simplex(c, a, b, 1e-12, nil)
	if err != nil {
		return nil, fmt.Errorf("fairness: prices of a mixture: %w", err)
	}
	return x[:m], nil
}

// describe says what a mixture does.
func (p *program) describe(parts []float64, accuracy, price, violation *float64) {
	wrong := 0.0
	row := make([]float64, len(p.rows))
	for k, part := range parts {
		wrong += part * p.errors[k]
		for i := range row {
			row[i] += part * p.violations[k][i]
		}
	}
	*accuracy, *price = 1-wrong, wrong-p.errors[0]
	*violation = max(slices.Max(row)-p.within, 0)
}

var errOneUnit = errors.New("fairness: expected a built model with one output of one unit, a probability")
