package fairness

import (
	"errors"
	"fmt"
	"math"
)

// Price is what fairness costs in accuracy, on the same cases.
type Price struct {
	Before, After Rate
	// Lost is the part of the cases that is decided rightly before, and not after, less those
	// the other way round; Low and High are its interval.
	Lost, Low, High float64
}

// MeasurePrice compares decisions before and after something was done for fairness, with the
// confidence of intervals; 0 means 0.95. Take cases on which nothing was trained or chosen.
//
// Source of the interval: Bonett and Price (2012), Journal of Educational and Behavioral
// Statistics 37, for proportions of the same cases.
func MeasurePrice(labels, before, after []int, confidence float64) (Price, error) {
	n := len(labels)
	switch {
	case n == 0 || len(before) != n || len(after) != n:
		return Price{}, fmt.Errorf("fairness: expected as many decisions before and after as labels, and at least one, got %d, %d and %d", len(before), len(after), n)
	case !(confidence >= 0 && confidence < 1):
		return Price{}, fmt.Errorf("fairness: expected a confidence in (0, 1), got %g", confidence)
	case confidence == 0:
		confidence = 0.95
	}
	var was, is, worse, better int
	for i, y := range labels {
		if y|1 != 1 || before[i]|1 != 1 || after[i]|1 != 1 {
			return Price{}, errors.New("fairness: expected labels and decisions of 0 or 1")
		}
		was += right(y, before[i])
		is += right(y, after[i])
		worse += right(y, before[i]) * (1 - right(y, after[i]))
		better += right(y, after[i]) * (1 - right(y, before[i]))
	}
	p := Price{Before: newRate(was, n, confidence), After: newRate(is, n, confidence)}
	p.Lost = float64(worse-better) / float64(n)
	a, b := float64(worse+1)/float64(n+2), float64(better+1)/float64(n+2)
	half := quantile(confidence) * math.Sqrt((a+b-(a-b)*(a-b))/float64(n+2))
	p.Low, p.High = max(a-b-half, -1), min(a-b+half, 1)
	return p, nil
}

func right(label, decision int) int {
	if label == decision {
		return 1
	}
	return 0
}

// String is the price in points, with its interval.
func (p Price) String() string {
	return fmt.Sprintf("accuracy %v before, %v after: %.1f points lost; %.1f to %.1f", p.Before, p.After, 100*p.Lost, 100*p.Low, 100*p.High)
}
