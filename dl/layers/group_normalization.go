package layers

import (
	"slices"

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
	config.Register(GroupNormalization{}, UnitNormalization{})
}

// GroupNormalization scales groups of channels of each example to mean 0 and
// variance 1.
//
// Input shape: any. Output shape: the input's.
//
// Source: Wu and He, 2018 (arXiv:1803.08494);
// https://keras.io/api/layers/normalization_layers/group_normalization/
type GroupNormalization struct {
	// Groups is their number, which must divide the channels; 0 means 32, −1 as
	// many as there are channels.
	Groups int `zero:"32"`
	// Axis is that of the channels, counted with the batch; 0 means −1.
	Axis int
	// Epsilon is ε; 0 means 0.001.
	Epsilon float64 `zero:"0.001"`
	// NoCenter leaves β out, NoScale γ.
	NoCenter bool `keras:"center,not"`
	NoScale  bool `keras:"scale,not"`
	// BetaInitializer starts β, nil is Zeros; GammaInitializer γ, nil is Ones.
	BetaInitializer, GammaInitializer initializers.Initializer
	BetaRegularizer, GammaRegularizer regularizers.Regularizer
	BetaConstraint, GammaConstraint   constraints.Constraint
	Name                              string
}

func (l GroupNormalization) groups(channels int) int {
	if l.Groups == -1 {
		return channels
	}
	return orInt(l.Groups, 32)
}

// Build implements Layer.
func (l GroupNormalization) Build(in Shape) (Spec, error) {
	axis, err := axisOf("Axis", orInt(l.Axis, -1), in)
	if err = checked(err, wantEpsilon(l.Epsilon)); err != nil {
		return Spec{}, err
	}
	if g := l.groups(in[axis]); g < 1 || in[axis]%g != 0 {
		return Spec{}, misfit(in, "expected Groups to divide the input's %d channels, got %d", in[axis], g)
	}
	n := Shape{in[axis]}
	var w []Weight
	if !l.NoScale {
		w = append(w, Weight{Name: "gamma", Shape: n, Initializer: orInitializer(l.GammaInitializer, initializers.Ones{}), Regularizer: l.GammaRegularizer, Constraint: l.GammaConstraint})
	}
	if !l.NoCenter {
		w = append(w, Weight{Name: "beta", Shape: n, Initializer: orInitializer(l.BetaInitializer, initializers.Zeros{}), Regularizer: l.BetaRegularizer, Constraint: l.BetaConstraint})
	}
	return Spec{Output: in, Weights: w, KeepsMask: true}, nil
}

// Call implements Layer.
func (l GroupNormalization) Call(c *Context, x *tensor.Node) *tensor.Node {
	axis := graph.MustAdjustAxis(orInt(l.Axis, -1), x)
	d := x.Shape().Dimensions
	g := l.groups(d[axis])
	grouped := graph.Reshape(x, slices.Concat(d[:axis], []int{g, d[axis] / g}, d[axis+1:])...)
	mean, variance := moments(grouped, nil, otherAxes(grouped.Rank(), 0, axis))
	y := graph.Mul(graph.Sub(grouped, mean), ops.Rsqrt(graph.AddScalar(variance, orFloat(l.Epsilon, 1e-3))))
	y = graph.Reshape(y, d...)
	return graph.ConvertDType(scaleShift(c, y, !l.NoScale, !l.NoCenter, func(w *tensor.Node) *tensor.Node { return along(w, axis, x.Rank()) }), x.DType())
}

// UnitNormalization scales each example to length 1.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/normalization_layers/unit_normalization/
type UnitNormalization struct {
	// Axes are those along which the length is taken, counted with the batch;
	// nil means [−1].
	Axes []int `keras:"axis"`
	Name string
}

// Build implements Layer.
func (l UnitNormalization) Build(in Shape) (Spec, error) {
	_, err := LayerNormalization{Axes: l.Axes}.over(in)
	return same(in, err)
}

// Call implements Layer.
func (l UnitNormalization) Call(_ *Context, x *tensor.Node) *tensor.Node {
	over, err := LayerNormalization{Axes: l.Axes}.over(x.Shape().Dimensions[1:])
	if err != nil {
		panic(err)
	}
	length := graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, over...)
	return graph.Mul(x, ops.Rsqrt(graph.MaxScalar(length, 1e-12)))
}

// ONNX implements build.Layer.
func (l GroupNormalization) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	if err := onnxLastAxis(l.Axis, c); err != nil {
		return nil, err
	}
	shape, y := c.Shapes[0], c.In[0]
	rank, channels := len(shape)+1, shape[len(shape)-1]
	groups := l.groups(channels)
	if rank > 2 {
		y = onnxFirst(g, y, rank)
	}
	y = g.Op("Reshape", []string{y, g.Ints(0, groups, -1)})
	ones, zeros := make([]float32, groups), make([]float32, groups)
	for i := range ones {
		ones[i] = 1
	}
	y = g.Op("InstanceNormalization", []string{y, g.Floats(ones, groups), g.Floats(zeros, groups)},
		build.Attr{Name: "epsilon", Value: orFloat(l.Epsilon, 1e-3)})
	y = g.Op("Reshape", []string{y, g.Ints(append([]int{-1, channels}, shape[:len(shape)-1]...)...)})
	if rank > 2 {
		y = onnxLast(g, y, rank)
	}
	return onnxScaleShift(g, y, c.Weights), nil
}

// ONNX implements build.Layer.
func (l UnitNormalization) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	axis := -1
	if l.Axes != nil {
		axis = l.Axes[0]
	}
	if err := onnxLastAxis(axis, c); err != nil || len(l.Axes) > 1 {
		return nil, errOtherAxes
	}
	norm := g.Op("ReduceL2", []string{c.In[0], g.Ints(-1)})
	return []string{g.Op("Div", []string{c.In[0], g.Op("Max", []string{norm, g.Scalar(1e-6)})})}, nil
}
