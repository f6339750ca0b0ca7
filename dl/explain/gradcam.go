package explain

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/tensor"
)

// GradCAM says which places of a convolution's output speak for the target: its channels,
// weighted by the mean gradient of each, and what is below 0 left out. The map is as coarse
// as that output, and is stretched over the input (bilinearly), the same in all channels.
//
// Source: Selvaraju et al. (2017), https://arxiv.org/abs/1610.02391.
type GradCAM struct {
	// Layer is the name of the convolution; "" means the last whose output has places.
	Layer string
	// PlusPlus weighs places by higher derivatives, so that several objects show: Chattopadhay
	// et al. (2018), https://arxiv.org/abs/1710.11063.
	PlusPlus bool
	// Signed keeps what is below 0.
	Signed bool
}

// Attribute implements Method, for inputs of shape (batch, height, width, channels).
func (c GradCAM) Attribute(m *dl.Model, x *tensor.Tensor, t Target) (*tensor.Tensor, error) {
	flat, err := wanted(m, x)
	if err != nil {
		return nil, err
	}
	d := x.Shape().Dimensions
	if len(d) != 4 {
		return nil, fmt.Errorf("explain: expected images, (batch, height, width, channels), for GradCAM, got %v", x.Shape())
	}
	at, err := c.symbol(train.Of(m))
	if err != nil {
		return nil, err
	}
	v, err := newValues(m, t, nil, func(f *network.Flow, _, target *graph.Node) []*graph.Node {
		return []*graph.Node{c.places(f.Values[at], graph.Gradient(graph.ReduceAllSum(target), f.Values[at])[0])}
	})
	if err != nil {
		return nil, err
	}
	units, err := t.units(d[0], v.size)
	if err != nil {
		return nil, err
	}
	out, err := v.call(flat, d, units)
	if err != nil {
		return nil, err
	}
	coarse, err := tensor.Flat[float32](out[0])
	if err != nil {
		return nil, err
	}
	return tensor.New(stretch(coarse, at.Shape[0], at.Shape[1], d), d...), nil
}

// symbol is the output of the convolution.
func (c GradCAM) symbol(m *train.Model) (*network.Symbol, error) {
	var found *network.Symbol
	for _, call := range m.Calls {
		l, out := call.Layer, call.Out[0]
		if c.Layer != "" && l.Name != c.Layer {
			continue
		}
		switch {
		case c.Layer != "" && len(out.Shape) != 3:
			return nil, fmt.Errorf("explain: expected a layer with an output of shape (height, width, channels) for GradCAM, got %s with %v", l, out.Shape)
		case c.Layer != "", l.Type() == "Conv2D" || l.Type() == "SeparableConv2D" || l.Type() == "DepthwiseConv2D":
			found = out
		}
	}
	if found == nil {
		return nil, fmt.Errorf("explain: expected a model with a convolution for GradCAM, or one with the layer %q, got %q", c.Layer, m.Name)
	}
	return found, nil
}

// places weighs channels: [batch, height, width].
func (c GradCAM) places(a, slope *graph.Node) *graph.Node {
	var weights *graph.Node
	if c.PlusPlus {
		square, cube := graph.Square(slope), graph.Mul(graph.Square(slope), slope)
		total := graph.ReduceAndKeep(a, graph.ReduceSum, 1, 2)
		below := graph.Add(graph.MulScalar(square, 2), graph.Mul(cube, graph.BroadcastToDims(total, cube.Shape().Dimensions...)))
		zero := graph.Equal(below, graph.ZerosLike(below))
		alpha := graph.Div(square, graph.Where(zero, graph.OnesLike(below), below))
		weights = graph.ReduceAndKeep(graph.Mul(alpha, graph.Max(slope, graph.ZerosLike(slope))), graph.ReduceSum, 1, 2)
	} else {
		weights = graph.ReduceAndKeep(slope, graph.ReduceMean, 1, 2)
	}
	sum := graph.ReduceSum(graph.Mul(a, graph.BroadcastToDims(weights, a.Shape().Dimensions...)), -1)
	if c.Signed {
		return sum
	}
	return graph.Max(sum, graph.ZerosLike(sum))
}

// stretch brings maps of h×w to the size of images, bilinearly between the middles of places.
func stretch(flat []float32, h, w int, d []int) []float32 {
	out := make([]float32, d[0]*d[1]*d[2]*d[3])
	at := func(i, n, of int) (int, int, float32) {
		p := (float64(i)+0.5)*float64(n)/float64(of) - 0.5
		p = min(max(p, 0), float64(n-1))
		low := int(math.Floor(p))
		return low, min(low+1, n-1), float32(p - float64(low))
	}
	k := 0
	for b := range d[0] {
		own := flat[b*h*w : (b+1)*h*w]
		for i := range d[1] {
			y0, y1, fy := at(i, h, d[1])
			for j := range d[2] {
				x0, x1, fx := at(j, w, d[2])
				v := (1-fy)*((1-fx)*own[y0*w+x0]+fx*own[y0*w+x1]) + fy*((1-fx)*own[y1*w+x0]+fx*own[y1*w+x1])
				for range d[3] {
					out[k] = v
					k++
				}
			}
		}
	}
	return out
}
