package explain

import (
	"fmt"
	"slices"

	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// game is the target as a function of which features are there.
type game struct {
	*question
	unit    int32
	x       []float32
	absent  [][]float32 // what features that are not there have instead: the target is the mean over these
	members [][]int     // of each feature, its numbers
}

// games are those of the examples of a question.
func (q *question) games(groups []int, background *tensor.Tensor) ([]game, error) {
	members, err := membersOf(groups, q.size())
	if err != nil {
		return nil, err
	}
	rows, err := q.background(background)
	if err != nil {
		return nil, err
	}
	all := make([]game, q.shape[0])
	for i := range all {
		all[i] = game{question: q, unit: q.units[i], x: q.example(i), absent: rows, members: members}
	}
	return all, nil
}

// background are its rows; nil means one of zeros.
func (q *question) background(b *tensor.Tensor) ([][]float32, error) {
	if b == nil {
		return [][]float32{make([]float32, q.size())}, nil
	}
	flat, err := wanted(q.model, b)
	if err != nil {
		return nil, fmt.Errorf("background: %w", err)
	}
	return slices.Collect(slices.Chunk(flat, q.size())), nil
}

// membersOf are the numbers of each feature; without groups, each number is one.
func membersOf(groups []int, size int) ([][]int, error) {
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

// play is the target of each set of features.
func (g game) play(sets [][]bool) ([]float64, error) {
	const most = 1 << 22 // numbers at a time
	size := len(g.x)
	step := max(most/(size*len(g.absent)), 1)
	out := make([]float64, 0, len(sets))
	for part := range slices.Chunk(sets, step) {
		var inputs []float32
		for _, set := range part {
			for _, row := range g.absent {
				from := len(inputs)
				inputs = append(inputs, row...)
				g.put(inputs[from:], set)
			}
		}
		y, err := g.targets(inputs, g.shape[1:], slices.Repeat([]int32{g.unit}, len(inputs)/layers.Shape(g.shape[1:]).Size()))
		if err != nil {
			return nil, err
		}
		for own := range slices.Chunk(y, len(g.absent)) {
			sum := 0.0
			for _, v := range own {
				sum += v
			}
			out = append(out, sum/float64(len(own)))
		}
	}
	return out, nil
}

// put puts the features that are there into a row.
func (g game) put(row []float32, set []bool) {
	for f, there := range set {
		if !there {
			continue
		}
		for _, k := range g.members[f] {
			row[k] = g.x[k]
		}
	}
}

// spread gives each number of a feature its part of the feature's share.
func (g game) spread(out []float32, shares []float64) {
	for f, list := range g.members {
		for _, k := range list {
			out[k] = float32(shares[f] / float64(len(list)))
		}
	}
}

// eachGame explains examples one after the other.
func (q *question) eachGame(groups []int, background *tensor.Tensor, shares func(i int, g game) ([]float64, error)) (*tensor.Tensor, error) {
	all, err := q.games(groups, background)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(q.flat))
	for i, g := range all {
		s, err := shares(i, g)
		if err != nil {
			return nil, err
		}
		g.spread(out[i*q.size():(i+1)*q.size()], s)
	}
	return q.answer(out), nil
}
