package quality

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Shifted is what a test says of one column in two tables.
type Shifted struct {
	Column string
	// Statistic is Kolmogorov's and Smirnov's: the largest difference of the two distribution
	// functions, in [0, 1].
	Statistic float64
	// P is the probability of one as large if both tables are of the same kind.
	P float64
	// Found says that the column has shifted; see Shift.
	Found bool
}

// Shift tests column by column whether two tables, of [column][values], are of the same kind.
// The probability that any column is found though none has shifted is at most alpha: the
// correction is Holm's. It sees columns alone, not that they belong together differently;
// and with many rows it finds shifts that do not matter, so look at Statistic.
//
// Source: Smirnov (1939), with the asymptotic distribution in the form of Stephens (1970), which
// is good from some ten rows on; Holm (1979), Scandinavian Journal of Statistics 6.
func Shift(names []string, a, b [][]float64, alpha float64) ([]Shifted, error) {
	if !(alpha > 0 && alpha < 1) {
		return nil, fmt.Errorf("quality: expected an α in (0, 1), got %g", alpha)
	}
	if len(names) == 0 || len(a) != len(names) || len(b) != len(names) {
		return nil, fmt.Errorf("quality: expected as many columns in both tables as names, and at least one, got %d, %d and %d", len(a), len(b), len(names))
	}
	all := make([]Shifted, len(names))
	order := make([]int, len(names))
	for i, name := range names {
		x, y := slices.Clone(a[i]), slices.Clone(b[i])
		if len(x) == 0 || len(y) == 0 || slices.ContainsFunc(x, math.IsNaN) || slices.ContainsFunc(y, math.IsNaN) {
			return nil, fmt.Errorf("quality: column %q: expected rows in both tables, without NaN, got %d and %d rows", name, len(x), len(y))
		}
		d := statistic(x, y)
		n := float64(len(x)) * float64(len(y)) / float64(len(x)+len(y))
		all[i] = Shifted{Column: name, Statistic: d, P: kolmogorov((math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n)) * d)}
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(all[i].P, all[j].P) })
	for k, i := range order {
		if all[i].P > alpha/float64(len(order)-k) {
			break
		}
		all[i].Found = true
	}
	return all, nil
}

// statistic is the largest difference of two empirical distribution functions; it sorts.
func statistic(x, y []float64) (most float64) {
	slices.Sort(x)
	slices.Sort(y)
	i, j := 0, 0
	for i < len(x) && j < len(y) {
		at := min(x[i], y[j])
		for i < len(x) && x[i] <= at {
			i++
		}
		for j < len(y) && y[j] <= at {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(len(x))-float64(j)/float64(len(y))))
	}
	return most
}

// kolmogorov is the probability of a larger value in Kolmogorov's distribution.
func kolmogorov(x float64) float64 {
	if x < 0.2 {
		return 1
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k < 1000; k++ {
		term := math.Exp(-2 * k * k * x * x)
		sum += sign * term
		if term < 1e-17 {
			break
		}
		sign = -sign
	}
	return min(max(2*sum, 0), 1)
}
