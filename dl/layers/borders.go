package layers

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(ZeroPadding1D{}, ZeroPadding2D{}, ZeroPadding3D{}, Cropping1D{}, Cropping2D{}, Cropping3D{})
	config.Reads(readZeroPadding2D)
	config.Reads(readZeroPadding3D)
	config.Reads(readCropping2D)
	config.Reads(readCropping3D)
}

// ZeroPadding1D puts zeros before and behind a sequence.
//
// Input shape: (None, steps, channels). Output shape: (None, steps', channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/zero_padding1d/
type ZeroPadding1D struct {
	// Padding is how many zeros there are before and behind.
	Padding [2]int
	Name    string
}

// ZeroPadding2D puts zeros around an image.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/zero_padding2d/
type ZeroPadding2D struct {
	// Padding is how many zeros there are {{above, below}, {left, right}}.
	Padding [2][2]int
	Name    string
}

// ZeroPadding3D puts zeros around a volume.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, depth', height', width', channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/zero_padding3d/
type ZeroPadding3D struct {
	// Padding is how many zeros there are before and behind, along each axis.
	Padding [3][2]int
	Name    string
}

// Cropping1D takes values off both ends of a sequence.
//
// Input shape: (None, steps, channels). Output shape: (None, steps', channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/cropping1d/
type Cropping1D struct {
	// Cropping is how many go before and behind.
	Cropping [2]int
	Name     string
}

// Cropping2D takes values off the edges of an image.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/cropping2d/
type Cropping2D struct {
	// Cropping is how many go {{above, below}, {left, right}}.
	Cropping [2][2]int
	Name     string
}

// Cropping3D takes values off the sides of a volume.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, depth', height', width', channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/cropping3d/
type Cropping3D struct {
	// Cropping is how many go before and behind, along each axis.
	Cropping [3][2]int
	Name     string
}

// Build implements Layer.
func (l ZeroPadding1D) Build(in Shape) (Spec, error) { return grown(in, "Padding", 1, l.Padding) }

// Build implements Layer.
func (l ZeroPadding2D) Build(in Shape) (Spec, error) { return grown(in, "Padding", 1, l.Padding[:]...) }

// Build implements Layer.
func (l ZeroPadding3D) Build(in Shape) (Spec, error) { return grown(in, "Padding", 1, l.Padding[:]...) }

// Build implements Layer.
func (l Cropping1D) Build(in Shape) (Spec, error) { return grown(in, "Cropping", -1, l.Cropping) }

// Build implements Layer.
func (l Cropping2D) Build(in Shape) (Spec, error) { return grown(in, "Cropping", -1, l.Cropping[:]...) }

// Build implements Layer.
func (l Cropping3D) Build(in Shape) (Spec, error) { return grown(in, "Cropping", -1, l.Cropping[:]...) }

// Call implements Layer.
func (l ZeroPadding1D) Call(_ *Context, x *tensor.Node) *tensor.Node { return padAll(x, l.Padding) }

// Call implements Layer.
func (l ZeroPadding2D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return padAll(x, l.Padding[:]...)
}

// Call implements Layer.
func (l ZeroPadding3D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return padAll(x, l.Padding[:]...)
}

// Call implements Layer.
func (l Cropping1D) Call(_ *Context, x *tensor.Node) *tensor.Node { return cropAll(x, l.Cropping) }

// Call implements Layer.
func (l Cropping2D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return cropAll(x, l.Cropping[:]...)
}

// Call implements Layer.
func (l Cropping3D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return cropAll(x, l.Cropping[:]...)
}

// readZeroPadding2D reads a configuration of Keras.
func readZeroPadding2D(_ *ZeroPadding2D, c map[string]any) error { return pairs(c, "padding", 2) }

// readZeroPadding3D reads a configuration of Keras.
func readZeroPadding3D(_ *ZeroPadding3D, c map[string]any) error { return pairs(c, "padding", 3) }

// readCropping2D reads a configuration of Keras.
func readCropping2D(_ *Cropping2D, c map[string]any) error { return pairs(c, "cropping", 2) }

// readCropping3D reads a configuration of Keras.
func readCropping3D(_ *Cropping3D, c map[string]any) error { return pairs(c, "cropping", 3) }

// pairs makes {{1, 1}, {2, 2}} of {1, 2}, which Keras takes for the same.
func pairs(c map[string]any, key string, n int) error {
	list, ok := c[key].([]any)
	if !ok || len(list) != n {
		return nil
	}
	out := make([]any, n)
	for i, v := range list {
		if _, pair := v.([]any); pair {
			return nil
		}
		out[i] = []any{v, v}
	}
	c[key] = out
	return nil
}

func grown(in Shape, field string, sign int, amounts ...[2]int) (Spec, error) {
	if err := wantSpace(in, len(amounts)); err != nil {
		return Spec{}, err
	}
	out := append(Shape{}, in...)
	for i, a := range amounts {
		if a[0] < 0 || a[1] < 0 {
			return Spec{}, fmt.Errorf("expected %s of at least 0 on each side, got %v", field, amounts)
		}
		if out[i] += sign * (a[0] + a[1]); out[i] < 1 {
			return Spec{}, misfit(in, "expected %s to leave something of input %v, got %v", field, in, amounts)
		}
	}
	return Spec{Output: out}, nil
}

func padAll(x *tensor.Node, amounts ...[2]int) *tensor.Node {
	for i, a := range amounts {
		x = ops.Pad(x, 1+i, a, 0)
	}
	return x
}

func cropAll(x *tensor.Node, amounts ...[2]int) *tensor.Node {
	for i, a := range amounts {
		x = ops.Crop(x, 1+i, a)
	}
	return x
}

// ONNX implements build.Layer.
func (l ZeroPadding1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxPad(g, c, [][2]int{l.Padding}), nil
}

// ONNX implements build.Layer.
func (l ZeroPadding2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxPad(g, c, l.Padding[:]), nil
}

// ONNX implements build.Layer.
func (l ZeroPadding3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxPad(g, c, l.Padding[:]), nil
}

// ONNX implements build.Layer.
func (l Cropping1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxCrop(g, c, [][2]int{l.Cropping}), nil
}

// ONNX implements build.Layer.
func (l Cropping2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxCrop(g, c, l.Cropping[:]), nil
}

// ONNX implements build.Layer.
func (l Cropping3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxCrop(g, c, l.Cropping[:]), nil
}
