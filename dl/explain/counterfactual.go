package explain

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Counterfactual finds a row near another for which the model decides otherwise: what would have
// had to be different. Near is by the sum over columns of how far they are moved, each by the
// column's median distance from its median, which moves few columns.
//
// It says what the model would answer, not what would happen if somebody did change: a column
// may be moved that nobody can, and others that go along with it in life stay. Name the first in
// Fixed. There are many counterfactuals; this is one. Source: Wachter, Mittelstadt, Russell
// (2017), https://arxiv.org/abs/1711.00399.
type Counterfactual struct {
	// Data is a table, [rows, columns], of which ranges and distances are taken. Nothing is
	// moved outside its range.
	Data *tensor.Tensor
	// Fixed are columns that stay.
	Fixed []int
	// Whole are columns of whole numbers.
	Whole []int
	// Steps is how often the row is moved; 0 means 500.
	Steps int
}

// Alternative is a row for which a model decides otherwise.
type Alternative struct {
	// Row is the row, Value the target there.
	Row   []float32
	Value float64
	// Changed are the columns that differ.
	Changed []int
	// Distance is the sum of how far they are moved, in median distances.
	Distance float64
}

// ErrNoCounterfactual says that none was found, which does not prove that there is none.
var ErrNoCounterfactual = errors.New("explain: found no row for which the target is as wanted")

// Find looks for a row near each of x, [batch, columns], whose target is at least wanted, or, if
// below, at most. Targets are probabilities if t.Probability is set. It uses gradients; columns
// of words are moved between their numbers, if they are in Whole.
func (c Counterfactual) Find(m *dl.Model, x *tensor.Tensor, t Target, wanted float64, below bool) ([]Alternative, error) {
	if c.Steps < 0 || math.IsNaN(wanted) || math.IsInf(wanted, 0) {
		return nil, fmt.Errorf("explain: expected Steps of at least 0 and a finite wanted target, got %d and %g", c.Steps, wanted)
	}
	q, err := ask(m, x, t, slope(m, t, nil))
	if err != nil {
		return nil, err
	}
	if q.words != nil {
		return nil, fmt.Errorf("explain: expected rows of numbers for a counterfactual, got words, which have no distance")
	}
	columns, err := columnsOf(c.Data, q.shape)
	if err != nil {
		return nil, err
	}
	for _, k := range append(slices.Clone(c.Fixed), c.Whole...) {
		if k < 0 || k >= len(columns) {
			return nil, fmt.Errorf("explain: expected columns in [0, %d), got %d", len(columns), k)
		}
	}
	p := &push{question: q, c: c, columns: columns, wanted: wanted, sign: 1 - 2*truth(below)}
	var all []Alternative
	for i := range q.shape[0] {
		a, err := p.find(i)
		if err != nil {
			return nil, fmt.Errorf("%w: row %d", err, i)
		}
		all = append(all, a)
	}
	return all, nil
}

// push moves rows until the target is as wanted.
type push struct {
	*question
	c       Counterfactual
	columns []column
	wanted  float64
	sign    float64 // -1 if the target is to be below
}

// enough says whether a target is as wanted.
func (p *push) enough(y float64) bool { return p.sign*(y-p.wanted) >= 0 }

// at is the target of a row, and its gradient.
func (p *push) at(i int, row []float32) (y float64, g []float32, err error) {
	out, err := p.call(row, append([]int{1}, p.shape[1:]...), p.units[i:i+1])
	if err != nil {
		return 0, nil, err
	}
	if g, err = tensor.Flat[float32](out[0]); err != nil {
		return 0, nil, err
	}
	value, err := tensor.Flat[float32](out[1])
	return float64(value[0]), g, err
}

func (p *push) find(i int) (Alternative, error) {
	from := p.example(i)
	row, y, err := p.away(i, from)
	if err != nil {
		return Alternative{}, err
	}
	if row, y, err = p.back(i, from, row, y); err != nil {
		return Alternative{}, err
	}
	a := Alternative{Row: row, Value: y}
	for f, c := range p.columns {
		if row[f] != from[f] {
			a.Changed = append(a.Changed, f)
			a.Distance += math.Abs(float64(row[f])-float64(from[f])) / c.spread
		}
	}
	return a, nil
}

// away moves a row, a step at a time, in the column that does the most for its distance.
func (p *push) away(i int, from []float32) ([]float32, float64, error) {
	row := slices.Clone(from)
	stuck := make([]bool, len(row))
	for _, f := range p.c.Fixed {
		stuck[f] = true
	}
	steps := cmp.Or(p.c.Steps, 500)
	for step := range steps + 1 {
		y, g, err := p.at(i, row)
		if err != nil {
			return nil, 0, err
		}
		if p.enough(y) {
			return row, y, nil
		}
		best, most := -1, 0.0
		for f, c := range p.columns {
			if does := math.Abs(float64(g[f])) * c.spread; !stuck[f] && does > most {
				best, most = f, does
			}
		}
		if best < 0 || step == steps {
			break
		}
		way := p.sign * math.Copysign(1, float64(g[best]))
		if moved := p.moved(row[best], best, way); moved != row[best] {
			row[best] = moved
		} else {
			stuck[best] = true // at the end of its range
		}
	}
	return nil, 0, ErrNoCounterfactual
}

// moved is a column's value a step further: a tenth of its spread, or to the next whole number.
func (p *push) moved(v float32, f int, way float64) float32 {
	c := p.columns[f]
	next := float64(v) + way*c.spread/10
	if slices.Contains(p.c.Whole, f) {
		next = math.Floor(float64(v)) + way
		if way < 0 {
			next = math.Ceil(float64(v)) - 1
		}
	}
	if next > max(c.high, float64(v)) || next < min(c.low, float64(v)) {
		if slices.Contains(p.c.Whole, f) {
			return v
		}
		next = min(max(next, min(c.low, float64(v))), max(c.high, float64(v)))
	}
	return float32(next)
}

// back takes back what is not needed: whole columns first, the nearest ones before others, then
// as much of each as the target allows.
func (p *push) back(i int, from, row []float32, y float64) ([]float32, float64, error) {
	order := make([]int, len(row))
	for f := range order {
		order[f] = f
	}
	far := func(f int) float64 {
		return math.Abs(float64(row[f])-float64(from[f])) / p.columns[f].spread
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(far(a), far(b)) })
	try := func(f int, v float32) (bool, error) {
		before := row[f]
		row[f] = v
		now, _, err := p.at(i, row)
		if err != nil || !p.enough(now) {
			row[f] = before
			return false, err
		}
		y = now
		return true, nil
	}
	for _, f := range order {
		if row[f] == from[f] {
			continue
		}
		if _, err := try(f, from[f]); err != nil {
			return nil, 0, err
		}
	}
	for _, f := range order {
		if row[f] == from[f] || slices.Contains(p.c.Whole, f) {
			continue
		}
		low, high := float64(from[f]), float64(row[f]) // not enough, and enough
		for range 20 {
			middle := (low + high) / 2
			ok, err := try(f, float32(middle))
			if err != nil {
				return nil, 0, err
			}
			if ok {
				high = middle
			} else {
				low = middle
			}
		}
	}
	return row, y, nil
}
