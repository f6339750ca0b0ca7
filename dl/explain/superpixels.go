package explain

import (
	"fmt"
	"math"
	"slices"

	"github.com/gradbook/gradbook/dl/tensor"
)

// Superpixels divides an image, [height, width, channels], into about n parts of like colour
// that hang together, as Groups for LIME, KernelSHAP and Shapley. compactness weighs nearness
// against colour, whose range is that of the image; 0 means 0.1: larger makes parts squarer.
//
// Source: SLIC, Achanta et al. (2012), IEEE Transactions on Pattern Analysis and Machine
// Intelligence 34; of colours as they are given.
func Superpixels(img *tensor.Tensor, n int, compactness float64) ([]int, error) {
	if img == nil {
		return nil, fmt.Errorf("explain: expected an image, got nil")
	}
	flat, err := tensor.Flat[float32](img)
	d := img.Shape().Dimensions
	if err != nil || len(d) != 3 || len(flat) == 0 {
		return nil, fmt.Errorf("explain: expected an image of float32, (height, width, channels), got %v", img.Shape())
	}
	if n < 1 || n > d[0]*d[1] || !(compactness >= 0 && compactness <= 1e6) {
		return nil, fmt.Errorf("explain: expected 1 to %d parts and a compactness from 0 to 1e6, got %d and %g", d[0]*d[1], n, compactness)
	}
	for i, v := range flat {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("explain: expected a finite image, got %g at pixel %d", v, i/d[2])
		}
	}
	if compactness == 0 {
		compactness = 0.1
	}
	s := &slic{h: d[0], w: d[1], c: d[2], flat: flat}
	s.side = math.Sqrt(float64(s.h*s.w) / float64(n))
	span := float64(slices.Max(flat) - slices.Min(flat))
	s.nearness = compactness * max(span, 1e-12) / s.side
	s.cluster(n)
	parts := s.connected()
	groups := make([]int, len(flat))
	for i := range groups {
		groups[i] = parts[i/s.c]
	}
	return groups, nil
}

// slic clusters pixels by colour and place.
type slic struct {
	h, w, c        int
	flat           []float32
	side, nearness float64
	of             []int // the cluster of each pixel
}

func (s *slic) cluster(n int) {
	rows := max(int(math.Round(float64(s.h)/s.side)), 1)
	columns := max(int(math.Round(float64(n)/float64(rows))), 1)
	var centres [][]float64 // colours, row, column
	for i := range rows {
		for k := range columns {
			y, x := (float64(i)+0.5)*float64(s.h)/float64(rows), (float64(k)+0.5)*float64(s.w)/float64(columns)
			centres = append(centres, s.pixel(min(int(y), s.h-1)*s.w+min(int(x), s.w-1)))
		}
	}
	s.of = make([]int, s.h*s.w)
	for range 10 {
		sums, counts := make([][]float64, len(centres)), make([]float64, len(centres))
		for i := range s.of {
			p := s.pixel(i)
			best, least := 0, math.Inf(1)
			for k, c := range centres {
				if d := s.distance(p, c); d < least {
					best, least = k, d
				}
			}
			s.of[i] = best
			if sums[best] == nil {
				sums[best] = make([]float64, len(p))
			}
			counts[best]++
			for k, v := range p {
				sums[best][k] += v
			}
		}
		for k, sum := range sums {
			for i := range sum {
				centres[k][i] = sum[i] / counts[k]
			}
		}
	}
}

// pixel is its colours, row and column.
func (s *slic) pixel(i int) []float64 {
	var p []float64
	for _, v := range s.flat[i*s.c : (i+1)*s.c] {
		p = append(p, float64(v))
	}
	return append(p, float64(i/s.w), float64(i%s.w))
}

func (s *slic) distance(a, b []float64) (sum float64) {
	for i := range a {
		d := a[i] - b[i]
		if i >= s.c {
			d *= s.nearness
		}
		sum += d * d
	}
	return sum
}

// connected are the parts: what hangs together of a cluster, where small pieces join a
// neighbour.
func (s *slic) connected() []int {
	parts := slices.Repeat([]int{-1}, s.h*s.w)
	least, next := int(s.side*s.side/4), 0
	for i := range parts {
		if parts[i] >= 0 {
			continue
		}
		piece, beside := []int{i}, -1
		parts[i] = next
		for at := 0; at < len(piece); at++ {
			for _, k := range s.neighbours(piece[at]) {
				switch {
				case parts[k] < 0 && s.of[k] == s.of[i]:
					parts[k] = next
					piece = append(piece, k)
				case parts[k] >= 0 && parts[k] != next:
					beside = parts[k]
				}
			}
		}
		if len(piece) < least && beside >= 0 {
			for _, k := range piece {
				parts[k] = beside
			}
			continue
		}
		next++
	}
	return parts
}

func (s *slic) neighbours(i int) (all []int) {
	y, x := i/s.w, i%s.w
	if y > 0 {
		all = append(all, i-s.w)
	}
	if y < s.h-1 {
		all = append(all, i+s.w)
	}
	if x > 0 {
		all = append(all, i-1)
	}
	if x < s.w-1 {
		all = append(all, i+1)
	}
	return all
}
