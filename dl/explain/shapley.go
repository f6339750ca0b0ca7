package explain

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Shapley shares the difference of the target between input and background among features: what
// each adds on average, over all orders in which they can be added. The shares add up to the
// difference, and features that do the same get the same.
//
// Features that are not there have the background's values, so that the model sees inputs that
// may be impossible; and shares say nothing of causes. Source: Shapley (1953); Lundberg and
// Lee (2017), https://arxiv.org/abs/1705.07874.
type Shapley struct {
	// Background are examples, [rows, …], whose values features have that are not there: the
	// target is the mean over its rows. nil means one of zeros.
	Background *tensor.Tensor
	// Groups are the feature that each number of an example belongs to, from 0 on, such as
	// the part of an image; nil means that each is its own.
	Groups []int
	// Orders is how many random orders are tried where there are more than MostExact
	// features; 0 means 200. What chance does to them falls with its root.
	Orders int
	Seed   uint64
}

// MostExact is how many features Shapley goes through exactly, in 2ⁿ inputs.
const MostExact = 12

// Attribute implements Method. Each number of a group gets its part of the group's share.
func (s Shapley) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	if s.Orders < 0 {
		return nil, fmt.Errorf("explain: expected Orders of at least 1 (or 0 for the default), got %d", s.Orders)
	}
	q, err := ask(m, x, t, plain(m, t))
	if err != nil {
		return nil, err
	}
	return q.eachGame(s.Groups, s.Background, func(i int, g game) ([]float64, error) {
		if len(g.members) <= MostExact {
			return g.exact()
		}
		return g.sampled(cmp.Or(s.Orders, 200), rand.New(rand.NewPCG(s.Seed, uint64(i))))
	})
}

// subsets are all sets of n features: bit f of a set's number says whether f is there.
func subsets(n int) [][]bool {
	sets := make([][]bool, 1<<n)
	for i := range sets {
		sets[i] = make([]bool, n)
		for f := range n {
			sets[i][f] = i>>f&1 == 1
		}
	}
	return sets
}

func size(set []bool) (k int) {
	for _, there := range set {
		if there {
			k++
		}
	}
	return k
}

func (g game) exact() ([]float64, error) {
	n := len(g.members)
	sets := subsets(n)
	y, err := g.play(sets)
	if err != nil {
		return nil, err
	}
	// Of sets with k of the other features there are n choose k, in as many orders.
	weight := make([]float64, n)
	for k := range weight {
		weight[k] = 1 / float64(n)
		for i := range k {
			weight[k] *= float64(i+1) / float64(n-1-i)
		}
	}
	shares := make([]float64, n)
	for i, set := range sets {
		for f, there := range set {
			if !there {
				shares[f] += weight[size(set)] * (y[i|1<<f] - y[i])
			}
		}
	}
	return shares, nil
}

func (g game) sampled(orders int, r *rand.Rand) ([]float64, error) {
	n := len(g.members)
	shares := make([]float64, n)
	for range orders {
		order := r.Perm(n)
		set := make([]bool, n)
		sets := [][]bool{slices.Clone(set)}
		for _, f := range order {
			set[f] = true
			sets = append(sets, slices.Clone(set))
		}
		y, err := g.play(sets)
		if err != nil {
			return nil, err
		}
		for i, f := range order {
			shares[f] += (y[i+1] - y[i]) / float64(orders)
		}
	}
	return shares, nil
}
