package quality

import (
	"cmp"
	"slices"
)

// Suspect is an example whose label is probably wrong.
type Suspect struct {
	// Index is its row, Label what was given, Likely the class that it seems to be of.
	Index, Label, Likely int
	// Confidence is the probability of the given label: the lower, the more suspect.
	Confidence float64
}

// WrongLabels finds labels that are probably wrong, the most suspect first. probabilities are
// [examples][classes], of models that had not seen the example: by cross-validation.
//
// An example is suspect if the model is as sure of another class as it is of that class's own
// examples on average, and of the given one it is not. It assumes that labels are mistaken for
// each other class by class, not example by example; hard examples that are labelled
// correctly are suspect, too, so look at them before anything is changed.
//
// Source: Northcutt, Jiang, Chuang (2021), Confident learning,
// https://arxiv.org/abs/1911.00068.
func WrongLabels(labels []int, probabilities [][]float64) ([]Suspect, error) {
	classes, err := checkProbabilities(probabilities, labels)
	if err != nil {
		return nil, err
	}
	threshold, count := make([]float64, classes), make([]float64, classes)
	for i, y := range labels {
		threshold[y] += probabilities[i][y]
		count[y]++
	}
	for k := range threshold {
		if count[k] > 0 {
			threshold[k] = max(threshold[k]/count[k], 1e-6)
		} else {
			threshold[k] = 2 // a class without examples is nobody's
		}
	}
	var all []Suspect
	for i, y := range labels {
		best := -1
		for k, p := range probabilities[i] {
			if p >= threshold[k]-1e-6 && (best < 0 || p > probabilities[i][best]) {
				best = k
			}
		}
		if best >= 0 && best != y {
			all = append(all, Suspect{i, y, best, probabilities[i][y]})
		}
	}
	slices.SortStableFunc(all, func(a, b Suspect) int { return cmp.Compare(a.Confidence, b.Confidence) })
	return all, nil
}
