package beam

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// suggest is the point of which the most improvement is expected: a Gaussian process tells from
// trials what to expect of a point, and how surely. Points that are tried at the same time count as
// if they had come out as expected.
//
// Source: Snoek, Larochelle, Adams, Practical Bayesian Optimization of Machine Learning Algorithms
// (2012), https://arxiv.org/abs/1206.2944; Rasmussen, Williams, Gaussian Processes for Machine
// Learning (2006), algorithm 2.1.
func (s Space) suggest(done []Trial, pending []Params, r *rand.Rand) Params {
	const first, anywhere, near = 6, 500, 200
	if len(done) < first {
		return s.draw(r)
	}
	names := slices.Sorted(maps.Keys(s))
	place := func(p Params) []float64 {
		x := make([]float64, len(names))
		for i, name := range names {
			x[i] = s[name].part(p[name])
		}
		return x
	}
	var x [][]float64
	var y []float64
	for _, t := range done {
		x, y = append(x, place(t.Params)), append(y, t.Value)
	}
	y = leveled(y)
	g := fitted(x, y)
	for _, p := range pending {
		at := place(p)
		mean, _ := g.expects(at)
		x, y = append(x, at), append(y, mean)
		if next := newProcess(x, y, g.length); next != nil {
			g = next
		}
	}
	least := slices.Index(y, slices.Min(y))
	best, score := s.draw(r), -1.0
	for i := range anywhere + near {
		p := s.draw(r)
		if i >= anywhere { // around the best one
			for k, name := range names {
				p[name] = s[name].at(min(1-1e-9, max(0, x[least][k]+r.NormFloat64()*0.05)))
			}
		}
		if v := g.improvement(place(p), y[least]); v > score {
			best, score = p, v
		}
	}
	return best
}

// leveled are values by their order: one that is far off says no more than that it is the last.
func leveled(y []float64) []float64 {
	order := make([]int, len(y))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case y[a] < y[b]:
			return -1
		case y[a] > y[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(y))
	for k, i := range order { // as if they were drawn from a normal distribution
		out[i] = math.Sqrt2 * math.Erfinv(2*(float64(k)+0.5)/float64(len(y))-1)
	}
	return out
}

// process is a Gaussian process with Matérn's kernel (5/2), of one length for all axes.
type process struct {
	x      [][]float64
	length float64
	lower  [][]float64 // Cholesky's factor of the kernel's matrix
	alpha  []float64   // the matrix's inverse times y
	fits   float64     // the logarithm of the likelihood, but for a constant
}

// noise is the variance of values of the same point.
const noise = 1e-3

// fitted is the process whose length fits best.
func fitted(x [][]float64, y []float64) *process {
	var best *process
	for _, length := range []float64{0.1, 0.2, 0.3, 0.5, 0.8, 1.2} {
		if g := newProcess(x, y, length); g != nil && (best == nil || g.fits > best.fits) {
			best = g
		}
	}
	return best
}

func newProcess(x [][]float64, y []float64, length float64) *process {
	n := len(x)
	g := &process{x: x, length: length, lower: make([][]float64, n)}
	for i := range n {
		g.lower[i] = make([]float64, i+1)
		for j := range i + 1 {
			v := g.kernel(x[i], x[j])
			if i == j {
				v += noise
			}
			for k := range j {
				v -= g.lower[i][k] * g.lower[j][k]
			}
			if i != j {
				g.lower[i][j] = v / g.lower[j][j]
				continue
			}
			if v <= 0 {
				return nil
			}
			g.lower[i][i] = math.Sqrt(v)
			g.fits -= math.Log(g.lower[i][i])
		}
	}
	half := g.solve(y)
	for _, v := range half {
		g.fits -= v * v / 2
	}
	g.alpha = make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		v := half[i]
		for k := i + 1; k < n; k++ {
			v -= g.lower[k][i] * g.alpha[k]
		}
		g.alpha[i] = v / g.lower[i][i]
	}
	return g
}

func (g *process) kernel(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	d := math.Sqrt(5*sum) / g.length
	return (1 + d + d*d/3) * math.Exp(-d)
}

// solve is the factor's inverse times y.
func (g *process) solve(y []float64) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		for k := range i {
			v -= g.lower[i][k] * out[k]
		}
		out[i] = v / g.lower[i][i]
	}
	return out
}

// expects are the mean and the deviation of a point.
func (g *process) expects(at []float64) (mean, deviation float64) {
	k := make([]float64, len(g.x))
	for i := range k {
		k[i] = g.kernel(at, g.x[i])
		mean += k[i] * g.alpha[i]
	}
	variance := 1.0
	for _, v := range g.solve(k) {
		variance -= v * v
	}
	return mean, math.Sqrt(max(1e-12, variance))
}

// improvement is how much less than the least a point is expected to be.
func (g *process) improvement(at []float64, least float64) float64 {
	mean, deviation := g.expects(at)
	z := (least - mean) / deviation
	return deviation * (z*(1+math.Erf(z/math.Sqrt2))/2 + math.Exp(-z*z/2)/math.Sqrt(2*math.Pi))
}
