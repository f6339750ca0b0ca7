package layers

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(SpectralNormalization{}) }

// SpectralNormalization divides a layer's kernel W by its largest singular value σ before each
// step of training, so that the layer does not make differences of its input larger:
//
//	v = uWᵀ / |uWᵀ|,  u = vW / |vW|   PowerIterations times
//	W = W / (vWuᵀ)
//
// where W is the kernel with all but its last axis as rows. u is kept from step to step. As in
// Keras on TensorFlow the quotient takes the place of the kernel and the step goes on from there;
// Keras on JAX forgets the quotient after the step.
//
// Input and output shape: the layer's.
//
// Source: Miyato et al., 2018 (arXiv:1802.05957);
// https://keras.io/api/layers/normalization_layers/spectral_normalization/
type SpectralNormalization struct {
	// Layer is one with a kernel, such as Dense and Conv2D, or an Embedding.
	Layer Layer
	// PowerIterations is how often u is made better in a step; 0 means 1.
	PowerIterations int `zero:"1"`
	Name            string
}

// Build implements Layer.
func (l SpectralNormalization) Build(in Shape) (Spec, error) {
	if l.Layer == nil {
		return Spec{}, errors.New("expected a Layer, got nil")
	}
	if l.PowerIterations < 0 {
		return Spec{}, fmt.Errorf("expected PowerIterations of at least 1 (or 0, which means it), got %d", l.PowerIterations)
	}
	inner, err := l.Layer.Build(in)
	if err != nil {
		return Spec{}, fmt.Errorf("Layer: %w", err)
	}
	kernel, err := kernelOf(inner)
	if err != nil {
		return Spec{}, err
	}
	columns := kernel.Shape[len(kernel.Shape)-1]
	s := Spec{Output: inner.Output, Outputs: inner.Outputs, KeepsMask: inner.KeepsMask, AnyType: inner.AnyType}
	s.Include("layer", inner)
	// Keras counts u behind the kernel.
	at := 1 + slices.IndexFunc(inner.Weights, func(w Weight) bool { return w.Name == kernel.Name })
	u := Weight{Name: "vector_u", Shape: Shape{1, columns}, Initializer: initializers.TruncatedNormal{Stddev: 0.02}, NonTrainable: true}
	s.Weights = slices.Insert(s.Weights, at, u)
	return s, nil
}

// kernelOf is the weight of a layer that its input is multiplied by.
func kernelOf(s Spec) (Weight, error) {
	for _, name := range []string{"kernel", "embeddings"} {
		if i := slices.IndexFunc(s.Weights, func(w Weight) bool { return w.Name == name }); i >= 0 {
			return s.Weights[i], nil
		}
	}
	return Weight{}, errors.New("expected a Layer with a weight called kernel or embeddings, got one without")
}

// Call implements Layer.
func (l SpectralNormalization) Call(c *Context, x *tensor.Node) *tensor.Node {
	inner, err := l.Layer.Build(x.Shape().Dimensions[1:])
	if err != nil {
		panic(err)
	}
	run := *c
	if c.Training {
		kernel, err := kernelOf(inner)
		if err != nil {
			panic(err)
		}
		name := "layer/" + kernel.Name
		w := c.Variable(name)
		u, divided := l.divided(w, c.Variable("vector_u"))
		c.Update("vector_u", u)
		c.Update(name, divided)
		// The gradient is that by the quotient, as if it had been the kernel all along.
		run.weights = maps.Clone(c.weights)
		run.weights[c.prefix+name] = graph.Add(divided, graph.Sub(w, graph.StopGradient(w)))
	}
	out, mask := run.Run("layer", l.Layer, inner, []*tensor.Node{x}, []*tensor.Node{c.Mask()})
	c.SetMask(mask)
	return out[0]
}

// divided is a kernel over its largest singular value, and the u that found it. Of a kernel that
// is all 0 both stay as they are.
func (l SpectralNormalization) divided(kernel, before *tensor.Node) (u, w *tensor.Node) {
	d := kernel.Shape().Dimensions
	columns := d[len(d)-1]
	rows := graph.Reshape(graph.StopGradient(kernel), -1, columns)
	unit := func(x *tensor.Node) *tensor.Node {
		length := graph.Sqrt(graph.ReduceAllSum(graph.Square(x)))
		return graph.Div(x, graph.MaxScalar(length, 1e-12))
	}
	u = before
	var v *tensor.Node
	for range orInt(l.PowerIterations, 1) {
		v = unit(graph.MatMul(u, graph.Transpose(rows, 0, 1)))
		u = unit(graph.MatMul(v, rows))
	}
	sigma := graph.MatMul(graph.MatMul(v, rows), graph.Transpose(u, 0, 1))
	zero := graph.Equal(graph.ReduceAllMax(graph.Abs(rows)), graph.ScalarZero(rows.Graph(), rows.DType()))
	pick := func(yes, no *tensor.Node) *tensor.Node {
		return graph.Where(graph.BroadcastToDims(zero, yes.Shape().Dimensions...), yes, no)
	}
	w = graph.Reshape(pick(rows, graph.Div(rows, sigma)), d...)
	return graph.StopGradient(pick(before, u)), w
}

// KerasPath implements KerasPather.
func (l SpectralNormalization) KerasPath(weight string) string {
	if weight == "vector_u" {
		return "/vars/1" // vars/0 is the kernel once more
	}
	return TimeDistributed{Layer: l.Layer}.KerasPath(weight)
}

// ONNX implements build.Layer: outside training the layer is the one within.
func (l SpectralNormalization) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	inner, ok := config.As[build.Layer](l.Layer)
	if !ok {
		return nil, errNoONNX
	}
	spec, err := l.Build(c.Shapes[0])
	if err != nil {
		return nil, err
	}
	u := slices.IndexFunc(spec.Weights, func(w Weight) bool { return w.Name == "vector_u" })
	c.Weights = slices.Delete(slices.Clone(c.Weights), u, u+1)
	return inner.ONNX(g, c)
}
