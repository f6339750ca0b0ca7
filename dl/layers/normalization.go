package layers

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/regularizers"
)

// BatchNormalization scales each channel to mean 0 and variance 1: those of the
// batch while training, and of all batches seen, with more weight on the last,
// afterwards.
//
//	y = γ (x − μ)/√(σ² + ε) + β
//
// Input shape: any. Output shape: the input's. A frozen layer uses what it has
// seen, also while training.
//
// Source: Ioffe and Szegedy, 2015 (arXiv:1502.03167);
// https://keras.io/api/layers/normalization_layers/batch_normalization/
type BatchNormalization struct {
	// Axis is that of the channels, counted with the batch; 0 means −1.
	Axis int
	// Momentum is the part of the running mean and variance that stays in a
	// step; 0 means 0.99.
	Momentum float64 `zero:"0.99"`
	// Epsilon is ε; 0 means 0.001.
	Epsilon float64 `zero:"0.001"`
	// NoCenter leaves β out, NoScale γ.
	NoCenter bool `keras:"center,not"`
	NoScale  bool `keras:"scale,not"`
	// BetaInitializer starts β, nil is Zeros; GammaInitializer γ, nil is Ones.
	BetaInitializer, GammaInitializer initializers.Initializer
	// MovingMeanInitializer and MovingVarianceInitializer start the running
	// means; nil is Zeros and Ones.
	MovingMeanInitializer, MovingVarianceInitializer initializers.Initializer
	BetaRegularizer, GammaRegularizer                regularizers.Regularizer
	BetaConstraint, GammaConstraint                  constraints.Constraint
	Name                                             string
}

// ReadConfig implements config.Reader.
func (*BatchNormalization) ReadConfig(c map[string]any) error {
	if c["renorm"] != true {
		delete(c, "renorm_momentum")
	}
	return nil
}

// Build implements Layer.
func (l BatchNormalization) Build(in Shape) (Spec, error) {
	axis, err := axisOf("Axis", orInt(l.Axis, -1), in)
	if err = checked(err, wantFraction("Momentum", l.Momentum), wantEpsilon(l.Epsilon)); err != nil {
		return Spec{}, err
	}
	n := Shape{in[axis]}
	var w []Weight
	if !l.NoScale {
		w = append(w, Weight{Name: "gamma", Shape: n, Initializer: orInitializer(l.GammaInitializer, initializers.Ones{}), Regularizer: l.GammaRegularizer, Constraint: l.GammaConstraint})
	}
	if !l.NoCenter {
		w = append(w, Weight{Name: "beta", Shape: n, Initializer: orInitializer(l.BetaInitializer, initializers.Zeros{}), Regularizer: l.BetaRegularizer, Constraint: l.BetaConstraint})
	}
	return Spec{Output: in, KeepsMask: true, Weights: append(w,
		Weight{Name: "moving_mean", Shape: n, Initializer: orInitializer(l.MovingMeanInitializer, initializers.Zeros{}), NonTrainable: true},
		Weight{Name: "moving_variance", Shape: n, Initializer: orInitializer(l.MovingVarianceInitializer, initializers.Ones{}), NonTrainable: true},
	)}, nil
}

// Call implements Layer.
func (l BatchNormalization) Call(c *Context, x *graph.Node) *graph.Node {
	axis := graph.MustAdjustAxis(orInt(l.Axis, -1), x)
	wide := x
	if x.DType() != dtypes.Float64 {
		wide = graph.ConvertDType(x, dtypes.Float32)
	}
	moving := func(name string) *graph.Node {
		return along(graph.ConvertDType(c.Variable(name), wide.DType()), axis, x.Rank())
	}
	mean, variance := moving("moving_mean"), moving("moving_variance")
	if c.Training && c.Trainable {
		rest := otherAxes(x.Rank(), axis)
		mean, variance = moments(wide, c.Mask(), rest)
		momentum := orFloat(l.Momentum, 0.99)
		for name, value := range map[string]*graph.Node{"moving_mean": mean, "moving_variance": variance} {
			old := c.Variable(name)
			now := graph.StopGradient(graph.ConvertDType(graph.Reshape(value, old.Shape().Dimensions...), old.DType()))
			c.Update(name, graph.Add(graph.MulScalar(old, momentum), graph.MulScalar(now, 1-momentum)))
		}
	}
	y := graph.Mul(graph.Sub(wide, mean), ops.Rsqrt(graph.AddScalar(variance, orFloat(l.Epsilon, 1e-3))))
	return graph.ConvertDType(scaleShift(c, y, !l.NoScale, !l.NoCenter, func(w *graph.Node) *graph.Node { return along(w, axis, x.Rank()) }), x.DType())
}

// moments returns mean and variance over axes, of the steps that a mask, if there is
// one, lets count.
func moments(x, mask *graph.Node, over []int) (mean, variance *graph.Node) {
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
func scaleShift(c *Context, y *graph.Node, scale, shift bool, at func(w *graph.Node) *graph.Node) *graph.Node {
	if scale {
		y = graph.Mul(y, at(graph.ConvertDType(c.Variable("gamma"), y.DType())))
	}
	if shift {
		y = graph.Add(y, at(graph.ConvertDType(c.Variable("beta"), y.DType())))
	}
	return y
}

// along gives a vector the shape to be combined with a tensor along an axis.
func along(w *graph.Node, axis, rank int) *graph.Node {
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
func (l LayerNormalization) Call(c *Context, x *graph.Node) *graph.Node {
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
	at := func(w *graph.Node) *graph.Node { return graph.Reshape(w, dims...) }
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
func (l RMSNormalization) Call(c *Context, x *graph.Node) *graph.Node {
	axis := graph.MustAdjustAxis(orInt(l.Axis, -1), x)
	square := graph.ReduceAndKeep(graph.Square(x), graph.ReduceMean, axis)
	y := graph.Mul(x, ops.Rsqrt(graph.AddScalar(square, orFloat(l.Epsilon, 1e-6))))
	return graph.Mul(y, along(c.Weight("scale"), axis, x.Rank()))
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
		return Spec{}, fmt.Errorf("expected Groups to divide the input's %d channels, got %d", in[axis], g)
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
func (l GroupNormalization) Call(c *Context, x *graph.Node) *graph.Node {
	axis := graph.MustAdjustAxis(orInt(l.Axis, -1), x)
	d := x.Shape().Dimensions
	g := l.groups(d[axis])
	grouped := graph.Reshape(x, slices.Concat(d[:axis], []int{g, d[axis] / g}, d[axis+1:])...)
	mean, variance := moments(grouped, nil, otherAxes(grouped.Rank(), 0, axis))
	y := graph.Mul(graph.Sub(grouped, mean), ops.Rsqrt(graph.AddScalar(variance, orFloat(l.Epsilon, 1e-3))))
	y = graph.Reshape(y, d...)
	return graph.ConvertDType(scaleShift(c, y, !l.NoScale, !l.NoCenter, func(w *graph.Node) *graph.Node { return along(w, axis, x.Rank()) }), x.DType())
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
func (l UnitNormalization) Call(_ *Context, x *graph.Node) *graph.Node {
	over, err := LayerNormalization{Axes: l.Axes}.over(x.Shape().Dimensions[1:])
	if err != nil {
		panic(err)
	}
	length := graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, over...)
	return graph.Mul(x, ops.Rsqrt(graph.MaxScalar(length, 1e-12)))
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
