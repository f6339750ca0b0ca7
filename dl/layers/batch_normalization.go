package layers

import (
	"errors"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/mpi"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(BatchNormalization{})
	config.Reads(readBatchNormalization)
}

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

// readBatchNormalization reads a configuration of Keras.
func readBatchNormalization(_ *BatchNormalization, c map[string]any) error {
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
func (l BatchNormalization) Call(c *Context, x *tensor.Node) *tensor.Node {
	axis := graph.MustAdjustAxis(orInt(l.Axis, -1), x)
	wide := x
	if x.DType() != dtypes.Float64 {
		wide = graph.ConvertDType(x, dtypes.Float32)
	}
	moving := func(name string) *tensor.Node {
		return along(graph.ConvertDType(c.Variable(name), wide.DType()), axis, x.Rank())
	}
	mean, variance := moving("moving_mean"), moving("moving_variance")
	if c.Training && c.Trainable {
		var y *tensor.Node
		if y, mean, variance = l.fused(c, x, axis); y == nil {
			mean, variance = moments(wide, c.Mask(), otherAxes(x.Rank(), axis))
			mean, variance = overProcesses(mean, variance, c.Mask())
		}
		momentum := orFloat(l.Momentum, 0.99)
		for i, value := range []*tensor.Node{mean, variance} { // in order: the same program each time
			name := []string{"moving_mean", "moving_variance"}[i]
			old := c.Variable(name)
			now := graph.StopGradient(graph.ConvertDType(graph.Reshape(value, old.Shape().Dimensions...), old.DType()))
			c.Update(name, graph.Add(graph.MulScalar(old, momentum), graph.MulScalar(now, 1-momentum)))
		}
		if y != nil {
			return y
		}
	}
	if y := l.behind(c, x, axis); y != nil {
		return y
	}
	y := graph.Mul(graph.Sub(wide, mean), ops.Rsqrt(graph.AddScalar(variance, orFloat(l.Epsilon, 1e-3))))
	return graph.ConvertDType(scaleShift(c, y, !l.NoScale, !l.NoCenter, func(w *tensor.Node) *tensor.Node { return along(w, axis, x.Rank()) }), x.DType())
}

// behind is the normalization by what was learned, in one kernel with the convolution that x is; nil if it is none, or
// there are no kernels.
func (l BatchNormalization) behind(c *Context, x *tensor.Node, axis int) *tensor.Node {
	if c.Training || axis != x.Rank()-1 || x.DType() != dtypes.Float32 || c.pass.Shared(x) {
		return nil
	}
	factor := ops.Rsqrt(graph.AddScalar(c.Variable("moving_variance"), orFloat(l.Epsilon, 1e-3)))
	if !l.NoScale {
		factor = graph.Mul(factor, c.Variable("gamma"))
	}
	shift := graph.Neg(graph.Mul(c.Variable("moving_mean"), factor))
	if !l.NoCenter {
		shift = graph.Add(shift, c.Variable("beta"))
	}
	return ops.Scaled(x, factor, shift)
}

// overProcesses are the mean and the variance of a batch of which each process has a share.
func overProcesses(mean, variance, mask *tensor.Node) (_, _ *tensor.Node) {
	share := mpi.ShareIn(mean.Graph())
	if share == nil {
		return mean, variance
	}
	if mask != nil {
		panic(errors.New("a BatchNormalization with a mask is not supported by several processes"))
	}
	share = graph.ConvertDType(share, mean.DType())
	all := ops.MeanOfProcesses(mean, share)
	return all, ops.MeanOfProcesses(graph.Add(variance, graph.Square(graph.Sub(mean, all))), share)
}

// fused is the normalization by kernels, nil where there are none.
func (l BatchNormalization) fused(c *Context, x *tensor.Node, axis int) (y, mean, variance *tensor.Node) {
	if c.Mask() != nil || axis != x.Rank()-1 || mpi.ShareIn(x.Graph()) != nil {
		return nil, nil, nil
	}
	var gamma, beta *tensor.Node
	if !l.NoScale {
		gamma = c.Variable("gamma")
	}
	if !l.NoCenter {
		beta = c.Variable("beta")
	}
	wide := x
	if x.DType() == dtypes.BFloat16 {
		wide = graph.ConvertDType(x, dtypes.Float32)
	}
	if y, mean, variance = ops.BatchNorm(wide, gamma, beta, orFloat(l.Epsilon, 1e-3)); y != nil && wide != x {
		y = graph.ConvertDType(y, x.DType())
	}
	return y, mean, variance
}

// ONNX implements build.Layer: mean and variance are constants there.
func (l BatchNormalization) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	if err := onnxLastAxis(l.Axis, c); err != nil {
		return nil, err
	}
	w := c.Weights
	n := w[len(w)-1].Dims[0]
	mean, variance := w[len(w)-2].Values, w[len(w)-1].Values
	factor, shift := make([]float32, n), make([]float32, n)
	for i := range n {
		factor[i] = float32(1 / math.Sqrt(float64(variance[i])+orFloat(l.Epsilon, 1e-3)))
	}
	if !l.NoScale {
		for i, g := range w[0].Values {
			factor[i] *= g
		}
		w = w[1:]
	}
	for i := range n {
		shift[i] = -mean[i] * factor[i]
	}
	if !l.NoCenter {
		for i, b := range w[0].Values {
			shift[i] += b
		}
	}
	return []string{g.Op("Add", []string{g.Op("Mul", []string{c.In[0], g.Floats(factor, n)}), g.Floats(shift, n)})}, nil
}
