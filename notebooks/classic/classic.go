// Package classic has the methods of machine learning that the article sets deep
// learning against, in plain Go: logistic regression, support vector machines, decision
// trees and forests of them. No well-kept library of Go has them all. They are checked
// against scikit-learn's.
package classic

import (
	"fmt"
	"math"
	"slices"
)

// Classifier tells classes, numbered from 0, of rows of numbers.
type Classifier interface {
	// Fit learns from rows and their classes.
	Fit(x [][]float64, y []int) error
	// Predict returns the classes of rows.
	Predict(x [][]float64) []int
}

// Accuracy is the share of the rows whose class is told rightly.
func Accuracy(c Classifier, x [][]float64, y []int) float64 {
	right := 0.0
	for i, k := range c.Predict(x) {
		if k == y[i] {
			right++
		}
	}
	return right / float64(len(y))
}

// check returns the number of classes.
func check(name string, x [][]float64, y []int) (classes int, err error) {
	if len(x) == 0 || len(x) != len(y) {
		return 0, fmt.Errorf("classic: %s: expected rows and a class for each, got %d and %d", name, len(x), len(y))
	}
	for i, row := range x {
		if len(row) != len(x[0]) {
			return 0, fmt.Errorf("classic: %s: row %d: expected %d numbers, as in row 0, got %d", name, i, len(x[0]), len(row))
		}
		for _, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("classic: %s: row %d: expected finite numbers, got %v", name, i, v)
			}
		}
		if y[i] < 0 {
			return 0, fmt.Errorf("classic: %s: row %d: expected a class from 0, got %d", name, i, y[i])
		}
		classes = max(classes, y[i]+1)
	}
	if !slices.ContainsFunc(y, func(k int) bool { return k != y[0] }) {
		return 0, fmt.Errorf("classic: %s: expected two classes or more, got one", name)
	}
	return classes, nil
}
