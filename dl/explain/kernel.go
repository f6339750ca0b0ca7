package explain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/combin"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// KernelSHAP estimates Shapley values of many features: a linear model of which features are
// there, fitted to the target of sets of them, in which small and large sets weigh the most.
// Its shares add up to the difference of the target between input and background. With as
// many Samples as there are sets it is exact.
//
// It shares what misleads about Shapley. Source: Lundberg and Lee (2017), A unified approach to
// interpreting model predictions, https://arxiv.org/abs/1705.07874.
type KernelSHAP struct {
	// Background are examples, [rows, …], whose values features have that are not there: the
	// target is the mean over its rows. nil means one of zeros. Each set costs as many
	// predictions as it has rows.
	Background *tensor.Tensor
	// Groups are the feature that each number of an example belongs to, from 0 on, such as
	// those of Superpixels; nil means that each is its own.
	Groups []int
	// Samples is how many sets are tried; 0 means 2048 and two for each feature. Sizes of
	// which all sets fit in are tried whole, the rest is left to chance.
	Samples int
	Seed    uint64
}

// Attribute implements Method. Each number of a group gets its part of the group's share.
func (k KernelSHAP) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	if k.Samples < 0 {
		return nil, fmt.Errorf("explain: expected Samples of at least 1 (or 0 for the default), got %d", k.Samples)
	}
	q, err := ask(m, x, t, plain(m, t))
	if err != nil {
		return nil, err
	}
	return q.eachGame(k.Groups, k.Background, func(i int, g game) ([]float64, error) {
		n := len(g.members)
		return g.regressed(kernelSets(n, cmp.Or(k.Samples, 2*n+2048), rand.New(rand.NewPCG(k.Seed, uint64(i)))))
	})
}

// weighed are sets of features with their weights.
type weighed struct {
	sets    [][]bool
	weights []float64
}

func (w *weighed) add(set []bool, weight float64) {
	w.sets, w.weights = append(w.sets, set), append(w.weights, weight)
}

// kernelSets are sets of n features, but for none and all of them: sizes whole, from the ends
// to the middle, as long as samples allow, the rest by chance, each with its complement.
func kernelSets(n, samples int, r *rand.Rand) *weighed {
	w := new(weighed)
	weight := func(k int) float64 { return float64(n-1) / float64(k*(n-k)) } // of all sets of k
	pair := func(k int) float64 {
		if 2*k == n {
			return weight(k)
		}
		return weight(k) + weight(n-k)
	}
	left := 0.0
	for k := 1; 2*k <= n; k++ {
		left += pair(k)
	}
	k := 1
	for ; 2*k <= n; k++ {
		sets := math.Exp(combin.LogGeneralizedBinomial(float64(n), float64(k)))
		if 2*k < n {
			sets *= 2
		}
		if float64(samples-len(w.sets))*pair(k)/left < sets-0.5 {
			break
		}
		for _, c := range combin.Combinations(n, k) {
			w.addSet(c, n, pair(k)/sets, 2*k < n)
		}
		left -= pair(k)
	}
	if 2*k <= n {
		w.chance(n, k, samples-len(w.sets), left, pair, r)
	}
	return w
}

// addSet adds a set, and its complement.
func (w *weighed) addSet(members []int, n int, weight float64, both bool) {
	set, other := make([]bool, n), slices.Repeat([]bool{true}, n)
	for _, f := range members {
		set[f], other[f] = true, false
	}
	w.add(set, weight)
	if both {
		w.add(other, weight)
	}
}

// chance adds sets of sizes from k on, which weigh left together.
func (w *weighed) chance(n, k, samples int, left float64, pair func(k int) float64, r *rand.Rand) {
	var sizes []float64
	for i := k; 2*i <= n; i++ {
		sizes = append(sizes, pair(i))
	}
	pairs := max(samples/2, 1)
	for range pairs {
		at, size := r.Float64()*left, 0
		for size < len(sizes)-1 && at >= sizes[size] {
			at -= sizes[size]
			size++
		}
		w.addSet(r.Perm(n)[:k+size], n, left/float64(2*pairs), true)
	}
}

// regressed are the shares that fit the targets of sets, and add up.
func (g game) regressed(w *weighed) ([]float64, error) {
	n := len(g.members)
	ends, err := g.play([][]bool{make([]bool, n), slices.Repeat([]bool{true}, n)})
	if err != nil {
		return nil, err
	}
	none, all := ends[0], ends[1]
	if n == 1 {
		return []float64{all - none}, nil
	}
	y, err := g.play(w.sets)
	if err != nil {
		return nil, err
	}
	// The last share is what the others leave: it is taken out of the equations.
	rows := make([][]float64, len(y))
	for i, set := range w.sets {
		last := truth(set[n-1])
		rows[i] = make([]float64, n-1)
		for f := range rows[i] {
			rows[i][f] = truth(set[f]) - last
		}
		y[i] += -none - last*(all-none)
	}
	shares, err := leastSquares(rows, y, w.weights, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: more Samples are needed than %d for %d features", err, len(w.sets), n)
	}
	rest := all - none
	for _, s := range shares {
		rest -= s
	}
	return append(shares, rest), nil
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
