package layers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

// RandomContrast changes the contrast of images while training.
//
//	y = (x − mean) f + mean, with f from 1 − Factor[0] to 1 + Factor[1]
//
// Input shape: (None, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_contrast/
type RandomContrast struct {
	// Factor is how much less and how much more contrast there may be, both at
	// least 0.
	Factor [2]float64
	// ValueRange is the least and the greatest value of a pixel; {0, 0} means
	// {0, 255}.
	ValueRange [2]float64
	Name       string
}

// RandomBrightness makes images brighter or darker while training.
//
// Input shape: (None, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_brightness/
type RandomBrightness struct {
	// Factor is how much is added at least and at most, as a part of the range
	// of values.
	Factor [2]float64
	// ValueRange is the least and the greatest value of a pixel; {0, 0} means
	// {0, 255}.
	ValueRange [2]float64
	Name       string
}

// Build implements Layer.
func (l RandomContrast) Build(in Shape) (Spec, error) {
	if !(l.Factor[0] >= 0 && l.Factor[1] >= 0) {
		return Spec{}, fmt.Errorf("expected a Factor of at least 0 to both sides, got %v", l.Factor)
	}
	return same(in, wantSpace(in, 2))
}

// Build implements Layer.
func (l RandomBrightness) Build(in Shape) (Spec, error) {
	return same(in, wantSpace(in, 2), wantRange("Factor", l.Factor, 1))
}

// Call implements Layer.
func (l RandomContrast) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training {
		return x
	}
	f := graph.ConvertDType(uniform(c, x, 1-l.Factor[0], 1+l.Factor[1]), x.DType())
	mean := graph.ReduceAndKeep(x, graph.ReduceMean, 1, 2)
	y := graph.Add(graph.Mul(graph.Sub(x, mean), graph.InsertAxes(f, -1, -1, -1)), mean)
	r := valueRange(l.ValueRange)
	return graph.ClipScalar(y, r[0], r[1])
}

// Call implements Layer.
func (l RandomBrightness) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training {
		return x
	}
	r := valueRange(l.ValueRange)
	more := graph.MulScalar(uniform(c, x, l.Factor[0], l.Factor[1]), r[1]-r[0])
	y := graph.Add(x, graph.InsertAxes(graph.ConvertDType(more, x.DType()), -1, -1, -1))
	return graph.ClipScalar(y, r[0], r[1])
}

// readRandomBrightness reads a configuration of Keras.
func readRandomBrightness(_ *RandomBrightness, c map[string]any) error { return ranges(c, "factor") }

// ONNX implements build.Layer.
func (RandomContrast) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (RandomBrightness) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}
