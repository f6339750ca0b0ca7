package layers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(RandomFlip{}, RandomRotation{}, RandomTranslation{}, RandomZoom{}, RandomContrast{}, RandomBrightness{})
	config.Reads(readRandomRotation)
	config.Reads(readRandomTranslation)
	config.Reads(readRandomZoom)
	config.Reads(readRandomBrightness)
}

// PlusMinus is the range from −f to f: layers.RandomRotation{Factor: layers.PlusMinus(0.1)}.
func PlusMinus(f float64) [2]float64 { return [2]float64{-f, f} }

// RandomFlip mirrors images while training, each with a chance of one half.
//
// Input shape: (None, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_flip/
type RandomFlip struct {
	// Mode is "horizontal", "vertical", or "horizontal_and_vertical", which ""
	// means too.
	Mode string
	Name string
}

// Build implements Layer.
func (l RandomFlip) Build(in Shape) (Spec, error) {
	if !slices.Contains([]string{"", "horizontal", "vertical", "horizontal_and_vertical"}, l.Mode) {
		return Spec{}, fmt.Errorf("expected Mode horizontal, vertical or horizontal_and_vertical, got %q", l.Mode)
	}
	return same(in, wantSpace(in, 2))
}

// Call implements Layer.
func (l RandomFlip) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training {
		return x
	}
	for i, mode := range []string{"vertical", "horizontal"} {
		if l.Mode == "" || strings.Contains(l.Mode, mode) {
			flip := graph.LessThan(uniform(c, x, 0, 1), graph.Scalar(x.Graph(), dtypes.Float32, 0.5))
			flip = graph.BroadcastToDims(graph.InsertAxes(flip, -1, -1, -1), x.Shape().Dimensions...)
			x = graph.Where(flip, ops.Reverse(x, 1+i), x)
		}
	}
	return x
}

// RandomRotation turns images while training.
//
// Input shape: (None, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_rotation/
type RandomRotation struct {
	// Factor is the least and the greatest angle, in whole turns, counter-clockwise.
	Factor [2]float64
	Fill
	Name string
}

// RandomTranslation moves images while training.
//
// Input shape: (None, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_translation/
type RandomTranslation struct {
	// HeightFactor is how far down at least and at most, as a part of the height.
	HeightFactor [2]float64
	// WidthFactor is how far to the right, as a part of the width.
	WidthFactor [2]float64
	Fill
	Name string
}

// RandomZoom makes images larger or smaller while training.
//
// Input shape: (None, height, width, channels). Output shape: the input's.
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_zoom/
type RandomZoom struct {
	// HeightFactor is by how much at least and at most: −0.2 zooms in by a
	// fifth, 0.2 out.
	HeightFactor [2]float64
	// WidthFactor is the same for the width; {0, 0} keeps the images' proportions.
	WidthFactor [2]float64
	Fill
	Name string
}

// Fill says what is seen where there is no image.
type Fill struct {
	// FillMode is "reflect" (the default), "nearest", "wrap" or "constant".
	FillMode string
	// FillValue is for "constant".
	FillValue float64
	// Interpolation is Bilinear unless set.
	Interpolation Interpolation
}

func (f Fill) check() error {
	if !slices.Contains([]string{"", "reflect", "nearest", "wrap", "constant"}, f.FillMode) {
		return fmt.Errorf("expected FillMode reflect, nearest, wrap or constant, got %q", f.FillMode)
	}
	return f.Interpolation.check()
}

func wantRange(field string, r [2]float64, high float64) error {
	if !(r[0] >= -1 && r[1] <= high && r[0] <= r[1]) {
		return fmt.Errorf("expected %s from at least -1 to at most %g, the smaller first, got %v", field, high, r)
	}
	return nil
}

// Build implements Layer.
func (l RandomRotation) Build(in Shape) (Spec, error) {
	return same(in, wantSpace(in, 2), wantRange("Factor", l.Factor, 1), l.check())
}

// Build implements Layer.
func (l RandomTranslation) Build(in Shape) (Spec, error) {
	return same(in, wantSpace(in, 2), wantRange("HeightFactor", l.HeightFactor, 1), wantRange("WidthFactor", l.WidthFactor, 1), l.check())
}

// Build implements Layer.
func (l RandomZoom) Build(in Shape) (Spec, error) {
	return same(in, wantSpace(in, 2), wantRange("HeightFactor", l.HeightFactor, 10), wantRange("WidthFactor", l.WidthFactor, 10), l.check())
}

// Call implements Layer.
func (l RandomRotation) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training {
		return x
	}
	angle := uniform(c, x, l.Factor[0]*2*math.Pi, l.Factor[1]*2*math.Pi)
	return l.affine(x, rotation(x, angle))
}

// rotation is the way from a place in the turned image to that in the image.
func rotation(x, angle *tensor.Node) [6]*tensor.Node {
	h, w := float64(x.Shape().Dimensions[1]-1), float64(x.Shape().Dimensions[2]-1)
	cos, sin := graph.Cos(angle), graph.Sin(angle)
	offset := func(size float64, a, b *tensor.Node) *tensor.Node {
		return graph.MulScalar(graph.AddScalar(graph.Neg(graph.Add(a, b)), size), 0.5)
	}
	return [6]*tensor.Node{
		cos, graph.Neg(sin), offset(w, graph.MulScalar(cos, w), graph.Neg(graph.MulScalar(sin, h))),
		sin, cos, offset(h, graph.MulScalar(sin, w), graph.MulScalar(cos, h)),
	}
}

// Call implements Layer.
func (l RandomTranslation) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training {
		return x
	}
	d := x.Shape().Dimensions
	down := graph.MulScalar(uniform(c, x, l.HeightFactor[0], l.HeightFactor[1]), float64(d[1]))
	right := graph.MulScalar(uniform(c, x, l.WidthFactor[0], l.WidthFactor[1]), float64(d[2]))
	one, zero := graph.OnesLike(down), graph.ZerosLike(down)
	return l.affine(x, [6]*tensor.Node{one, zero, graph.Neg(right), zero, one, graph.Neg(down)})
}

// Call implements Layer.
func (l RandomZoom) Call(c *Context, x *tensor.Node) *tensor.Node {
	if !c.Training {
		return x
	}
	d := x.Shape().Dimensions
	vertical := graph.OnePlus(uniform(c, x, l.HeightFactor[0], l.HeightFactor[1]))
	horizontal := vertical
	if l.WidthFactor != [2]float64{} {
		horizontal = graph.OnePlus(uniform(c, x, l.WidthFactor[0], l.WidthFactor[1]))
	}
	middle := func(zoom *tensor.Node, size int) *tensor.Node {
		return graph.MulScalar(graph.OneMinus(zoom), float64(size-1)/2)
	}
	zero := graph.ZerosLike(vertical)
	return l.affine(x, [6]*tensor.Node{horizontal, zero, middle(horizontal, d[2]), zero, vertical, middle(vertical, d[1])})
}

func valueRange(r [2]float64) [2]float64 {
	if r == [2]float64{} {
		return [2]float64{0, 255}
	}
	return r
}

// readRandomRotation reads a configuration of Keras.
func readRandomRotation(_ *RandomRotation, c map[string]any) error { return ranges(c, "factor") }

// readRandomTranslation reads a configuration of Keras.
func readRandomTranslation(_ *RandomTranslation, c map[string]any) error {
	return ranges(c, "height_factor", "width_factor")
}

// readRandomZoom reads a configuration of Keras.
func readRandomZoom(_ *RandomZoom, c map[string]any) error {
	return ranges(c, "height_factor", "width_factor")
}

// ranges makes {−f, f} of a single f.
func ranges(c map[string]any, keys ...string) error {
	for _, key := range keys {
		if f, ok := c[key].(float64); ok {
			c[key] = []any{-math.Abs(f), math.Abs(f)}
		}
	}
	return nil
}

// uniform draws a number for each image: float32 [batch].
func uniform(c *Context, x *tensor.Node, low, high float64) *tensor.Node {
	u := c.RandomUniform(shapes.Make(dtypes.Float32, x.Shape().Dimensions[0]))
	return graph.AddScalar(graph.MulScalar(u, high-low), low)
}

// affine draws each image anew: the pixel at column X and row Y shows what is at
// column m₀X + m₁Y + m₂ and row m₃X + m₄Y + m₅. Each number of m is float32 [batch].
func (f Fill) affine(x *tensor.Node, m [6]*tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	g, plane := x.Graph(), shapes.Make(dtypes.Float32, d[0], d[1], d[2])
	column, row := graph.Iota(g, plane, 2), graph.Iota(g, plane, 1)
	at := func(a, b, c *tensor.Node) *tensor.Node {
		wide := func(n *tensor.Node) *tensor.Node { return graph.InsertAxes(n, -1, -1) }
		return graph.Add(graph.Add(graph.Mul(wide(a), column), graph.Mul(wide(b), row)), wide(c))
	}
	sx, sy := f.inside(at(m[0], m[1], m[2]), d[2]), f.inside(at(m[3], m[4], m[5]), d[1])
	if f.Interpolation.or(Bilinear) == Nearest {
		return f.read(x, round(sy), round(sx))
	}
	top, left := graph.Floor(sy), graph.Floor(sx)
	mix := func(a, b, part *tensor.Node) *tensor.Node {
		part = graph.ConvertDType(graph.InsertAxes(part, -1), x.DType())
		return graph.Add(graph.Mul(a, graph.OneMinus(part)), graph.Mul(b, part))
	}
	line := func(y *tensor.Node) *tensor.Node {
		return mix(f.read(x, y, left), f.read(x, y, graph.OnePlus(left)), graph.Sub(sx, left))
	}
	return mix(line(top), line(graph.OnePlus(top)), graph.Sub(sy, top))
}

// round is to the nearest whole number, and from the middle away from 0.
func round(v *tensor.Node) *tensor.Node {
	return graph.Mul(graph.Sign(v), graph.Floor(graph.AddScalar(graph.Abs(v), 0.5)))
}

// inside brings places into an axis of a size, as FillMode says, and as TensorFlow
// understands it.
func (f Fill) inside(at *tensor.Node, size int) *tensor.Node {
	n := float64(size)
	mod := func(v *tensor.Node, by float64) *tensor.Node {
		return graph.Sub(v, graph.MulScalar(graph.Floor(graph.DivScalar(v, by)), by))
	}
	switch f.FillMode {
	case "constant":
		return at
	case "nearest":
		return graph.ClipScalar(at, 0, n-1)
	case "wrap":
		turns := func(v *tensor.Node) *tensor.Node {
			return graph.MulScalar(graph.Floor(graph.DivScalar(v, max(n-1, 1))), n)
		}
		below := graph.AddScalar(graph.Add(at, turns(graph.Neg(at))), n)
		above := graph.Sub(at, turns(at))
		zero := graph.ZerosLike(at)
		inner := graph.Where(graph.GreaterThan(at, graph.AddScalar(zero, n-1)), above, at)
		return graph.ClipScalar(graph.Where(graph.LessThan(at, zero), below, inner), 0, n-1)
	default:
		u := mod(graph.AddScalar(at, 0.5), 2*n)
		there := graph.AddScalar(graph.Neg(graph.Abs(graph.SubScalar(u, n))), n-0.5)
		return graph.ClipScalar(there, 0, n-1)
	}
}

// read returns the pixels at whole places, [batch, height, width, channels].
func (f Fill) read(x, row, column *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	g := x.Graph()
	clip := func(v *tensor.Node, size int) *tensor.Node {
		return graph.ConvertDType(graph.ClipScalar(v, 0, float64(size-1)), dtypes.Int32)
	}
	image := graph.Iota(g, shapes.Make(dtypes.Int32, row.Shape().Dimensions...), 0)
	place := graph.Add(graph.MulScalar(image, d[1]*d[2]),
		graph.Add(graph.MulScalar(clip(row, d[1]), d[2]), clip(column, d[2])))
	pixels := graph.Gather(graph.Reshape(x, d[0]*d[1]*d[2], d[3]), graph.InsertAxes(place, -1))
	if f.FillMode != "constant" {
		return pixels
	}
	in := func(v *tensor.Node, size int) *tensor.Node {
		return graph.LogicalAnd(graph.GreaterOrEqual(v, scalar(v, 0)), graph.LessOrEqual(v, scalar(v, float64(size-1))))
	}
	seen := graph.BroadcastToDims(graph.InsertAxes(graph.LogicalAnd(in(row, d[1]), in(column, d[2])), -1), pixels.Shape().Dimensions...)
	return graph.Where(seen, pixels, graph.BroadcastToDims(scalar(pixels, f.FillValue), pixels.Shape().Dimensions...))
}

// ONNX implements build.Layer.
func (RandomFlip) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (RandomRotation) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (RandomTranslation) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}

// ONNX implements build.Layer.
func (RandomZoom) ONNX(_ *build.Graph, c build.Call) ([]string, error) {
	return c.In, nil // it is for training only
}
