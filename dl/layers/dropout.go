package layers

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(Dropout{}, SpatialDropout1D{}, SpatialDropout2D{}, SpatialDropout3D{}, GaussianNoise{}, GaussianDropout{}, AlphaDropout{})
	config.Reads(func(_ *Dropout, config map[string]any) error {
		if shape, ok := config["noise_shape"].([]any); ok {
			shape = slices.Clone(shape)
			for i, n := range shape {
				if n == nil { // as long as the input's
					shape[i] = 0.0
				}
			}
			config["noise_shape"] = shape
		}
		return nil
	})
}

// Dropout sets a part of its input to 0 while training, another one in each
// step, and scales the rest by 1/(1 − Rate) so that its sum is the same in the
// mean. Outside training it passes its input on.
//
// Input shape: any. Output shape: the input's.
//
// Source: Srivastava et al., 2014; https://keras.io/api/layers/regularization_layers/dropout/
type Dropout struct {
	// Rate is the part that is dropped, in [0, 1).
	Rate float64
	// NoiseShape is the shape of the choice, with the batch first: an axis of 1
	// is dropped or kept as a whole, one of 0 is as long as the input's. nil
	// chooses for each value.
	NoiseShape []int
	Name       string
}

// Build implements Layer.
func (l Dropout) Build(in Shape) (Spec, error) {
	if l.NoiseShape != nil && len(l.NoiseShape) != len(in)+1 {
		return Spec{}, misfit(in, "expected a NoiseShape of %d axes for input %v, got %v", len(in)+1, in, l.NoiseShape)
	}
	return same(in, wantRate(l.Rate))
}

// Call implements Layer.
func (l Dropout) Call(c *Context, x *tensor.Node) *tensor.Node {
	if l.NoiseShape == nil {
		return drop(c, x, l.Rate, x.Shape().Dimensions)
	}
	return drop(c, x, l.Rate, orEach(l.NoiseShape, x.Shape().Dimensions))
}

// SpatialDropout1D drops whole channels of a sequence.
//
// Input shape: (None, steps, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/regularization_layers/spatial_dropout1d/
type SpatialDropout1D struct {
	// Rate is the part that is dropped, in [0, 1).
	Rate float64
	Name string
}

// SpatialDropout2D drops whole channels of an image.
//
// Input shape: (None, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/regularization_layers/spatial_dropout2d/
type SpatialDropout2D struct {
	// Rate is the part that is dropped, in [0, 1).
	Rate float64
	Name string
}

// SpatialDropout3D drops whole channels of a volume.
//
// Input shape: (None, depth, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/regularization_layers/spatial_dropout3d/
type SpatialDropout3D struct {
	// Rate is the part that is dropped, in [0, 1).
	Rate float64
	Name string
}

// Build implements Layer.
func (l SpatialDropout1D) Build(in Shape) (Spec, error) {
	return same(in, wantSpace(in, 1), wantRate(l.Rate))
}

// Build implements Layer.
func (l SpatialDropout2D) Build(in Shape) (Spec, error) {
	return same(in, wantSpace(in, 2), wantRate(l.Rate))
}

// Build implements Layer.
func (l SpatialDropout3D) Build(in Shape) (Spec, error) {
	return same(in, wantSpace(in, 3), wantRate(l.Rate))
}

// Call implements Layer.
func (l SpatialDropout1D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return dropChannels(c, x, l.Rate)
}

// Call implements Layer.
func (l SpatialDropout2D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return dropChannels(c, x, l.Rate)
}

// Call implements Layer.
func (l SpatialDropout3D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return dropChannels(c, x, l.Rate)
}

// GaussianNoise adds normal noise of deviation Stddev while training.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/regularization_layers/gaussian_noise/
type GaussianNoise struct {
	// Stddev is at least 0.
	Stddev float64
	Name   string
}

// Build implements Layer.
func (l GaussianNoise) Build(in Shape) (Spec, error) {
	if !(l.Stddev >= 0) {
		return Spec{}, fmt.Errorf("expected Stddev of at least 0, got %g", l.Stddev)
	}
	return same(in)
}

// Call implements Layer.
func (l GaussianNoise) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training || l.Stddev == 0 {
		return x
	}
	return graph.Add(x, graph.MulScalar(normal(c, x), l.Stddev))
}

// GaussianDropout multiplies by normal noise of mean 1 and deviation
// √(Rate/(1 − Rate)) while training.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/regularization_layers/gaussian_dropout/
type GaussianDropout struct {
	// Rate is in [0, 1).
	Rate float64
	Name string
}

// Build implements Layer.
func (l GaussianDropout) Build(in Shape) (Spec, error) { return same(in, wantRate(l.Rate)) }

// Call implements Layer.
func (l GaussianDropout) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training || l.Rate == 0 {
		return x
	}
	return graph.Mul(x, graph.OnePlus(graph.MulScalar(normal(c, x), math.Sqrt(l.Rate/(1-l.Rate)))))
}

// AlphaDropout is Dropout for networks of SELU: it keeps mean and variance.
//
// Input shape: any. Output shape: the input's.
//
// Source: Klambauer et al., 2017 (arXiv:1706.02515).
type AlphaDropout struct {
	// Rate is the part that is dropped, in [0, 1).
	Rate float64
	Name string
}

// Build implements Layer.
func (l AlphaDropout) Build(in Shape) (Spec, error) { return same(in, wantRate(l.Rate)) }

// Call implements Layer.
func (l AlphaDropout) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training || l.Rate == 0 {
		return x
	}
	const floor = -1.6732632423543772 * 1.0507009873554805 // what SELU tends to
	a := 1 / math.Sqrt((1-l.Rate)*(1+l.Rate*floor*floor))
	dropped := graph.Scalar(x.Graph(), x.DType(), floor)
	y := graph.Where(keep(c, x, l.Rate, x.Shape().Dimensions), x, graph.BroadcastToDims(dropped, x.Shape().Dimensions...))
	return graph.AddScalar(graph.MulScalar(y, a), -a*floor*l.Rate)
}

// same is the Build of layers that keep the shape and treat each value for itself.
func same(in Shape, errs ...error) (Spec, error) {
	if err := checked(errs...); err != nil {
		return Spec{}, err
	}
	return Spec{Output: in, KeepsMask: true}, nil
}

func wantRate(rate float64) error {
	if !(rate >= 0 && rate < 1) {
		return fmt.Errorf("expected Rate in [0, 1), got %g", rate)
	}
	return nil
}

// drop is dropout with a choice of the shape dims, whose axes of 1 are repeated.
func drop(c *Context, x *tensor.Node, rate float64, dims []int) *tensor.Node {
	if !c.Training || rate == 0 {
		return x
	}
	return graph.Where(keep(c, x, rate, dims), graph.MulScalar(x, 1/(1-rate)), graph.ZerosLike(x))
}

// keep chooses what is kept, as bools of x's shape.
func keep(c *Context, x *tensor.Node, rate float64, dims []int) *tensor.Node {
	random := c.RandomUniform(shapes.Make(dtypes.Float32, dims...))
	chosen := graph.GreaterOrEqual(random, graph.Scalar(x.Graph(), dtypes.Float32, rate))
	return graph.BroadcastToDims(chosen, x.Shape().Dimensions...)
}

func dropChannels(c *Context, x *tensor.Node, rate float64) *tensor.Node {
	dims := ones(make([]int, x.Rank()))
	dims[0], dims[len(dims)-1] = x.Shape().Dimensions[0], x.Shape().Dimensions[x.Rank()-1]
	return drop(c, x, rate, dims)
}

func normal(c *Context, x *tensor.Node) *tensor.Node {
	return graph.ConvertDType(c.RandomNormal(shapes.Make(dtypes.Float32, x.Shape().Dimensions...)), x.DType())
}

// ONNX implements build.Layer.
func (Dropout) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (SpatialDropout1D) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (SpatialDropout2D) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (SpatialDropout3D) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (GaussianNoise) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (GaussianDropout) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (AlphaDropout) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}
