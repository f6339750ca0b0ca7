package quality

import (
	"fmt"
	"math"
)

// Temperature is by what logits are divided, so that probabilities mean what they say: that
// with the least cross-entropy on examples that the model was not trained on. It changes no
// decision, and mends only that a model is too sure, or not sure enough, everywhere alike.
//
// Source: Guo, Pleiss, Sun, Weinberger (2017), https://arxiv.org/abs/1706.04599.
func Temperature(logits [][]float64, labels []int) (float64, error) {
	if len(logits) == 0 || len(logits) != len(labels) {
		return 0, fmt.Errorf("quality: expected as many labels as rows of logits, and at least one, got %d and %d", len(labels), len(logits))
	}
	for i, row := range logits {
		if len(row) != len(logits[0]) || len(row) < 2 || labels[i] < 0 || labels[i] >= len(row) {
			return 0, fmt.Errorf("quality: expected logits of %d classes and a label of one, got %d and %d in row %d", len(logits[0]), len(row), labels[i], i)
		}
		for _, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("quality: expected finite logits, got %g in row %d", v, i)
			}
		}
	}
	// In 1/T the loss is convex; its slope is Σ (mean logit − right logit).
	slope := func(beta float64) (sum float64) {
		for i, row := range logits {
			most := math.Inf(-1)
			for _, v := range row {
				most = max(most, beta*v)
			}
			total, mean := 0.0, 0.0
			for _, v := range row {
				e := math.Exp(beta*v - most)
				total += e
				mean += e * v
			}
			sum += mean/total - row[labels[i]]
		}
		return sum
	}
	low, high := 1e-3, 1e3
	if slope(low) >= 0 {
		return 0, fmt.Errorf("quality: expected logits that say something of the labels, got some that are worse than nothing: no temperature mends them")
	}
	if slope(high) <= 0 {
		return 0, fmt.Errorf("quality: expected examples of which the model gets some wrong, got none: the colder, the better")
	}
	for range 200 {
		middle := math.Sqrt(low * high)
		if slope(middle) > 0 {
			high = middle
		} else {
			low = middle
		}
	}
	return 1 / math.Sqrt(low*high), nil
}
