package layers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(Add{}, Subtract{}, Multiply{}, Average{}, Maximum{}, Minimum{}, Concatenate{}, Dot{})
}

// Add is the sum of its inputs.
//
// Input shapes: equal, or such that axes of 1 can be stretched. Output shape: the
// inputs'.
//
// Source: https://keras.io/api/layers/merging_layers/add/
type Add struct{ Name string }

// Subtract is its first input minus its second.
//
// Source: https://keras.io/api/layers/merging_layers/subtract/
type Subtract struct{ Name string }

// Multiply is the product of its inputs, value by value.
//
// Source: https://keras.io/api/layers/merging_layers/multiply/
type Multiply struct{ Name string }

// Average is the mean of its inputs.
//
// Source: https://keras.io/api/layers/merging_layers/average/
type Average struct{ Name string }

// Maximum is the largest of its inputs, value by value.
//
// Source: https://keras.io/api/layers/merging_layers/maximum/
type Maximum struct{ Name string }

// Minimum is the smallest of its inputs, value by value.
//
// Source: https://keras.io/api/layers/merging_layers/minimum/
type Minimum struct{ Name string }

// Build implements Layer.
func (Add) Build(in Shape) (Spec, error) { return together(in) }

// Build implements Layer.
func (Subtract) Build(in Shape) (Spec, error) { return together(in) }

// Build implements Layer.
func (Multiply) Build(in Shape) (Spec, error) { return together(in) }

// Build implements Layer.
func (Average) Build(in Shape) (Spec, error) { return together(in) }

// Build implements Layer.
func (Maximum) Build(in Shape) (Spec, error) { return together(in) }

// Build implements Layer.
func (Minimum) Build(in Shape) (Spec, error) { return together(in) }

// BuildAll implements Multi.
func (Add) BuildAll(in []Shape) (Spec, error) { return together(in...) }

// BuildAll implements Multi.
func (Subtract) BuildAll(in []Shape) (Spec, error) {
	if len(in) != 2 {
		return Spec{}, fmt.Errorf("expected 2 inputs, got %d", len(in))
	}
	return together(in...)
}

// BuildAll implements Multi.
func (Multiply) BuildAll(in []Shape) (Spec, error) { return together(in...) }

// BuildAll implements Multi.
func (Average) BuildAll(in []Shape) (Spec, error) { return together(in...) }

// BuildAll implements Multi.
func (Maximum) BuildAll(in []Shape) (Spec, error) { return together(in...) }

// BuildAll implements Multi.
func (Minimum) BuildAll(in []Shape) (Spec, error) { return together(in...) }

// Call implements Layer.
func (Add) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// Call implements Layer.
func (Subtract) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// Call implements Layer.
func (Multiply) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// Call implements Layer.
func (Average) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// Call implements Layer.
func (Maximum) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// Call implements Layer.
func (Minimum) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// CallAll implements Multi.
func (Add) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	return merge(c, in, func(x, y *tensor.Node) *tensor.Node {
		for _, pair := range [][2]*tensor.Node{{x, y}, {y, x}} {
			if c.pass.Shared(pair[0]) {
				continue
			}
			if sum := ops.Added(pair[0], pair[1]); sum != nil {
				return sum
			}
		}
		return graph.Add(x, y)
	})
}

// CallAll implements Multi.
func (Subtract) CallAll(c *Context, in []*tensor.Node) []*tensor.Node { return merge(c, in, graph.Sub) }

// CallAll implements Multi.
func (Multiply) CallAll(c *Context, in []*tensor.Node) []*tensor.Node { return merge(c, in, graph.Mul) }

// CallAll implements Multi.
func (Average) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	return []*tensor.Node{graph.DivScalar(merge(c, in, graph.Add)[0], float64(len(in)))}
}

// CallAll implements Multi.
func (Maximum) CallAll(c *Context, in []*tensor.Node) []*tensor.Node { return merge(c, in, graph.Max) }

// CallAll implements Multi.
func (Minimum) CallAll(c *Context, in []*tensor.Node) []*tensor.Node { return merge(c, in, graph.Min) }

// together is the Build of layers that merge value by value.
func together(in ...Shape) (Spec, error) {
	if len(in) < 2 {
		return Spec{}, fmt.Errorf("expected at least 2 inputs, got %d", len(in))
	}
	out := in[0]
	for _, s := range in[1:] {
		var ok bool
		if out, ok = stretched(out, s); !ok {
			return Spec{}, misfit(in[len(in)-1], "expected inputs of one shape, got %v", in)
		}
	}
	return Spec{Output: out}, nil
}

// stretched is the shape of an operation on two shapes, where axes of 1 are
// repeated, and missing axes put behind the batch.
func stretched(a, b Shape) (Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	b = append(Shape(ones(make([]int, len(a)-len(b)))), b...)
	out := make(Shape, len(a))
	for i := range a {
		if a[i] != b[i] && a[i] != 1 && b[i] != 1 {
			return nil, false
		}
		out[i] = max(a[i], b[i])
	}
	return out, true
}

func merge(c *Context, in []*tensor.Node, f func(a, b *tensor.Node) *tensor.Node) []*tensor.Node {
	c.SetMask(allMasks(c, len(in)))
	rank := 0
	for _, x := range in {
		rank = max(rank, x.Rank())
	}
	out := sameRank(in[0], rank)
	for _, x := range in[1:] {
		out = f(out, sameRank(x, rank))
	}
	return []*tensor.Node{out}
}

func sameRank(x *tensor.Node, rank int) *tensor.Node {
	for x.Rank() < rank {
		x = graph.InsertAxes(x, 1)
	}
	return x
}

// allMasks lets those steps count that do in some input; nil unless all inputs have
// a mask.
func allMasks(c *Context, n int) *tensor.Node {
	var mask *tensor.Node
	for i := range n {
		m := c.MaskOf(i)
		switch {
		case m == nil:
			return nil
		case mask == nil:
			mask = m
		default:
			mask = graph.LogicalOr(mask, m)
		}
	}
	return mask
}

// concatenatedMask joins the masks of inputs that are joined in time; for those that
// are joined otherwise, a step counts that counts in each.
func concatenatedMask(c *Context, in []*tensor.Node, axis int) *tensor.Node {
	var masks []*tensor.Node
	masked := false
	for i, x := range in {
		m := c.MaskOf(i)
		if m == nil {
			if x.Rank() < 3 {
				return nil
			}
			m = graph.BroadcastToDims(graph.Const(x.Graph(), true), x.Shape().Dimensions[:2]...)
		} else {
			masked = true
		}
		masks = append(masks, m)
	}
	switch {
	case !masked:
		return nil
	case axis == 1:
		return graph.Concatenate(masks, 1)
	}
	mask := masks[0]
	for _, m := range masks[1:] {
		mask = graph.LogicalAnd(mask, m)
	}
	return mask
}

// axisOf turns an axis that counts the batch into one of a shape without it.
func axisOf(field string, axis int, in Shape) (int, error) {
	at := axis - 1
	if axis < 0 {
		at = len(in) + axis
	}
	if at < 0 || at >= len(in) {
		return 0, fmt.Errorf("expected %s to be an axis of %v other than the batch, got %d", field, in, axis)
	}
	return at, nil
}

// ONNX implements build.Layer.
func (Add) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxFold(g, c, "Add"), nil
}

// ONNX implements build.Layer.
func (Subtract) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxFold(g, c, "Sub"), nil
}

// ONNX implements build.Layer.
func (Multiply) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxFold(g, c, "Mul"), nil
}

// ONNX implements build.Layer.
func (Average) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Mean", c.In)}, nil
}

// ONNX implements build.Layer.
func (Maximum) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Max", c.In)}, nil
}

// ONNX implements build.Layer.
func (Minimum) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Min", c.In)}, nil
}
