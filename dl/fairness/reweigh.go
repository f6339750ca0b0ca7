package fairness

import "fmt"

// Reweigh returns a weight for each example, with which label and group are independent: those
// of a group weigh more where their label is rarer in it than in all. Train with them as the
// weights of examples; what is bought is demographic parity of the labels that are learned, as
// far as the model follows them.
//
// Source: Kamiran and Calders (2012), Knowledge and Information Systems 33.
func Reweigh(labels []int, groups []string) ([]float64, error) {
	if len(labels) != len(groups) || len(labels) == 0 {
		return nil, fmt.Errorf("fairness: expected as many groups as labels, and at least one, got %d and %d", len(groups), len(labels))
	}
	type cell struct {
		label int
		group string
	}
	byLabel, byGroup, both := make(map[int]float64), make(map[string]float64), make(map[cell]float64)
	for i, y := range labels {
		byLabel[y]++
		byGroup[groups[i]]++
		both[cell{y, groups[i]}]++
	}
	out := make([]float64, len(labels))
	for i, y := range labels {
		out[i] = byLabel[y] * byGroup[groups[i]] / (both[cell{y, groups[i]}] * float64(len(labels)))
	}
	return out, nil
}
