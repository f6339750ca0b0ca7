package explain

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
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
	var d []int
	q, err := ask(m, x, t, func() (*values, error) {
		if d = x.Shape().Dimensions; len(d) != 4 {
			return nil, fmt.Errorf("explain: expected images, (batch, height, width, channels), for GradCAM, got %v", x.Shape())
		}
		at, err := c.symbol(train.Of(m))
		if err != nil {
			return nil, err
		}
		return newValues(m, t, nil, nil, func(f *network.Flow, _, target *graph.Node) []*graph.Node {
			coarse := c.places(f.Values[at], graph.Gradient(graph.ReduceAllSum(target), f.Values[at])[0])
			fine := layers.Resizing{Height: d[1], Width: d[2]}.Call(nil, graph.InsertAxes(coarse, -1))
			return []*graph.Node{graph.BroadcastToDims(fine, d...)}
		})
	})
	if err != nil {
		return nil, err
	}
	out, err := q.call(q.flat, d, q.units)
	if err != nil {
		return nil, err
	}
	return out[0], nil
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
