package classic

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Tree is a decision tree: questions whether a number is at most a limit, chosen so that
// the classes are as pure as possible after each, by Gini's measure.
//
// Source: Breiman, Friedman, Olshen, Stone, Classification and Regression Trees, 1984;
// scikit-learn's DecisionTreeClassifier.
type Tree struct {
	// Depth is how many questions there are at most on a way; 0 means as many as it takes.
	Depth int

	classes int
	root    *node
	// among is how many of the numbers are looked at for a question, drawn from random;
	// 0 means all.
	among  int
	random *rand.Rand
}

// node asks, or, without children, answers with the shares of the classes.
type node struct {
	feature   int
	limit     float64
	low, high *node
	shares    []float64
}

// Fit implements Classifier.
func (t *Tree) Fit(x [][]float64, y []int) error {
	classes, err := check("decision tree", x, y)
	if err != nil {
		return err
	}
	rows := make([]int, len(x))
	for i := range rows {
		rows[i] = i
	}
	t.grow(x, y, rows, classes)
	return nil
}

func (t *Tree) grow(x [][]float64, y, rows []int, classes int) {
	t.classes = classes
	t.root = t.split(x, y, rows, 0)
}

func (t *Tree) split(x [][]float64, y, rows []int, depth int) *node {
	counts := make([]float64, t.classes)
	for _, i := range rows {
		counts[y[i]]++
	}
	n := &node{shares: counts}
	if floats.Max(counts) < float64(len(rows)) && (t.Depth == 0 || depth < t.Depth) {
		if feature, limit, ok := t.question(x, y, rows, counts); ok {
			var low, high []int
			for _, i := range rows {
				if x[i][feature] <= limit {
					low = append(low, i)
				} else {
					high = append(high, i)
				}
			}
			n.feature, n.limit = feature, limit
			n.low, n.high = t.split(x, y, low, depth+1), t.split(x, y, high, depth+1)
		}
	}
	floats.Scale(1/float64(len(rows)), n.shares)
	return n
}

// question finds the number and the limit that leave the purest parts.
func (t *Tree) question(x [][]float64, y, rows []int, counts []float64) (feature int, limit float64, ok bool) {
	best := math.Inf(-1)
	order := slices.Clone(rows)
	for looked, k := range t.features(len(x[0])) {
		if ok && t.among > 0 && looked >= t.among {
			break // as many as were wanted, and one of them tells something apart
		}
		slices.SortFunc(order, func(a, b int) int {
			switch d := x[a][k] - x[b][k]; {
			case d < 0:
				return -1
			case d > 0:
				return 1
			}
			return 0
		})
		low, high := make([]float64, t.classes), slices.Clone(counts)
		squaresLow, squaresHigh := 0.0, floats.Dot(high, high)
		for at, i := range order[:len(order)-1] {
			c := y[i]
			squaresLow += 2*low[c] + 1
			squaresHigh -= 2*high[c] - 1
			low[c]++
			high[c]--
			if x[i][k] == x[order[at+1]][k] {
				continue
			}
			purity := squaresLow/float64(at+1) + squaresHigh/float64(len(order)-at-1)
			if purity > best+1e-9 {
				best, feature, ok = purity, k, true
				limit = between(x[i][k], x[order[at+1]][k])
			}
		}
	}
	return feature, limit, ok
}

// between is a limit above low and below high, or low if there is no number between.
func between(low, high float64) float64 {
	if limit := low/2 + high/2; limit >= low && limit < high {
		return limit
	}
	return low
}

func (t *Tree) features(n int) []int {
	if t.among > 0 {
		return t.random.Perm(n)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// Shares are those of the classes among the examples where a row ends.
func (t *Tree) Shares(row []float64) []float64 {
	n := t.root
	for n.low != nil {
		if row[n.feature] <= n.limit {
			n = n.low
		} else {
			n = n.high
		}
	}
	return n.shares
}

// Predict implements Classifier.
func (t *Tree) Predict(x [][]float64) []int {
	out := make([]int, len(x))
	for i, row := range x {
		out[i] = floats.MaxIdx(t.Shares(row))
	}
	return out
}

// Forest is a random forest: trees, each of examples drawn with replacement, which see a
// few of the numbers at each question, and whose shares are added up.
//
// Source: Breiman, Random Forests, 2001; scikit-learn's RandomForestClassifier.
type Forest struct {
	// Trees is how many; 0 means 100. Seed is where chance begins.
	Trees int
	Seed  uint64

	trees []*Tree
}

// Fit implements Classifier.
func (f *Forest) Fit(x [][]float64, y []int) error {
	classes, err := check("random forest", x, y)
	if err != nil {
		return err
	}
	if f.Trees == 0 {
		f.Trees = 100
	}
	f.trees = nil
	for k := range f.Trees {
		t := &Tree{among: max(1, int(math.Sqrt(float64(len(x[0]))))), random: rand.New(rand.NewPCG(f.Seed, uint64(k)))}
		rows := make([]int, len(x))
		for i := range rows {
			rows[i] = t.random.IntN(len(x))
		}
		t.grow(x, y, rows, classes)
		f.trees = append(f.trees, t)
	}
	return nil
}

// Shares are the means of the trees' shares.
func (f *Forest) Shares(row []float64) []float64 {
	sum := make([]float64, f.trees[0].classes)
	for _, t := range f.trees {
		floats.Add(sum, t.Shares(row))
	}
	floats.Scale(1/float64(len(f.trees)), sum)
	return sum
}

// Predict implements Classifier.
func (f *Forest) Predict(x [][]float64) []int {
	out := make([]int, len(x))
	for i, row := range x {
		out[i] = floats.MaxIdx(f.Shares(row))
	}
	return out
}
