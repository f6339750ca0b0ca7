package classic

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// Logistic is logistic regression: a softmax of weighted sums, which is a network
// without a hidden layer. It minimizes C times the sum of the cross-entropies, plus half
// the sum of the squares of the weights; biases are free. Its minimum is found, not
// approached by steps.
//
// Source: scikit-learn's LogisticRegression has the same objective for three classes and
// more; for two it keeps one row of weights instead of two, so that its C is twice ours.
type Logistic struct {
	// C weighs the examples against the weights; 0 means 1.
	C float64

	// W has a row for each class: weights, and the bias at the end.
	W *mat.Dense
}

// Fit implements Classifier.
func (l *Logistic) Fit(x [][]float64, y []int) error {
	classes, err := check("logistic regression", x, y)
	if err != nil {
		return err
	}
	if l.C == 0 {
		l.C = 1
	}
	inputs := len(x[0]) + 1
	X := mat.NewDense(len(x), inputs, nil)
	for i, row := range x {
		copy(X.RawRowView(i), row)
		X.Set(i, inputs-1, 1)
	}
	var p mat.Dense
	value := func(w []float64) float64 {
		p.Mul(X, mat.NewDense(classes, inputs, w).T())
		sum := 0.0
		for i, k := range y {
			row := p.RawRowView(i)
			sum += floats.LogSumExp(row) - row[k]
		}
		return l.C*sum + penalty(w, inputs, nil)
	}
	problem := optimize.Problem{
		Func: value,
		Grad: func(grad, w []float64) {
			p.Mul(X, mat.NewDense(classes, inputs, w).T())
			for i, k := range y {
				row := p.RawRowView(i)
				total := floats.LogSumExp(row)
				for c := range row {
					row[c] = math.Exp(row[c] - total)
				}
				row[k]--
			}
			g := mat.NewDense(classes, inputs, grad)
			g.Mul(p.T(), X)
			g.Scale(l.C, g)
			penalty(w, inputs, grad)
		},
	}
	settings := &optimize.Settings{GradientThreshold: 1e-5 * float64(len(x)), MajorIterations: 1000, Converger: optimize.NeverTerminate{}}
	r, err := optimize.Minimize(problem, make([]float64, classes*inputs), settings, &optimize.LBFGS{})
	// At the minimum the line search may find nothing better, which it calls an error.
	switch {
	case r == nil:
		return fmt.Errorf("classic: logistic regression: %w", err)
	case r.Status == optimize.IterationLimit:
		return fmt.Errorf("classic: logistic regression: no minimum was found in %d iterations; bring the columns to one scale, or use a smaller C", settings.MajorIterations)
	}
	l.W = mat.NewDense(classes, inputs, r.X)
	return nil
}

// penalty is half the sum of the squares of the weights, without the biases; it adds
// its slopes to grad.
func penalty(w []float64, inputs int, grad []float64) (sum float64) {
	for i, v := range w {
		if i%inputs == inputs-1 {
			continue
		}
		sum += v * v / 2
		if grad != nil {
			grad[i] += v
		}
	}
	return sum
}

// Probabilities are those of the classes, a row for each of x.
func (l *Logistic) Probabilities(x [][]float64) [][]float64 {
	classes, inputs := l.W.Dims()
	out := make([][]float64, len(x))
	for i, row := range x {
		p := make([]float64, classes)
		for k := range p {
			w := l.W.RawRowView(k)
			p[k] = floats.Dot(w[:inputs-1], row) + w[inputs-1]
		}
		total := floats.LogSumExp(p)
		for k := range p {
			p[k] = math.Exp(p[k] - total)
		}
		out[i] = p
	}
	return out
}

// Predict implements Classifier.
func (l *Logistic) Predict(x [][]float64) []int {
	out := make([]int, len(x))
	for i, p := range l.Probabilities(x) {
		out[i] = floats.MaxIdx(p)
	}
	return out
}
