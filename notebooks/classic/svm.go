package classic

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// SVM is a support vector machine: of all surfaces that separate two classes, the one
// with the widest margin, where examples on the wrong side cost C each for their
// distance. For more than two classes there is one for each pair, and they vote.
//
// Source: Platt, Sequential Minimal Optimization, 1998; Fan, Chen, Lin, Working Set
// Selection Using Second Order Information, 2005, of which the first order is taken.
// LIBSVM, and so scikit-learn's SVC, solve the same problem.
type SVM struct {
	// C is what errors cost; 0 means 1.
	C float64
	// Gamma makes the surface bend: the kernel is exp(−Gamma·|a−b|²). With 0 it is the
	// product of a and b, and the surface flat.
	Gamma float64

	classes int
	pairs   []pair
}

// pair separates one class from another, which it calls negative.
type pair struct {
	positive, negative int
	x                  [][]float64 // the support vectors
	weight             []float64
	bias               float64
}

func (s *SVM) kernel(a, b []float64) float64 {
	if s.Gamma == 0 {
		return floats.Dot(a, b)
	}
	d := 0.0
	for i, v := range a {
		d += (v - b[i]) * (v - b[i])
	}
	return math.Exp(-s.Gamma * d)
}

// Fit implements Classifier.
func (s *SVM) Fit(x [][]float64, y []int) error {
	classes, err := check("support vector machine", x, y)
	if err != nil {
		return err
	}
	if s.C == 0 {
		s.C = 1
	}
	if s.C < 0 || s.Gamma < 0 {
		return fmt.Errorf("classic: support vector machine: expected C and Gamma of at least 0, got %v and %v", s.C, s.Gamma)
	}
	s.classes, s.pairs = classes, nil
	for a := range classes {
		for b := a + 1; b < classes; b++ {
			var rows [][]float64
			var signs []float64
			for i, k := range y {
				switch k {
				case a:
					rows, signs = append(rows, x[i]), append(signs, 1)
				case b:
					rows, signs = append(rows, x[i]), append(signs, -1)
				}
			}
			if floats.Max(append(signs, -1)) < 0 || floats.Min(append(signs, 1)) > 0 {
				continue // a class without examples
			}
			p := s.separate(rows, signs)
			p.positive, p.negative = a, b
			s.pairs = append(s.pairs, p)
		}
	}
	return nil
}

// separate solves the dual problem: two of the weights at a time, the pair that is the
// furthest from the optimum, until none is far.
func (s *SVM) separate(x [][]float64, y []float64) pair {
	n := len(x)
	k := make([][]float64, n)
	for i := range k {
		k[i] = make([]float64, n)
		for j := range i + 1 {
			k[i][j] = s.kernel(x[i], x[j])
			k[j][i] = k[i][j]
		}
	}
	alpha, slope := make([]float64, n), make([]float64, n)
	for i := range slope {
		slope[i] = -1
	}
	const enough = 1e-3
	var up, low float64
	for range 100 * 1000 * 10 {
		i, j := -1, -1
		up, low = math.Inf(-1), math.Inf(1)
		for t, v := range slope {
			v = -y[t] * v
			if (y[t] > 0 && alpha[t] < s.C || y[t] < 0 && alpha[t] > 0) && v > up {
				up, i = v, t
			}
			if (y[t] > 0 && alpha[t] > 0 || y[t] < 0 && alpha[t] < s.C) && v < low {
				low, j = v, t
			}
		}
		if i < 0 || j < 0 || up-low < enough {
			break
		}
		s.step(alpha, slope, y, k, i, j, (up-low)/max(k[i][i]+k[j][j]-2*k[i][j], 1e-12))
	}
	p := pair{bias: (up + low) / 2}
	for i, a := range alpha {
		if a > 0 {
			p.x, p.weight = append(p.x, x[i]), append(p.weight, a*y[i])
		}
	}
	return p
}

// step changes two weights by as much as is allowed, and the slopes with them.
func (s *SVM) step(alpha, slope, y []float64, k [][]float64, i, j int, by float64) {
	room := func(t int, sign float64) float64 { // as far as weight t may move
		if sign > 0 {
			return s.C - alpha[t]
		}
		return alpha[t]
	}
	by = min(by, room(i, y[i]), room(j, -y[j]))
	alpha[i] += y[i] * by
	alpha[j] -= y[j] * by
	for t := range slope {
		slope[t] += y[t] * by * (k[t][i] - k[t][j])
	}
}

// Decision is how far a row is on the side of class 0 against class 1, of two classes.
func (s *SVM) Decision(row []float64) float64 { return s.decision(s.pairs[0], row) }

func (s *SVM) decision(p pair, row []float64) float64 {
	sum := p.bias
	for i, v := range p.x {
		sum += p.weight[i] * s.kernel(v, row)
	}
	return sum
}

// Predict implements Classifier.
func (s *SVM) Predict(x [][]float64) []int {
	out := make([]int, len(x))
	for i, row := range x {
		votes := make([]float64, s.classes)
		for _, p := range s.pairs {
			if s.decision(p, row) > 0 {
				votes[p.positive]++
			} else {
				votes[p.negative]++
			}
		}
		out[i] = floats.MaxIdx(votes)
	}
	return out
}
