package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(GlobalMaxPooling1D{}, GlobalMaxPooling2D{}, GlobalMaxPooling3D{}, GlobalAveragePooling1D{}, GlobalAveragePooling2D{}, GlobalAveragePooling3D{})
}

// GlobalMaxPooling1D takes the largest value of each channel.
//
// Input shape: (None, steps, channels).
// Output shape: (None, channels), or (None, 1, channels) with KeepDims.
//
// Source: https://keras.io/api/layers/pooling_layers/global_max_pooling1d/
type GlobalMaxPooling1D struct {
	KeepDims bool `keras:"keepdims"`
	Name     string
}

// GlobalMaxPooling2D takes the largest value of each channel.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, channels), or (None, 1, 1, channels) with KeepDims.
//
// Source: https://keras.io/api/layers/pooling_layers/global_max_pooling2d/
type GlobalMaxPooling2D struct {
	KeepDims bool `keras:"keepdims"`
	Name     string
}

// GlobalMaxPooling3D takes the largest value of each channel.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, channels), or (None, 1, 1, 1, channels) with KeepDims.
//
// Source: https://keras.io/api/layers/pooling_layers/global_max_pooling3d/
type GlobalMaxPooling3D struct {
	KeepDims bool `keras:"keepdims"`
	Name     string
}

// GlobalAveragePooling1D takes the mean of each channel, over the steps that the
// mask lets count.
//
// Input shape: (None, steps, channels).
// Output shape: (None, channels), or (None, 1, channels) with KeepDims.
//
// Source: https://keras.io/api/layers/pooling_layers/global_average_pooling1d/
type GlobalAveragePooling1D struct {
	KeepDims bool `keras:"keepdims"`
	Name     string
}

// GlobalAveragePooling2D takes the mean of each channel.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, channels), or (None, 1, 1, channels) with KeepDims.
//
// Source: https://keras.io/api/layers/pooling_layers/global_average_pooling2d/
type GlobalAveragePooling2D struct {
	KeepDims bool `keras:"keepdims"`
	Name     string
}

// GlobalAveragePooling3D takes the mean of each channel.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, channels), or (None, 1, 1, 1, channels) with KeepDims.
//
// Source: https://keras.io/api/layers/pooling_layers/global_average_pooling3d/
type GlobalAveragePooling3D struct {
	KeepDims bool `keras:"keepdims"`
	Name     string
}

// Build implements Layer.
func (l GlobalMaxPooling1D) Build(in Shape) (Spec, error) { return global(in, 1, l.KeepDims) }

// Build implements Layer.
func (l GlobalMaxPooling2D) Build(in Shape) (Spec, error) { return global(in, 2, l.KeepDims) }

// Build implements Layer.
func (l GlobalMaxPooling3D) Build(in Shape) (Spec, error) { return global(in, 3, l.KeepDims) }

// Build implements Layer.
func (l GlobalAveragePooling1D) Build(in Shape) (Spec, error) { return global(in, 1, l.KeepDims) }

// Build implements Layer.
func (l GlobalAveragePooling2D) Build(in Shape) (Spec, error) { return global(in, 2, l.KeepDims) }

// Build implements Layer.
func (l GlobalAveragePooling3D) Build(in Shape) (Spec, error) { return global(in, 3, l.KeepDims) }

// Call implements Layer.
func (l GlobalMaxPooling1D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return largest(x, l.KeepDims)
}

// Call implements Layer.
func (l GlobalMaxPooling2D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return largest(x, l.KeepDims)
}

// Call implements Layer.
func (l GlobalMaxPooling3D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return largest(x, l.KeepDims)
}

// Call implements Layer.
func (l GlobalAveragePooling1D) Call(c *Context, x *tensor.Node) *tensor.Node {
	mask := c.Mask()
	if mask == nil {
		return reduce(x, graph.ReduceMean, l.KeepDims)
	}
	m := graph.ConvertDType(graph.InsertAxes(mask, -1), x.DType())
	sum := reduce(graph.Mul(x, m), graph.ReduceSum, l.KeepDims)
	return graph.Div(sum, reduce(m, graph.ReduceSum, l.KeepDims))
}

// Call implements Layer.
func (l GlobalAveragePooling2D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return reduce(x, graph.ReduceMean, l.KeepDims)
}

// Call implements Layer.
func (l GlobalAveragePooling3D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return reduce(x, graph.ReduceMean, l.KeepDims)
}

func global(in Shape, n int, keep bool) (Spec, error) {
	if err := wantSpace(in, n); err != nil {
		return Spec{}, err
	}
	if keep {
		return Spec{Output: append(Shape(ones(make([]int, n))), in[n])}, nil
	}
	return Spec{Output: Shape{in[n]}}, nil
}

func reduce(x *tensor.Node, how func(*tensor.Node, ...int) *tensor.Node, keep bool) *tensor.Node {
	var space []int
	for i := 1; i < x.Rank()-1; i++ {
		space = append(space, i)
	}
	if keep {
		return graph.ReduceAndKeep(x, how, space...)
	}
	return how(x, space...)
}

// largest is the maximum over the axes in space. Where several values are equal
// they share the gradient, as in TensorFlow.
func largest(x *tensor.Node, keep bool) *tensor.Node {
	top := graph.StopGradient(graph.BroadcastToDims(reduce(x, graph.ReduceMax, true), x.Shape().Dimensions...))
	hit := graph.ConvertDType(graph.Equal(x, top), x.DType())
	part := graph.Div(hit, reduce(hit, graph.ReduceSum, true))
	return reduce(graph.Mul(x, part), graph.ReduceSum, keep)
}

// ONNX implements build.Layer.
func (l GlobalMaxPooling1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxGlobal(g, c, "ReduceMax", l.KeepDims), nil
}

// ONNX implements build.Layer.
func (l GlobalMaxPooling2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxGlobal(g, c, "ReduceMax", l.KeepDims), nil
}

// ONNX implements build.Layer.
func (l GlobalMaxPooling3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxGlobal(g, c, "ReduceMax", l.KeepDims), nil
}

// ONNX implements build.Layer.
func (l GlobalAveragePooling1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxGlobal(g, c, "ReduceMean", l.KeepDims), nil
}

// ONNX implements build.Layer.
func (l GlobalAveragePooling2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxGlobal(g, c, "ReduceMean", l.KeepDims), nil
}

// ONNX implements build.Layer.
func (l GlobalAveragePooling3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxGlobal(g, c, "ReduceMean", l.KeepDims), nil
}
