package explain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// LIME is a linear model, fitted to the target of inputs near this one, in which features are
// left out. It suits images, with the parts of Superpixels as features, and words.
//
// What it says depends on Width and on chance: run it with another Seed, and believe what stays.
// Source: Ribeiro, Singh, Guestrin (2016), https://arxiv.org/abs/1602.04938.
type LIME struct {
	// Background are examples, [rows, …], whose values features have that are left out: the
	// target is the mean over its rows. nil means one of zeros.
	Background *tensor.Tensor
	// Groups are the feature that each number of an example belongs to, from 0 on; nil means
	// that each is its own.
	Groups []int
	// Samples is how many inputs; 0 means 1000. Where there are no more sets of features than
	// that, each is tried once.
	Samples int
	// Width says how fast inputs weigh less, by the cosine of the angle between what is there
	// and all; 0 means 0.25.
	Width float64
	// Ridge keeps coefficients small; 0 means 1.
	Ridge float64
	Seed  uint64
}

// Attribute implements Method: the coefficients. Each number of a group gets its part.
func (l LIME) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	if err := checkLocal(l.Samples, l.Width, l.Ridge); err != nil {
		return nil, err
	}
	q, err := ask(m, x, t, plain(m, t))
	if err != nil {
		return nil, err
	}
	return q.eachGame(l.Groups, l.Background, func(i int, g game) ([]float64, error) {
		n := len(g.members)
		sets := l.sets(n, rand.New(rand.NewPCG(l.Seed, uint64(i))))
		y, err := g.play(sets)
		if err != nil {
			return nil, err
		}
		rows, weights := make([][]float64, len(sets)), make([]float64, len(sets))
		for i, set := range sets {
			for _, there := range set {
				rows[i] = append(rows[i], truth(there))
			}
			weights[i] = near(1-math.Sqrt(float64(size(set))/float64(n)), cmp.Or(l.Width, 0.25))
		}
		return ridgeRegression(rows, y, weights, cmp.Or(l.Ridge, 1))
	})
}

// checkLocal checks what both kinds of LIME have.
func checkLocal(samples int, width, ridge float64) error {
	if samples < 0 || !(width >= 0) || !(ridge >= 0) {
		return fmt.Errorf("explain: expected Samples, Width and Ridge of at least 0, got %d, %g and %g", samples, width, ridge)
	}
	return nil
}

// near is the weight of an input at a distance.
func near(distance, width float64) float64 {
	return math.Sqrt(math.Exp(-distance * distance / (width * width)))
}

func (l LIME) sets(n int, r *rand.Rand) [][]bool {
	samples := cmp.Or(l.Samples, 1000)
	if n < 31 && 1<<n <= samples {
		return subsets(n)
	}
	sets := [][]bool{slices.Repeat([]bool{true}, n)}
	for range samples - 1 {
		set := make([]bool, n)
		for f := range set {
			set[f] = r.IntN(2) == 1
		}
		sets = append(sets, set)
	}
	return sets
}

// LIMETable is a linear model, fitted to the target of rows like those of a table, in which rows
// near the one that is explained weigh the most. It says by how much the target changes there
// if a column goes up by one standard deviation.
//
// Columns are drawn one by one, as if they had nothing to do with each other; columns of words
// should be left to LIME. The rest is as with LIME.
type LIMETable struct {
	// Data is a table, [rows, columns], of which means and standard deviations are taken.
	Data *tensor.Tensor
	// Samples is how many rows; 0 means 5000.
	Samples int
	// Width says how fast rows weigh less, by their distance in standard deviations; 0 means
	// 0.75 times the root of the number of columns.
	Width float64
	// Ridge keeps coefficients small; 0 means 1.
	Ridge float64
	Seed  uint64
}

// Attribute implements Method, for x of shape (batch, columns).
func (l LIMETable) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	if err := checkLocal(l.Samples, l.Width, l.Ridge); err != nil {
		return nil, err
	}
	q, err := ask(m, x, t, plain(m, t))
	if err != nil {
		return nil, err
	}
	columns, err := columnsOf(l.Data, q.shape)
	if err != nil {
		return nil, err
	}
	out := make([]float32, 0, len(q.flat))
	for i := range q.shape[0] {
		c, err := l.local(q, i, columns)
		if err != nil {
			return nil, err
		}
		for _, v := range c {
			out = append(out, float32(v))
		}
	}
	return q.answer(out), nil
}

// local are the coefficients of one row.
func (l LIMETable) local(q *question, row int, columns []column) ([]float64, error) {
	r := rand.New(rand.NewPCG(l.Seed, uint64(row)))
	samples, n := cmp.Or(l.Samples, 5000), len(columns)
	width := cmp.Or(l.Width, 0.75*math.Sqrt(float64(n)))
	own := q.example(row)
	scaled, weights := make([][]float64, samples), make([]float64, samples)
	inputs := make([]float32, 0, samples*n)
	for i := range samples {
		distance := 0.0
		for f, c := range columns {
			here := (float64(own[f]) - c.mean) / c.deviation
			v := here
			if i > 0 {
				v = r.NormFloat64()
			}
			distance = math.Hypot(distance, v-here)
			scaled[i] = append(scaled[i], v)
			inputs = append(inputs, float32(c.mean+c.deviation*v))
		}
		weights[i] = near(distance, width)
	}
	y, err := q.targets(inputs, q.shape[1:], slices.Repeat(q.units[row:row+1], samples))
	if err != nil {
		return nil, err
	}
	return ridgeRegression(scaled, y, weights, cmp.Or(l.Ridge, 1))
}
