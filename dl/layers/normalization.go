package layers

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(LayerNormalization{}, RMSNormalization{})
}

// moments returns mean and variance over axes, of the steps that a mask, if there is
// one, lets count.
func moments(x, mask *tensor.Node, over []int) (mean, variance *tensor.Node) {
	if mask == nil {
		mean = graph.ReduceAndKeep(x, graph.ReduceMean, over...)
		return mean, graph.ReduceAndKeep(graph.Square(graph.Sub(x, mean)), graph.ReduceMean, over...)
	}
	m := graph.ConvertDType(mask, x.DType())
	for m.Rank() < x.Rank() {
		m = graph.InsertAxes(m, -1)
	}
	m = graph.BroadcastToDims(m, x.Shape().Dimensions...)
	n := graph.AddScalar(graph.ReduceAndKeep(m, graph.ReduceSum, over...), 1e-7)
	mean = graph.Div(graph.ReduceAndKeep(graph.Mul(x, m), graph.ReduceSum, over...), n)
	square := graph.Mul(graph.Square(graph.Sub(x, mean)), m)
	return mean, graph.Div(graph.ReduceAndKeep(square, graph.ReduceSum, over...), n)
}

// scaleShift multiplies by the weight gamma and adds beta, both given their shape by at.
func scaleShift(c *Context, y *tensor.Node, scale, shift bool, at func(w *tensor.Node) *tensor.Node) *tensor.Node {
	if scale {
		y = graph.Mul(y, at(graph.ConvertDType(c.Variable("gamma"), y.DType())))
	}
	if shift {
		y = graph.Add(y, at(graph.ConvertDType(c.Variable("beta"), y.DType())))
	}
	return y
}

// along gives a vector the shape to be combined with a tensor along an axis.
func along(w *tensor.Node, axis, rank int) *tensor.Node {
	dims := ones(make([]int, rank))
	dims[axis] = w.Shape().Size()
	return graph.Reshape(w, dims...)
}

func otherAxes(rank int, without ...int) []int {
	var all []int
	for i := range rank {
		if !slices.Contains(without, i) {
			all = append(all, i)
		}
	}
	return all
}

// LayerNormalization scales each example to mean 0 and variance 1.
//
//	y = γ (x − μ)/√(σ² + ε) + β
//
// Input shape: any. Output shape: the input's.
//
// Source: Ba et al., 2016 (arXiv:1607.06450);
// https://keras.io/api/layers/normalization_layers/layer_normalization/
type LayerNormalization struct {
	// Axes are those over which mean and variance are taken, counted with the
	// batch; nil means [−1]. γ and β have their shape.
	Axes []int `keras:"axis"`
	// Epsilon is ε; 0 means 0.001.
	Epsilon float64 `zero:"0.001"`
	// NoCenter leaves β out, NoScale γ.
	NoCenter bool `keras:"center,not"`
	NoScale  bool `keras:"scale,not"`
	// RMSScaling divides by the root of the mean square and leaves μ and β out.
	RMSScaling bool `keras:"rms_scaling"`
	// BetaInitializer starts β, nil is Zeros; GammaInitializer γ, nil is Ones.
	BetaInitializer, GammaInitializer initializers.Initializer
	BetaRegularizer, GammaRegularizer regularizers.Regularizer
	BetaConstraint, GammaConstraint   constraints.Constraint
	Name                              string
}

// Build implements Layer.
func (l LayerNormalization) Build(in Shape) (Spec, error) {
	over, err := l.over(in)
	if err = checked(err, wantEpsilon(l.Epsilon)); err != nil {
		return Spec{}, err
	}
	var shape Shape
	for _, a := range over {
		shape = append(shape, in[a-1])
	}
	var w []Weight
	if !l.NoScale || l.RMSScaling {
		w = append(w, Weight{Name: "gamma", Shape: shape, Initializer: orInitializer(l.GammaInitializer, initializers.Ones{}), Regularizer: l.GammaRegularizer, Constraint: l.GammaConstraint})
	}
	if !l.NoCenter && !l.RMSScaling {
		w = append(w, Weight{Name: "beta", Shape: shape, Initializer: orInitializer(l.BetaInitializer, initializers.Zeros{}), Regularizer: l.BetaRegularizer, Constraint: l.BetaConstraint})
	}
	return Spec{Output: in, Weights: w, KeepsMask: true}, nil
}

// over are the axes, counted with the batch, in order.
func (l LayerNormalization) over(in Shape) ([]int, error) {
	list := l.Axes
	if list == nil {
		list = []int{-1}
	}
	var all []int
	for _, a := range list {
		at, err := axisOf("Axes", a, in)
		if err != nil {
			return nil, err
		}
		all = append(all, at+1)
	}
	slices.Sort(all)
	return all, nil
}

// Call implements Layer.
func (l LayerNormalization) Call(c *Context, x *tensor.Node) *tensor.Node {
	over, err := l.over(x.Shape().Dimensions[1:])
	if err != nil {
		panic(err)
	}
	wide := x
	if x.DType() != dtypes.Float64 {
		wide = graph.ConvertDType(x, dtypes.Float32)
	}
	epsilon := orFloat(l.Epsilon, 1e-3)
	dims := ones(make([]int, x.Rank()))
	for _, a := range over {
		dims[a] = x.Shape().Dimensions[a]
	}
	at := func(w *tensor.Node) *tensor.Node { return graph.Reshape(w, dims...) }
	if l.RMSScaling {
		square := graph.ReduceAndKeep(graph.Square(wide), graph.ReduceMean, over...)
		y := graph.Mul(wide, ops.Rsqrt(graph.AddScalar(square, epsilon)))
		return graph.ConvertDType(scaleShift(c, y, true, false, at), x.DType())
	}
	mean, variance := moments(wide, nil, over)
	y := graph.Mul(graph.Sub(wide, mean), ops.Rsqrt(graph.AddScalar(variance, epsilon)))
	return graph.ConvertDType(scaleShift(c, y, !l.NoScale, !l.NoCenter, at), x.DType())
}

// RMSNormalization divides each example by the root of its mean square.
//
//	y = s x / √(mean(x²) + ε)
//
// Input shape: any. Output shape: the input's.
//
// Source: Zhang and Sennrich, 2019 (arXiv:1910.07467).
type RMSNormalization struct {
	// Axis is that over which the mean is taken, counted with the batch; 0
	// means −1.
	Axis int
	// Epsilon is ε; 0 means 1e-6.
	Epsilon float64 `zero:"1e-6"`
	Name    string
}

// Build implements Layer.
func (l RMSNormalization) Build(in Shape) (Spec, error) {
	axis, err := axisOf("Axis", orInt(l.Axis, -1), in)
	if err = checked(err, wantEpsilon(l.Epsilon)); err != nil {
		return Spec{}, err
	}
	return Spec{Output: in, KeepsMask: true, Weights: []Weight{{Name: "scale", Shape: Shape{in[axis]}, Initializer: initializers.Ones{}}}}, nil
}

// Call implements Layer.
func (l RMSNormalization) Call(c *Context, x *tensor.Node) *tensor.Node {
	axis := graph.MustAdjustAxis(orInt(l.Axis, -1), x)
	square := graph.ReduceAndKeep(graph.Square(x), graph.ReduceMean, axis)
	y := graph.Mul(x, ops.Rsqrt(graph.AddScalar(square, orFloat(l.Epsilon, 1e-6))))
	return graph.Mul(y, along(c.Weight("scale"), axis, x.Rank()))
}

func wantFraction(field string, v float64) error {
	if !(v >= 0 && v < 1) {
		return fmt.Errorf("expected %s in [0, 1) (0 is the default), got %g", field, v)
	}
	return nil
}

func wantEpsilon(v float64) error {
	if !(v >= 0) {
		return fmt.Errorf("expected Epsilon above 0 (or 0 for the default), got %g", v)
	}
	return nil
}

// orFloat is v, or def where v is 0.
func orFloat(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}

// ONNX implements build.Layer.
func (l LayerNormalization) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	axis := -1
	if l.Axes != nil {
		axis = l.Axes[0]
	}
	if err := onnxLastAxis(axis, c); err != nil || len(l.Axes) > 1 {
		return nil, errOtherAxes
	}
	x := c.In[0]
	y := x
	if !l.RMSScaling {
		y = g.Op("Sub", []string{x, g.Op("ReduceMean", []string{x, g.Ints(-1)})})
	}
	y = g.Op("Div", []string{y, onnxRoot(g, y, orFloat(l.Epsilon, 1e-3))})
	return onnxScaleShift(g, y, c.Weights), nil
}

// ONNX implements build.Layer.
func (l RMSNormalization) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	if err := onnxLastAxis(l.Axis, c); err != nil {
		return nil, err
	}
	y := g.Op("Div", []string{c.In[0], onnxRoot(g, c.In[0], orFloat(l.Epsilon, 1e-6))})
	return onnxScaleShift(g, y, c.Weights), nil
}

var errOtherAxes = errors.New("along other axes than the last it has no counterpart in ONNX here")

// onnxLastAxis reports an axis, counted with the batch, that is not the last.
func onnxLastAxis(axis int, c build.Call) error {
	if axis == 0 || axis == -1 || axis == len(c.Shapes[0]) {
		return nil
	}
	return errOtherAxes
}

// onnxRoot is √(mean of squares + ε) over the last axis.
func onnxRoot(g *build.Graph, y string, epsilon float64) string {
	square := g.Op("ReduceMean", []string{g.Op("Mul", []string{y, y}), g.Ints(-1)})
	return g.Op("Sqrt", []string{g.Op("Add", []string{square, g.Scalar(epsilon)})})
}

// onnxScaleShift is y·γ + β, of those that there are: the weights are γ and β, or one of
// them, which its name tells.
func onnxScaleShift(g *build.Graph, y string, w []build.Array) []string {
	for _, a := range w {
		op := "Mul"
		if a.Name == "beta" {
			op = "Add"
		}
		y = g.Op(op, []string{y, g.Array(a)})
	}
	return []string{y}
}
