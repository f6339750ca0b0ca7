package explain

import (
	"cmp"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Shapley shares the difference of the target between input and baseline among features: what
// each adds on average, over all orders in which they can be added. The shares add up to the
// difference, and features that do the same get the same.
//
// Features that are not there have the baseline's values, so that the model sees inputs that
// may be impossible; and shares say nothing of causes. Source: Shapley (1953); Lundberg and
// Lee (2017), https://arxiv.org/abs/1705.07874.
type Shapley struct {
	// Baseline is one example, of the input's shape without the batch; nil means zeros.
	Baseline *tensor.Tensor
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
	v, flat, units, err := prepared(m, x, t, plain(m, t))
	if err != nil {
		return nil, err
	}
	d := x.Shape().Dimensions
	size := len(flat) / d[0]
	base, err := baseline(s.Baseline, size)
	if err != nil {
		return nil, err
	}
	members, err := s.members(size)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(flat))
	for b := range d[0] {
		g := game{v, flat[b*size : (b+1)*size], base, members, d[1:], units[b]}
		share := g.exact
		if len(members) > MostExact {
			share = func() ([]float64, error) {
				return g.sampled(cmp.Or(s.Orders, 200), rand.New(rand.NewPCG(s.Seed, uint64(b))))
			}
		}
		shares, err := share()
		if err != nil {
			return nil, err
		}
		for f, list := range members {
			for _, k := range list {
				out[b*size+k] = float32(shares[f] / float64(len(list)))
			}
		}
	}
	return tensor.New(out, d...), nil
}

// members are the numbers of each feature.
func (s Shapley) members(size int) ([][]int, error) {
	if s.Orders < 0 {
		return nil, fmt.Errorf("explain: expected Orders of at least 1 (or 0 for the default), got %d", s.Orders)
	}
	groups := s.Groups
	if groups == nil {
		for i := range size {
			groups = append(groups, i)
		}
	}
	if len(groups) != size {
		return nil, fmt.Errorf("explain: expected a group for each of %d numbers, got %d", size, len(groups))
	}
	if slices.Min(groups) < 0 || slices.Max(groups) >= size {
		return nil, fmt.Errorf("explain: expected groups from 0 to %d, got %d to %d", size-1, slices.Min(groups), slices.Max(groups))
	}
	members := make([][]int, slices.Max(groups)+1)
	for i, g := range groups {
		members[g] = append(members[g], i)
	}
	if i := slices.IndexFunc(members, func(l []int) bool { return l == nil }); i >= 0 {
		return nil, fmt.Errorf("explain: expected groups without gaps, got none of number %d", i)
	}
	return members, nil
}

// game is the target as a function of which features are there.
type game struct {
	v       *values
	x, base []float32
	members [][]int
	example []int
	unit    int32
}

// with appends the input with some features.
func (g game) with(inputs []float32, there func(f int) bool) []float32 {
	from := len(inputs)
	inputs = append(inputs, g.base...)
	for f, list := range g.members {
		if there(f) {
			for _, k := range list {
				inputs[from+k] = g.x[k]
			}
		}
	}
	return inputs
}

func (g game) values(inputs []float32) ([]float64, error) {
	n := len(inputs) / layers.Shape(g.example).Size()
	return g.v.targets(inputs, g.example, slices.Repeat([]int32{g.unit}, n))
}

func (g game) exact() ([]float64, error) {
	n := len(g.members)
	var inputs []float32
	for set := range 1 << n {
		inputs = g.with(inputs, func(f int) bool { return set>>f&1 == 1 })
	}
	y, err := g.values(inputs)
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
	for set := range 1 << n {
		for f := range n {
			if set>>f&1 == 0 {
				shares[f] += weight[bits.OnesCount(uint(set))] * (y[set|1<<f] - y[set])
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
		rank := make([]int, n)
		for i, f := range order {
			rank[f] = i
		}
		var inputs []float32
		for k := range n + 1 {
			inputs = g.with(inputs, func(f int) bool { return rank[f] < k })
		}
		y, err := g.values(inputs)
		if err != nil {
			return nil, err
		}
		for i, f := range order {
			shares[f] += (y[i+1] - y[i]) / float64(orders)
		}
	}
	return shares, nil
}
