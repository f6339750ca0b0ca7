package layers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(Dense{})
}

// Dense connects each input with each unit: y = f(x·W + b), where unit j is
// a_j = f(Σᵢ w_ij a_i + b_j).
//
// Input shape: (None, …, n). Output shape: (None, …, Units).
//
// Source: https://keras.io/api/layers/core_layers/dense/
type Dense struct {
	// Units is the number of outputs.
	Units int
	// Activation is f; nil is linear.
	Activation activations.Activation
	// NoBias leaves b out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts W, of shape [n, Units]; nil is GlorotUniform.
	KernelInitializer initializers.Initializer
	// BiasInitializer starts b, of shape [Units]; nil is Zeros.
	BiasInitializer initializers.Initializer
	// What keeps weights and output small; nil is nothing.
	KernelRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, BiasConstraint                        constraints.Constraint
	Name                                                    string
}

func (l Dense) reg() regularization {
	return regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint}
}

// Build implements Layer.
func (l Dense) Build(in Shape) (Spec, error) {
	if err := wantPositive("Units", l.Units); err != nil {
		return Spec{}, err
	}
	if len(in) == 0 {
		return Spec{}, misfit(in, "expected input of shape (None, …, features), got %v", in)
	}
	last := len(in) - 1
	return Spec{
		Output:    append(append(Shape{}, in[:last]...), l.Units),
		Weights:   l.reg().withBias([]Weight{l.reg().kernel("kernel", l.KernelInitializer, in[last], l.Units)}, l.NoBias, l.Units, l.BiasInitializer),
		KeepsMask: true,
	}, nil
}

// Call implements Layer.
func (l Dense) Call(c *Context, x *tensor.Node) *tensor.Node {
	if y := l.inferred(c, x); y != nil {
		return l.reg().activity(c, y)
	}
	y := matMul(x, c.Weight("kernel"))
	return l.reg().activity(c, activate(c, l.Activation, addBias(c, l.NoBias, y)))
}

// inferred is the layer by a kernel, as a convolution of rows with a window of one place, where it is not trained; nil
// where there is none.
func (l Dense) inferred(c *Context, x *tensor.Node) *tensor.Node {
	w, d := c.Weight("kernel"), x.Shape().Dimensions
	if c.Training || len(d) < 2 || w.DType() != x.DType() || x.Shape().Size() == 0 {
		return nil
	}
	n := d[len(d)-1]
	bias := biasOf(c, l.NoBias)
	y := inferred(c, graph.Reshape(x, 1, x.Shape().Size()/n, n), graph.InsertAxes(w, 0), bias, []int{1}, []int{1}, Valid, 1)
	if y == nil {
		return nil
	}
	return activateAs(c, l.Activation, y, append(append([]int{}, d[:len(d)-1]...), l.Units)...)
}

// matMul multiplies [batch, …, n] by [n, m]: as one product of matrices, which is
// faster than many small ones.
func matMul(x, w *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	if len(d) == 2 {
		return graph.MatMul(x, w)
	}
	n, m := w.Shape().Dimensions[0], w.Shape().Dimensions[1]
	y := graph.MatMul(graph.Reshape(x, x.Shape().Size()/n, n), w)
	return graph.Reshape(y, append(append([]int{}, d[:len(d)-1]...), m)...)
}

// biasOf is the bias of a layer; nil if it has none.
func biasOf(c *Context, noBias bool) *tensor.Node {
	if noBias {
		return nil
	}
	return c.Weight("bias")
}

func addBias(c *Context, noBias bool, y *tensor.Node) *tensor.Node {
	if noBias {
		return y
	}
	return graph.Add(y, graph.ExpandLeftToRank(c.Weight("bias"), y.Rank()))
}

// ONNX implements build.Layer.
func (l Dense) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxActivated(g, onnxBias(g, g.Op("MatMul", []string{c.In[0], g.Array(c.Weights[0])}), c.Weights[1:]), l.Activation)
}
