package layers

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(Rescaling{}, Normalization{}, CategoryEncoding{}, Discretization{})
	config.Reads(readNormalization)
	config.Reads(readDiscretization)
}

// Rescaling is x·Scale + Offset.
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/
type Rescaling struct {
	// Scale 0 means 1.
	Scale  float64 `zero:"1"`
	Offset float64
	Name   string
}

// Build implements Layer.
func (l Rescaling) Build(in Shape) (Spec, error) { return same(in) }

// Call implements Layer.
func (l Rescaling) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return graph.AddScalar(graph.MulScalar(x, orFloat(l.Scale, 1)), l.Offset)
}

// Normalization scales each feature to mean 0 and variance 1, by the Mean and the
// Variance of data that it was adapted to:
//
//	n := layers.Normalization{}
//	err := n.Adapt(rows)
//
// Input shape: any. Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/numerical/normalization/
type Normalization struct {
	// Mean and Variance have a value for each feature, of the last axis, or one
	// for all.
	Mean, Variance []float64
	// Invert goes the other way.
	Invert bool
	Name   string
}

// readNormalization reads a configuration of Keras.
func readNormalization(_ *Normalization, c map[string]any) error {
	switch axis := c["axis"].(type) {
	case nil:
	case []any:
		if len(axis) > 1 {
			return fmt.Errorf("expected one axis, got %v", axis)
		}
	}
	delete(c, "axis")
	delete(c, "input_mean")
	delete(c, "input_variance")
	return nil
}

// Adapt sets Mean and Variance to those of rows of features, which must be of one
// length.
func (l *Normalization) Adapt(rows [][]float32) error {
	if len(rows) == 0 {
		return fmt.Errorf("layers.Normalization: expected at least one row to adapt to, got none")
	}
	n := len(rows[0])
	mean, square := make([]float64, n), make([]float64, n)
	for i, row := range rows {
		if len(row) != n {
			return fmt.Errorf("layers.Normalization: expected rows of %d values, got %d in row %d", n, len(row), i)
		}
		for j, v := range row {
			mean[j] += float64(v) / float64(len(rows))
		}
	}
	for _, row := range rows {
		for j, v := range row {
			square[j] += (float64(v) - mean[j]) * (float64(v) - mean[j]) / float64(len(rows))
		}
	}
	l.Mean, l.Variance = mean, square
	return nil
}

// Build implements Layer.
func (l Normalization) Build(in Shape) (Spec, error) {
	n := len(l.Mean)
	if n == 0 || len(l.Variance) != n {
		return Spec{}, fmt.Errorf("expected Mean and Variance of one length, set or by Adapt, got %d and %d values", n, len(l.Variance))
	}
	if n > 1 && (len(in) == 0 || in[len(in)-1] != n) {
		return Spec{}, misfit(in, "expected input with %d features, as Mean has, got %v", n, in)
	}
	if i := slices.IndexFunc(l.Variance, func(v float64) bool { return !(v >= 0) }); i >= 0 {
		return Spec{}, fmt.Errorf("expected a Variance of at least 0, got %g for feature %d", l.Variance[i], i)
	}
	return same(in)
}

// Call implements Layer.
func (l Normalization) Call(_ *Context, x *tensor.Node) *tensor.Node {
	vector := func(f func(i int) float64) *tensor.Node {
		values := make([]float32, len(l.Mean))
		for i := range values {
			values[i] = float32(f(i))
		}
		w := graph.ConvertDType(graph.Const(x.Graph(), values), x.DType())
		return graph.ExpandLeftToRank(w, x.Rank())
	}
	mean := vector(func(i int) float64 { return l.Mean[i] })
	deviation := vector(func(i int) float64 { return math.Max(math.Sqrt(l.Variance[i]), 1e-7) })
	if l.Invert {
		return graph.Add(mean, graph.Mul(x, deviation))
	}
	return graph.Div(graph.Sub(x, mean), deviation)
}

// CategoryEncoding makes vectors of class numbers.
//
// Input shape: (None, n), whole numbers in [0, NumTokens), or (None,).
// Output shape: (None, NumTokens); with "one_hot" (None, n, NumTokens), or without n
// if it is 1.
//
// Source: https://keras.io/api/layers/preprocessing_layers/categorical/category_encoding/
type CategoryEncoding struct {
	NumTokens int
	// OutputMode is "multi_hot" (1 for each number that occurs; "" means it),
	// "count" (how often) or "one_hot" (a vector for each number).
	OutputMode string
	Name       string
}

// Build implements Layer.
func (l CategoryEncoding) Build(in Shape) (Spec, error) {
	if err := wantPositive("NumTokens", l.NumTokens); err != nil {
		return Spec{}, err
	}
	if len(in) > 1 {
		return Spec{}, misfit(in, "expected input of shape (None,) or (None, n), got %v", in)
	}
	s := Spec{Output: Shape{l.NumTokens}, AnyType: true}
	switch l.OutputMode {
	case "", "multi_hot", "count":
	case "one_hot":
		if len(in) == 1 && in[0] != 1 {
			s.Output = Shape{in[0], l.NumTokens}
		}
	default:
		return Spec{}, fmt.Errorf("expected OutputMode multi_hot, count or one_hot, got %q", l.OutputMode)
	}
	return s, nil
}

// Classes is the number of different inputs, for a check before training.
func (l CategoryEncoding) Classes() int { return l.NumTokens }

// Call implements Layer.
func (l CategoryEncoding) Call(_ *Context, x *tensor.Node) *tensor.Node {
	hot := graph.OneHot(graph.ConvertDType(x, dtypes.Int32), l.NumTokens, dtypes.Float32)
	if hot.Rank() == 2 {
		return hot
	}
	switch l.OutputMode {
	case "one_hot":
		if hot.Shape().Dimensions[1] == 1 {
			return graph.Squeeze(hot, 1)
		}
		return hot
	case "count":
		return graph.ReduceSum(hot, 1)
	}
	return graph.ReduceMax(hot, 1)
}

// Discretization turns numbers into the number of the bin that they fall in.
//
// Input shape: any. Output shape: the input's, whole numbers in [0,
// len(BinBoundaries)].
//
// Source: https://keras.io/api/layers/preprocessing_layers/numerical/discretization/
type Discretization struct {
	// BinBoundaries rise. A number equal to one belongs to the bin above it.
	BinBoundaries []float64
	Name          string
}

// readDiscretization reads a configuration of Keras.
func readDiscretization(_ *Discretization, c map[string]any) error {
	if c["output_mode"] == "int" {
		delete(c, "output_mode")
	}
	delete(c, "epsilon")
	return nil
}

// Build implements Layer.
func (l Discretization) Build(in Shape) (Spec, error) {
	if len(l.BinBoundaries) == 0 || !slices.IsSorted(l.BinBoundaries) {
		return Spec{}, fmt.Errorf("expected BinBoundaries that rise, got %v", l.BinBoundaries)
	}
	return Spec{Output: in, AnyType: true}, nil
}

// Call implements Layer.
func (l Discretization) Call(_ *Context, x *tensor.Node) *tensor.Node {
	bin := graph.ZerosLike(x)
	for _, b := range l.BinBoundaries {
		bin = graph.Add(bin, graph.ConvertDType(graph.GreaterOrEqual(x, scalar(x, b)), x.DType()))
	}
	return bin
}

// ONNX implements build.Layer.
func (l Rescaling) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Add", []string{g.Op("Mul", []string{c.In[0], g.Scalar(orFloat(l.Scale, 1))}), g.Scalar(l.Offset)})}, nil
}

// ONNX implements build.Layer.
func (l Normalization) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	mean, deviation := make([]float32, len(l.Mean)), make([]float32, len(l.Mean))
	for i := range mean {
		mean[i], deviation[i] = float32(l.Mean[i]), float32(math.Max(math.Sqrt(l.Variance[i]), 1e-7))
	}
	m, d := g.Floats(mean, len(mean)), g.Floats(deviation, len(mean))
	if l.Invert {
		return []string{g.Op("Add", []string{g.Op("Mul", []string{c.In[0], d}), m})}, nil
	}
	return []string{g.Op("Div", []string{g.Op("Sub", []string{c.In[0], m}), d})}, nil
}
