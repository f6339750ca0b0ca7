package quality

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Curve is how the error falls with the number of examples: Floor + Scale·n^−Power.
type Curve struct {
	Floor, Scale, Power float64
	// Residual is the root of the mean square of what is left between curve and points.
	Residual float64
	most     int
}

// LearningCurve fits a curve to errors of models that were trained on so many examples: at
// least four, of different sizes. Floor is what no number of examples takes away.
//
// The form is what is found for many models and data, not a law (Hestness et al., 2017,
// https://arxiv.org/abs/1712.00409); the farther from the points, the less it tells.
func LearningCurve(examples []int, errors []float64) (*Curve, error) {
	if len(examples) != len(errors) {
		return nil, fmt.Errorf("quality: expected as many errors as sizes, got %d and %d", len(errors), len(examples))
	}
	sizes := slices.Clone(examples)
	slices.Sort(sizes)
	if sizes = slices.Compact(sizes); len(sizes) < 4 || sizes[0] < 1 {
		return nil, fmt.Errorf("quality: expected errors for four different numbers of examples at least, from 1 on, got %v", examples)
	}
	for i, e := range errors {
		if !(e >= 0) || math.IsInf(e, 0) {
			return nil, fmt.Errorf("quality: expected errors that are finite and at least 0, got %g of %d examples", e, examples[i])
		}
	}
	// For a given power, floor and scale are of least squares, none below 0.
	best := &Curve{Residual: math.Inf(1), most: sizes[len(sizes)-1]}
	for power := 0.02; power <= 3; power *= 1.01 {
		if c := linear(examples, errors, power); c.Residual < best.Residual {
			c.most = best.most
			best = c
		}
	}
	return best, nil
}

func linear(examples []int, errors []float64, power float64) *Curve {
	x := make([]float64, len(examples))
	rows := mat.NewDense(len(x), 2, nil)
	for i, n := range examples {
		x[i] = math.Pow(float64(n)/float64(examples[0]), -power)
		rows.SetRow(i, []float64{1, x[i]})
	}
	var solved mat.VecDense
	floor, scale := math.NaN(), math.NaN()
	if err := solved.SolveVec(rows, mat.NewVecDense(len(errors), errors)); err == nil {
		floor, scale = solved.AtVec(0), solved.AtVec(1)
	}
	if !(floor >= 0) { // through the origin
		xy, xx := 0.0, 0.0
		for i, v := range x {
			xy, xx = xy+v*errors[i], xx+v*v
		}
		floor, scale = 0, xy/xx
	}
	c := &Curve{Floor: floor, Scale: max(scale, 0), Power: power}
	sum := 0.0
	for i, v := range x {
		d := c.Floor + c.Scale*v - errors[i]
		sum += d * d
	}
	c.Residual = math.Sqrt(sum / float64(len(x)))
	c.Scale *= math.Pow(float64(examples[0]), power)
	return c
}

// At is the error that the curve expects with n examples; beyond ten times the most that were
// tried it refuses to say.
func (c *Curve) At(n int) (float64, error) {
	if n < 1 || n > 10*c.most {
		return 0, fmt.Errorf("quality: expected 1 to %d examples, ten times as many as were tried, got %d", 10*c.most, n)
	}
	return c.Floor + c.Scale*math.Pow(float64(n), -c.Power), nil
}
