// Package quality is for data that are few or bad: wrong labels, duplicates, a test that is of
// another kind than the training data, what more data would buy, and how sure a model may be.
//
// All of it takes numbers, not models: probabilities that a model gave to examples that it was
// not trained on, errors, columns.
package quality

import (
	"fmt"
	"math"
)

// checkProbabilities reports rows that are not of probabilities of the same classes.
func checkProbabilities(p [][]float64, labels []int) (classes int, err error) {
	if len(p) == 0 {
		return 0, fmt.Errorf("quality: expected at least one row of probabilities, got none")
	}
	if labels != nil && len(labels) != len(p) {
		return 0, fmt.Errorf("quality: expected as many labels as rows of probabilities, got %d and %d", len(labels), len(p))
	}
	classes = len(p[0])
	for i, row := range p {
		if len(row) != classes || classes < 2 {
			return 0, fmt.Errorf("quality: expected probabilities of the same classes, and of two at least, in each row, got %d and %d in row %d", classes, len(row), i)
		}
		sum := 0.0
		for _, v := range row {
			if !(v >= 0 && v <= 1) {
				return 0, fmt.Errorf("quality: expected probabilities in [0, 1], got %g in row %d", v, i)
			}
			sum += v
		}
		if math.Abs(sum-1) > 1e-3 {
			return 0, fmt.Errorf("quality: expected probabilities that add up to 1, got %g in row %d", sum, i)
		}
		if labels != nil && (labels[i] < 0 || labels[i] >= classes) {
			return 0, fmt.Errorf("quality: expected labels in [0, %d), got %d of row %d", classes, labels[i], i)
		}
	}
	return classes, nil
}
