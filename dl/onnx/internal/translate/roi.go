package translate

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// roiAlign averages, or takes the largest of, points of each part of a region.
//
// Source: https://arxiv.org/abs/1703.06870
func roiAlign(c *call) *graph.Node {
	in := c.images()
	if len(in) != 4 {
		panic(fmt.Errorf("expected images, got shape %v", in))
	}
	h, w := c.int("output_height", 1), c.int("output_width", 1)
	ratio := c.int("sampling_ratio", 0)
	half := 0.5
	if c.text("coordinate_transformation_mode", "half_pixel", "output_half_pixel") == "output_half_pixel" || c.opset < 16 {
		half = 0
	}
	scale := c.float("spatial_scale", 1)
	rois, batch := Reals(c.known(1)), c.ints(2)
	n := len(batch)
	if len(rois) != 4*n || h < 1 || w < 1 {
		panic(fmt.Errorf("expected 4 numbers for each of %d regions, got %d", n, len(rois)))
	}
	x := c.last()
	mean := c.text("mode", "avg", "max") == "avg"
	var all []*graph.Node
	for i, b := range batch {
		if b < 0 || b >= in[0] {
			panic(fmt.Errorf("expected a region of one of %d images, got one of %d", in[0], b))
		}
		r := rois[4*i : 4*i+4]
		x0, y0, x1, y1 := r[0]*scale-half, r[1]*scale-half, r[2]*scale-half, r[3]*scale-half
		width, height := x1-x0, y1-y0
		if half == 0 {
			width, height = math.Max(width, 1), math.Max(height, 1)
		}
		ny, nx := ratio, ratio
		if ratio <= 0 {
			ny, nx = int(math.Ceil(height/float64(h))), int(math.Ceil(width/float64(w)))
		}
		ny, nx = min(max(ny, 1), 1<<10), min(max(nx, 1), 1<<10)
		c.fits(sized(x.DType(), []int{h, ny, w, nx, in[1]}))
		counted(h * ny)
		counted(w * nx)
		image := graph.SliceAxis(x, 0, graph.AxisRange(b, b+1))
		all = append(all, pooledRegion(image, regionPoints(in[2], y0, height, h, ny), regionPoints(in[3], x0, width, w, nx), h, w, ny, nx, mean))
	}
	if n == 0 {
		return graph.Zeros(c.g, sized(x.DType(), []int{0, in[1], h, w}))
	}
	return channelsFirst(graph.Concatenate(all, 0))
}

// point is a place between two others: their indices and shares.
type point struct {
	low, high int
	share     float64 // of high
	inside    bool
}

func regionPoints(size int, start, extent float64, parts, each int) []point {
	var all []point
	for i := range parts {
		for j := range each {
			v := start + float64(i)*extent/float64(parts) + (float64(j)+0.5)*extent/float64(parts*each)
			p := point{inside: v >= -1 && v <= float64(size)}
			v = math.Max(v, 0)
			p.low = int(v)
			if p.low >= size-1 || !p.inside {
				p.low = min(size-1, max(p.low, 0))
				p.high = p.low
			} else {
				p.high, p.share = p.low+1, v-float64(p.low)
			}
			all = append(all, p)
		}
	}
	return all
}

// pooledRegion takes the points of each part of a region of [1, height, width, channels]
// together.
func pooledRegion(x *graph.Node, ys, xs []point, h, w, ny, nx int, mean bool) *graph.Node {
	channels := x.Shape().Dimensions[3]
	read := func(yHigh, xHigh bool) *graph.Node {
		index := func(all []point, high bool) []int {
			var out []int
			for _, p := range all {
				if high {
					out = append(out, p.high)
				} else {
					out = append(out, p.low)
				}
			}
			return out
		}
		share := func(all []point, high bool, shape ...int) *graph.Node {
			var out []float64
			for _, p := range all {
				v := p.share
				if !high {
					v = 1 - p.share
				}
				if !p.inside {
					v = 0
				}
				out = append(out, v)
			}
			return graph.Reshape(graph.ConstAsDType(x.Graph(), x.DType(), out), shape...)
		}
		y := taken(taken(x, 1, index(ys, yHigh)), 2, index(xs, xHigh))
		return graph.Mul(graph.Mul(y, share(ys, yHigh, 1, len(ys), 1, 1)), share(xs, xHigh, 1, 1, len(xs), 1))
	}
	four := []*graph.Node{read(false, false), read(false, true), read(true, false), read(true, true)}
	split := func(y *graph.Node) *graph.Node { return graph.Reshape(y, 1, h, ny, w, nx, channels) }
	if !mean {
		// ONNX takes the largest of the four shares of each point, not of their sum.
		y := four[0]
		for _, f := range four[1:] {
			y = graph.Max(y, f)
		}
		return graph.ReduceMax(split(y), 2, 4)
	}
	y := graph.Add(graph.Add(four[0], four[1]), graph.Add(four[2], four[3]))
	return graph.ReduceMean(split(y), 2, 4)
}
