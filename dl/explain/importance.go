package explain

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Importance is what a column of a table is worth to a model.
type Importance struct {
	Column int
	// Mean is by how much the score falls when the column is shuffled, Deviation how much
	// that differs from one shuffle to the next.
	Mean, Deviation float64
}

// PermutationImportance shuffles one column of x, [rows, columns], after the other, times times
// each, and says by how much score falls: a number of which more is better, of the model on x,
// such as its accuracy. Use rows that it was not trained on.
//
// Of columns that say the same, each is worth little, as long as the other is there; shuffled
// rows may be impossible. Source: Breiman (2001), Machine Learning 45.
func PermutationImportance(x *tensor.Tensor, times int, seed uint64, score func(x *tensor.Tensor) (float64, error)) ([]Importance, error) {
	if x == nil {
		return nil, fmt.Errorf("explain: expected a table, got nil")
	}
	d := x.Shape().Dimensions
	if len(d) != 2 || d[0] < 2 || times < 1 {
		return nil, fmt.Errorf("explain: expected a table of two rows at least, and to shuffle once at least, got %v and %d", x.Shape(), times)
	}
	flat, err := tensor.Flat[float32](x)
	if err != nil {
		return nil, fmt.Errorf("explain: expected a table of float32, got %v", x.Shape())
	}
	whole, err := score(x)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(whole) {
		return nil, fmt.Errorf("explain: expected a score that is a number, got NaN")
	}
	r := rand.New(rand.NewPCG(seed, 2))
	var all []Importance
	for c := range d[1] {
		falls := make([]float64, times)
		for k := range falls {
			moved := append([]float32{}, flat...)
			for i, j := range r.Perm(d[0]) {
				moved[i*d[1]+c] = flat[j*d[1]+c]
			}
			s, err := score(tensor.New(moved, d...))
			if err != nil {
				return nil, err
			}
			falls[k] = whole - s
		}
		one := Importance{Column: c, Mean: stat.Mean(falls, nil)}
		if times > 1 {
			one.Deviation = stat.StdDev(falls, nil)
		}
		all = append(all, one)
	}
	return all, nil
}

// PartialDependence is the mean target over the rows of x, [rows, columns], if some columns have
// the same values in all of them: how the model's output depends on them, if the others are what
// they are. values are those of the columns, one set after the other: of one column, a number
// each; of a word that has become several columns, all of them. Where columns hang together it
// averages over rows that do not exist, and hides that a column does one thing for some rows and
// another for others.
//
// Source: Friedman (2001), The Annals of Statistics 29.
func PartialDependence(m *dl.Model, x *tensor.Tensor, t Target, columns []int, values [][]float32) ([]float64, error) {
	q, err := ask(m, x, t, plain(m, t))
	if err != nil {
		return nil, err
	}
	d := q.shape
	if len(d) != 2 || len(columns) == 0 {
		return nil, fmt.Errorf("explain: expected a table and one of its columns at least, got %v and %d columns", x.Shape(), len(columns))
	}
	for _, c := range columns {
		if c < 0 || c >= d[1] {
			return nil, fmt.Errorf("explain: expected columns in [0, %d), got %d", d[1], c)
		}
	}
	var out []float64
	for i, set := range values {
		if len(set) != len(columns) {
			return nil, fmt.Errorf("explain: expected a value for each of %d columns, got %d as number %d", len(columns), len(set), i)
		}
		moved := append([]float32{}, q.flat...)
		for i := range d[0] {
			for k, c := range columns {
				moved[i*d[1]+c] = set[k]
			}
		}
		y, err := q.targets(moved, d[1:], q.units)
		if err != nil {
			return nil, err
		}
		out = append(out, stat.Mean(y, nil))
	}
	return out, nil
}
