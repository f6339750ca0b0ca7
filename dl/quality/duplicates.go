package quality

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Pair are two rows that are nearly the same.
type Pair struct {
	A, B     int
	Distance float64
}

// Duplicates finds all pairs of rows whose Euclidean distance is at most within; 0 finds equal
// ones. It is exact: rows are sorted along a line, on which none is farther from another than
// in truth. Bring columns to one scale before, or the largest decides.
func Duplicates(rows [][]float64, within float64) ([]Pair, error) {
	return near(rows, nil, within)
}

// Leaks finds rows of the training data (A) that are in the test (B), too, as Duplicates does.
func Leaks(train, test [][]float64, within float64) ([]Pair, error) {
	if len(test) == 0 {
		return nil, fmt.Errorf("quality: expected rows of train and test, got %d and none", len(train))
	}
	return near(train, test, within)
}

func near(a, b [][]float64, within float64) ([]Pair, error) {
	if !(within >= 0) {
		return nil, fmt.Errorf("quality: expected a distance of at least 0, got %g", within)
	}
	if len(a) == 0 {
		return nil, fmt.Errorf("quality: expected at least one row, got none")
	}
	all := slices.Concat(a, b)
	for i, row := range all {
		if len(row) != len(a[0]) {
			return nil, fmt.Errorf("quality: expected rows of %d numbers, got %d in row %d", len(a[0]), len(row), i)
		}
		for _, v := range row {
			if math.IsNaN(v) {
				return nil, fmt.Errorf("quality: expected numbers, got NaN in row %d", i)
			}
		}
	}
	line := direction(len(a[0]))
	at, order := make([]float64, len(all)), make([]int, len(all))
	size := 0.0
	for i, row := range all {
		order[i] = i
		for k, v := range row {
			at[i] += v * line[k]
		}
		size = max(size, math.Abs(at[i]))
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(at[i], at[j]) })
	reach := within + 1e-9*size // of rounding
	var pairs []Pair
	for from, i := range order {
		for _, j := range order[from+1:] {
			if at[j]-at[i] > reach {
				break
			}
			x, y := min(i, j), max(i, j)
			if b != nil && (x >= len(a) || y < len(a)) {
				continue
			}
			if d := distance(all[x], all[y]); d <= within {
				if b != nil {
					y -= len(a)
				}
				pairs = append(pairs, Pair{x, y, d})
			}
		}
	}
	slices.SortFunc(pairs, func(p, q Pair) int {
		if p.A != q.A {
			return p.A - q.A
		}
		return p.B - q.B
	})
	return pairs, nil
}

// direction is a line through all columns, always the same.
func direction(n int) []float64 {
	r := rand.New(rand.NewPCG(7, 11))
	line, length := make([]float64, n), 0.0
	for i := range line {
		line[i] = r.NormFloat64()
		length += line[i] * line[i]
	}
	for i := range line {
		line[i] /= math.Sqrt(length)
	}
	return line
}

func distance(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return math.Sqrt(sum)
}
