package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(Flatten{}, Reshape{}, Permute{}, RepeatVector{})
}

// Flatten makes one axis of all axes of an example, in row-major order.
//
// Input shape: (None, …). Output shape: (None, n).
//
// Source: https://keras.io/api/layers/reshaping_layers/flatten/
type Flatten struct {
	Name string
}

// Build implements Layer.
func (Flatten) Build(in Shape) (Spec, error) { return Spec{Output: Shape{in.Size()}}, nil }

// Call implements Layer.
func (Flatten) Call(_ *Context, x *tensor.Node) *tensor.Node {
	batch := x.Shape().Dimensions[0]
	return graph.Reshape(x, batch, x.Shape().Size()/batch)
}

// Reshape gives an example another shape of the same size.
//
// Input shape: any. Output shape: (None, TargetShape…).
//
// Source: https://keras.io/api/layers/reshaping_layers/reshape/
type Reshape struct {
	// TargetShape may have one axis of −1, which takes what is left.
	TargetShape []int
	Name        string
}

// Build implements Layer.
func (l Reshape) Build(in Shape) (Spec, error) {
	out, size, free := Shape(slices.Clone(l.TargetShape)), 1, -1
	for i, d := range out {
		switch {
		case d == -1 && free < 0:
			free = i
		case d < 1:
			return Spec{}, fmt.Errorf("expected a TargetShape of axes of at least 1, and at most one of -1, got %v", l.TargetShape)
		default:
			size *= d
		}
	}
	if free >= 0 && in.Size()%size == 0 {
		out[free] = in.Size() / size
	}
	if free >= 0 && out[free] == -1 || out.Size() != in.Size() {
		return Spec{}, misfit(in, "expected a TargetShape of %d values, as the input %v has, got %v", in.Size(), in, l.TargetShape)
	}
	return Spec{Output: out}, nil
}

// Call implements Layer.
func (l Reshape) Call(_ *Context, x *tensor.Node) *tensor.Node {
	dims := x.Shape().Dimensions
	spec, err := l.Build(dims[1:])
	if err != nil {
		panic(err)
	}
	return graph.Reshape(x, append([]int{dims[0]}, spec.Output...)...)
}

// Permute puts the axes of an example into another order.
//
// Input shape: any. Output shape: axis i is the input's axis Dims[i].
//
// Source: https://keras.io/api/layers/reshaping_layers/permute/
type Permute struct {
	// Dims counts axes from 1, without the batch: {2, 1} swaps two.
	Dims []int
	Name string
}

// Build implements Layer.
func (l Permute) Build(in Shape) (Spec, error) {
	sorted := slices.Sorted(slices.Values(l.Dims))
	for i, d := range sorted {
		if d != i+1 || len(sorted) != len(in) {
			return Spec{}, misfit(in, "expected Dims to hold each number from 1 to %d once, for the axes of input %v, got %v", len(in), in, l.Dims)
		}
	}
	if len(sorted) != len(in) {
		return Spec{}, misfit(in, "expected %d Dims for input %v, got none", len(in), in)
	}
	out := make(Shape, len(in))
	for i, d := range l.Dims {
		out[i] = in[d-1]
	}
	return Spec{Output: out}, nil
}

// Call implements Layer.
func (l Permute) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return graph.TransposeAllAxes(x, append([]int{0}, l.Dims...)...)
}

// RepeatVector repeats a vector N times along a new axis of time.
//
// Input shape: (None, features). Output shape: (None, N, features).
//
// Source: https://keras.io/api/layers/reshaping_layers/repeat_vector/
type RepeatVector struct {
	N    int
	Name string
}

// Build implements Layer.
func (l RepeatVector) Build(in Shape) (Spec, error) {
	if err := checked(wantPositive("N", l.N), wantRank(in, "features")); err != nil {
		return Spec{}, err
	}
	return Spec{Output: Shape{l.N, in[0]}}, nil
}

// Call implements Layer.
func (l RepeatVector) Call(_ *Context, x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	return graph.BroadcastToDims(graph.InsertAxes(x, 1), d[0], l.N, d[1])
}

// ONNX implements build.Layer.
func (Flatten) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Reshape", []string{c.In[0], g.Ints(append([]int{-1}, c.Out...)...)})}, nil
}

// ONNX implements build.Layer.
func (Reshape) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Reshape", []string{c.In[0], g.Ints(append([]int{-1}, c.Out...)...)})}, nil
}

// ONNX implements build.Layer.
func (l Permute) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Transpose", c.In[:1], build.Attr{Name: "perm", Value: append([]int{0}, l.Dims...)})}, nil
}

// ONNX implements build.Layer.
func (l RepeatVector) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Expand", []string{g.Op("Unsqueeze", []string{c.In[0], g.Ints(1)}), g.Ints(1, l.N, 1)})}, nil
}
