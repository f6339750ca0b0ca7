package explain

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// leastSquares are the coefficients of rows that fit y best, each row with its weight. ridge
// times the square of each coefficient is added to what is kept small.
func leastSquares(rows [][]float64, y, weights []float64, ridge float64) ([]float64, error) {
	n := len(rows[0])
	a, b := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for i, row := range rows {
		v := mat.NewVecDense(n, row)
		a.SymRankOne(a, weights[i], v)
		b.AddScaledVec(b, weights[i]*y[i], v)
	}
	for f := range n {
		a.SetSym(f, f, a.At(f, f)+ridge)
	}
	var c mat.Cholesky
	if !c.Factorize(a) || c.Cond() > 1e13 {
		return nil, errors.New("explain: expected equations with one solution, got too few or such that say the same")
	}
	var x mat.VecDense
	if err := c.SolveVecTo(&x, b); err != nil {
		return nil, err
	}
	return x.RawVector().Data, nil
}

// ridgeRegression is leastSquares with a constant, which is not kept small.
func ridgeRegression(rows [][]float64, y, weights []float64, ridge float64) ([]float64, error) {
	n, total, squares := len(rows[0]), 0.0, 0.0
	mean, middle := make([]float64, n), 0.0
	for i, row := range rows {
		total += weights[i]
		squares += weights[i] * weights[i]
		middle += weights[i] * y[i]
		for f, v := range row {
			mean[f] += weights[i] * v
		}
	}
	if many := total * total / squares; !(many > float64(n)) {
		return nil, fmt.Errorf("explain: expected samples near what is explained, more than its %d features, got the weight of %.1f: take a larger Width", n, many)
	}
	centred, rest := make([][]float64, len(rows)), make([]float64, len(rows))
	for i, row := range rows {
		rest[i] = y[i] - middle/total
		centred[i] = make([]float64, n)
		for f, v := range row {
			centred[i][f] = v - mean[f]/total
		}
	}
	return leastSquares(centred, rest, weights, ridge)
}
