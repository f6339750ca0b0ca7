package quality

import (
	"fmt"
	"math"
	"slices"
)

// ConformalSets makes sets of classes that contain the right one with a probability of at
// least 1 − α, whatever the model: of the classes, those whose probability is at least a
// threshold that is taken from examples it was not trained on.
//
// It assumes that new examples are of the same kind as the calibration's, and promises a
// share of all new examples: of some kinds of them it may hold for fewer. A model that knows
// nothing gets sets of all classes. Source: Sadinle, Lei, Wasserman (2019),
// https://arxiv.org/abs/1609.00451; Angelopoulos and Bates (2023),
// https://arxiv.org/abs/2107.07511.
type ConformalSets struct {
	// Threshold is the least probability of a class of a set.
	Threshold float64
	classes   int
}

// NewConformalSets calibrates with probabilities, [examples][classes], and labels of examples
// that the model was not trained on. alpha is α, in (0, 1); it takes 1/α − 1 examples at least.
func NewConformalSets(probabilities [][]float64, labels []int, alpha float64) (*ConformalSets, error) {
	classes, err := checkProbabilities(probabilities, labels)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(labels))
	for i, y := range labels {
		scores[i] = 1 - probabilities[i][y]
	}
	q, err := conformalQuantile(scores, alpha)
	return &ConformalSets{Threshold: 1 - q, classes: classes}, err
}

// Set is the set of classes for the probabilities of one example, from the lowest. It may be
// empty, where no class is like those that were seen.
func (c *ConformalSets) Set(probabilities []float64) ([]int, error) {
	if _, err := checkProbabilities([][]float64{probabilities}, nil); err != nil {
		return nil, err
	}
	if len(probabilities) != c.classes {
		return nil, fmt.Errorf("quality: expected probabilities of %d classes, got %d", c.classes, len(probabilities))
	}
	set := []int{}
	for k, p := range probabilities {
		if p >= c.Threshold-1e-12 {
			set = append(set, k)
		}
	}
	return set, nil
}

// ConformalIntervals makes intervals that contain the right value with a probability of at
// least 1 − α, whatever the model: its prediction, plus and minus Width. All are of the same
// width, too wide for easy examples and too narrow for hard ones. See ConformalSets for what
// it assumes.
//
// Source: Papadopoulos et al. (2002); Lei et al. (2018), https://arxiv.org/abs/1604.04173.
type ConformalIntervals struct{ Width float64 }

// NewConformalIntervals calibrates with predictions and values of examples that the model was
// not trained on.
func NewConformalIntervals(predictions, values []float64, alpha float64) (*ConformalIntervals, error) {
	if len(predictions) != len(values) {
		return nil, fmt.Errorf("quality: expected as many predictions as values, got %d and %d", len(predictions), len(values))
	}
	scores := make([]float64, len(values))
	for i, v := range values {
		scores[i] = math.Abs(v - predictions[i])
	}
	q, err := conformalQuantile(scores, alpha)
	return &ConformalIntervals{q}, err
}

// Interval is that around a prediction.
func (c *ConformalIntervals) Interval(prediction float64) (low, high float64) {
	return prediction - c.Width, prediction + c.Width
}

// conformalQuantile is the ⌈(n+1)(1−α)⌉-th smallest score.
func conformalQuantile(scores []float64, alpha float64) (float64, error) {
	if !(alpha > 0 && alpha < 1) {
		return 0, fmt.Errorf("quality: expected an α in (0, 1), got %g", alpha)
	}
	if i := slices.IndexFunc(scores, func(s float64) bool { return math.IsNaN(s) || math.IsInf(s, 0) }); i >= 0 {
		return 0, fmt.Errorf("quality: expected finite numbers, got %g of example %d", scores[i], i)
	}
	n := len(scores)
	k := int(math.Ceil(float64(n+1)*(1-alpha) - 1e-9))
	if k > n {
		return 0, fmt.Errorf("quality: expected at least %.0f examples to calibrate with for α = %g, got %d", math.Ceil(1/alpha-1-1e-9), alpha, n)
	}
	return slices.Sorted(slices.Values(scores))[k-1], nil
}
