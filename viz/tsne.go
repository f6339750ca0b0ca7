package viz

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/tensor"
)

// TSNEConfig says how TSNE embeds. The zero values are scikit-learn's defaults.
type TSNEConfig struct {
	// Perplexity is about how many neighbours a point has; 0 means 30. It must be
	// less than the number of points.
	Perplexity float64
	// LearningRate 0 means the number of points divided by 48, at least 50.
	LearningRate float64
	// Iterations 0 means 1000.
	Iterations int
	// Seed is of the noise by which equal points are told apart. Equal seeds give
	// equal results.
	Seed uint64
}

// maxTSNE is the number of points for which an exact computation is bearable.
const maxTSNE = 5000

// TSNE places points, [n, features], in a plane, [n, 2], such that neighbours stay
// neighbours, and returns the Kullback-Leibler divergence between the two
// neighbourhoods. It is the exact method, so a step takes time with the square of
// n; n is at most 5,000. It starts from the principal components.
//
// Source: van der Maaten, Hinton, Visualizing Data using t-SNE, 2008;
// https://scikit-learn.org/stable/modules/generated/sklearn.manifold.TSNE.html
func TSNE(ctx context.Context, features *tensor.Tensor, c TSNEConfig) (points *tensor.Tensor, divergence float64, err error) {
	m, err := matrixOf(features, "t-SNE")
	if err != nil {
		return nil, 0, fmt.Errorf("viz: %w", err)
	}
	start, _, err := PCA(features)
	if err != nil {
		return nil, 0, err
	}
	n := m.rows
	if c.Perplexity == 0 {
		c.Perplexity = 30
	}
	if c.Iterations == 0 {
		c.Iterations = 1000
	}
	if c.LearningRate == 0 {
		c.LearningRate = max(float64(n)/12/4, 50)
	}
	if !(c.Perplexity > 0 && c.Perplexity < float64(n)) || n > maxTSNE || c.Iterations < 0 || c.LearningRate <= 0 {
		return nil, 0, fmt.Errorf("viz: t-SNE: expected at most %d points and a perplexity less than their number, got %d and %v", maxTSNE, n, c.Perplexity)
	}
	y := make([]float64, 2*n)
	first, err := floats(start)
	if err != nil {
		return nil, 0, fmt.Errorf("viz: t-SNE: %w", err)
	}
	mean, square := 0.0, 0.0
	for i := range n {
		mean += first[2*i] / float64(n)
		square += first[2*i] * first[2*i] / float64(n)
	}
	spread := math.Sqrt(max(square-mean*mean, 1e-30))
	noise := rand.New(rand.NewPCG(c.Seed, 1))
	for i := range y {
		y[i] = first[i]/spread*1e-4 + noise.NormFloat64()*1e-8
	}
	p := affinities(m, c.Perplexity)
	e := embedder{n: n, p: p, y: y, gradient: make([]float64, 2*n), update: make([]float64, 2*n), gains: make([]float64, 2*n)}
	for i := range e.gains {
		e.gains[i] = 1
	}
	for step := range c.Iterations {
		if err := ctx.Err(); err != nil {
			return nil, 0, fmt.Errorf("viz: t-SNE: %w", err)
		}
		exaggeration, momentum := 1.0, 0.8
		if step < min(250, c.Iterations/4) {
			exaggeration, momentum = 12, 0.5
		}
		divergence = e.step(exaggeration, momentum, c.LearningRate)
	}
	flat := make([]float32, 2*n)
	for i, v := range e.y {
		flat[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(flat, n, 2), divergence, nil
}

// affinities are the probabilities p_ij with which points choose each other as
// neighbours, [n, n]: Gaussians, each as wide as to have the perplexity.
func affinities(m matrix, perplexity float64) []float64 {
	n := m.rows
	p := make([]float64, n*n)
	inParallel(n, func(i int) {
		row := p[i*n : (i+1)*n]
		nearest := math.Inf(1)
		for j := range n {
			d := 0.0
			for k, v := range m.row(i) {
				d += (v - m.at(j, k)) * (v - m.at(j, k))
			}
			row[j] = d
			if j != i {
				nearest = min(nearest, d)
			}
		}
		calibrate(row, i, nearest, math.Log(perplexity))
	})
	total := 0.0
	for i := range n {
		for j := range i {
			both := p[i*n+j] + p[j*n+i]
			p[i*n+j], p[j*n+i] = both, both
			total += 2 * both
		}
	}
	for i := range p {
		p[i] = max(p[i]/total, 1e-12)
	}
	return p
}

// calibrate turns squared distances into probabilities whose entropy is wanted.
func calibrate(row []float64, self int, nearest, wanted float64) {
	beta, low, high := 1.0, 0.0, math.Inf(1)
	weights := make([]float64, len(row))
	for range 100 {
		sum, mean := 0.0, 0.0
		for j, d := range row {
			weights[j] = 0
			if j != self {
				weights[j] = math.Exp(-(d - nearest) * beta)
				sum += weights[j]
				mean += (d - nearest) * weights[j]
			}
		}
		entropy := math.Log(sum) + beta*mean/sum
		for j := range weights {
			weights[j] /= sum
		}
		if math.Abs(entropy-wanted) < 1e-5 {
			break
		}
		if entropy > wanted {
			low = beta
			if beta *= 2; !math.IsInf(high, 1) {
				beta = (low + high) / 2
			}
		} else {
			high = beta
			beta = (low + high) / 2
		}
	}
	copy(row, weights)
}

// embedder moves points of a plane.
type embedder struct {
	n                       int
	p, y                    []float64
	gradient, update, gains []float64
}

// step moves the points once, and returns the divergence before.
func (e *embedder) step(exaggeration, momentum, rate float64) float64 {
	n := e.n
	sums, losses := make([]float64, n), make([]float64, n)
	inParallel(n, func(i int) {
		xi, yi := e.y[2*i], e.y[2*i+1]
		for j := range n {
			dx, dy := xi-e.y[2*j], yi-e.y[2*j+1]
			sums[i] += 1 / (1 + dx*dx + dy*dy)
		}
		sums[i]-- // itself
	})
	z := 0.0
	for _, s := range sums {
		z += s
	}
	inParallel(n, func(i int) {
		xi, yi := e.y[2*i], e.y[2*i+1]
		var gx, gy float64
		for j := range n {
			if j == i {
				continue
			}
			dx, dy := xi-e.y[2*j], yi-e.y[2*j+1]
			w := 1 / (1 + dx*dx + dy*dy)
			p, q := e.p[i*n+j], max(w/z, 1e-12)
			pull := 4 * (exaggeration*p - q) * w
			gx += pull * dx
			gy += pull * dy
			losses[i] += p * math.Log(p/q)
		}
		e.gradient[2*i], e.gradient[2*i+1] = gx, gy
	})
	for i, g := range e.gradient {
		if (g > 0) != (e.update[i] > 0) {
			e.gains[i] += 0.2
		} else {
			e.gains[i] = max(e.gains[i]*0.8, 0.01)
		}
		e.update[i] = momentum*e.update[i] - rate*e.gains[i]*g
		e.y[i] += e.update[i]
	}
	total := 0.0
	for _, l := range losses {
		total += l
	}
	return total
}

// inParallel calls f for 0 … n−1 on all cores. What f writes at i is its own, so
// the result does not depend on the number of cores.
func inParallel(n int, f func(i int)) {
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n)
	for w := range workers {
		wait.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				f(i)
			}
		})
	}
	wait.Wait()
}
