package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Concatenate puts its inputs one behind the other along an axis.
//
// Input shapes: equal but for that axis. Output shape: along it, their sum.
//
// Source: https://keras.io/api/layers/merging_layers/concatenate/
type Concatenate struct {
	// Axis counts with the batch, which is 0; negative counts from the end. 0
	// means −1.
	Axis int
	Name string
}

// Build implements Layer.
func (l Concatenate) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l Concatenate) BuildAll(in []Shape) (Spec, error) {
	if len(in) < 2 {
		return Spec{}, fmt.Errorf("expected at least 2 inputs, got %d", len(in))
	}
	axis, err := axisOf("Axis", orInt(l.Axis, -1), in[0])
	if err != nil {
		return Spec{}, err
	}
	out := slices.Clone(in[0])
	for _, s := range in[1:] {
		if len(s) != len(out) {
			return Spec{}, misfit(in[1], "expected inputs of as many axes, got %v", in)
		}
		for i := range s {
			if i == axis {
				out[i] += s[i]
			} else if s[i] != out[i] {
				return Spec{}, misfit(in[len(in)-1], "expected inputs that differ along axis %d only, got %v", axis+1, in)
			}
		}
	}
	return Spec{Output: out}, nil
}

// Call implements Layer.
func (l Concatenate) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// CallAll implements Multi.
func (l Concatenate) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	axis := orInt(l.Axis, -1)
	if axis < 0 {
		axis += in[0].Rank()
	}
	c.SetMask(concatenatedMask(c, in, axis))
	return []*tensor.Node{graph.Concatenate(in, axis)}
}

// Dot multiplies two tensors along an axis of each: for two sequences of vectors,
// each vector of one by each of the other.
//
// Input shapes: with axes of the same size at Axes. Output shape: the axes of the
// first that are left, then those of the second; (None, 1) if none are.
//
// Source: https://keras.io/api/layers/merging_layers/dot/
type Dot struct {
	// Axes is the axis of each input, counted with the batch; negative counts
	// from the end.
	Axes [2]int
	// Normalize scales the vectors along Axes to length 1, which makes of the
	// product the cosine of the angle.
	Normalize bool
	Name      string
}

// Build implements Layer.
func (l Dot) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l Dot) BuildAll(in []Shape) (Spec, error) {
	if len(in) != 2 {
		return Spec{}, fmt.Errorf("expected 2 inputs, got %d", len(in))
	}
	a, err := axisOf("Axes", l.Axes[0], in[0])
	if err != nil {
		return Spec{}, err
	}
	b, err := axisOf("Axes", l.Axes[1], in[1])
	if err != nil {
		return Spec{}, err
	}
	if in[0][a] != in[1][b] {
		return Spec{}, misfit(in[1], "expected axes %v of the inputs to be of one size, got %v", l.Axes, in)
	}
	out := slices.Concat(slices.Delete(slices.Clone(in[0]), a, a+1), slices.Delete(slices.Clone(in[1]), b, b+1))
	if len(out) == 0 {
		out = Shape{1}
	}
	return Spec{Output: out}, nil
}

// Call implements Layer.
func (l Dot) Call(_ *Context, x *tensor.Node) *tensor.Node { return x }

// CallAll implements Multi.
func (l Dot) CallAll(_ *Context, in []*tensor.Node) []*tensor.Node {
	var at [2]int
	x := slices.Clone(in)
	for i := range at {
		at[i] = l.Axes[i]
		if at[i] < 0 {
			at[i] += x[i].Rank()
		}
		if l.Normalize {
			length := graph.ReduceAndKeep(graph.Square(x[i]), graph.ReduceSum, at[i])
			x[i] = graph.Mul(x[i], ops.Rsqrt(graph.MaxScalar(length, 1e-12)))
		}
	}
	y := graph.EinsumAxes(x[0], x[1], [][2]int{at}, [][2]int{{0, 0}})
	if y.Rank() == 1 {
		y = graph.InsertAxes(y, -1)
	}
	return []*tensor.Node{y}
}

// ONNX implements build.Layer.
func (l Concatenate) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	axis := l.Axis
	if axis == 0 {
		axis = -1
	}
	return []string{g.Op("Concat", c.In, build.Attr{Name: "axis", Value: axis})}, nil
}
