package layers

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(UpSampling1D{}, UpSampling2D{}, UpSampling3D{}, Resizing{}, CenterCrop{})
	config.Reads(readResizing)
}

// Interpolation says what lies between two pixels.
type Interpolation int

const (
	// DefaultInterpolation is the layer's own.
	DefaultInterpolation Interpolation = iota
	// Nearest repeats the nearer one.
	Nearest
	// Bilinear goes from one to the other in a straight line.
	Bilinear
)

var interpolations = []string{"default", "nearest", "bilinear"}

// String is Keras's word.
func (i Interpolation) String() string {
	if i >= 0 && int(i) < len(interpolations) {
		return interpolations[i]
	}
	return fmt.Sprintf("Interpolation(%d)", int(i))
}

// UnmarshalText reads Keras's word.
func (i *Interpolation) UnmarshalText(text []byte) error {
	at := slices.Index(interpolations, string(text))
	if at < 1 {
		return fmt.Errorf("expected an interpolation of nearest or bilinear, got %q", text)
	}
	*i = Interpolation(at)
	return nil
}

func (i Interpolation) or(def Interpolation) Interpolation {
	if i == DefaultInterpolation {
		return def
	}
	return i
}

func (i Interpolation) check() error {
	if i < 0 || int(i) >= len(interpolations) {
		return fmt.Errorf("expected Interpolation Nearest or Bilinear, got %v", i)
	}
	return nil
}

// UpSampling1D repeats each step.
//
// Input shape: (None, steps, channels). Output shape: (None, steps·Size, channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/up_sampling1d/
type UpSampling1D struct {
	// Size is how often; 0 means 2.
	Size int
	Name string
}

// UpSampling2D makes images larger.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height·Size, width·Size, channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/up_sampling2d/
type UpSampling2D struct {
	// Size is how much higher and wider; 0 means 2.
	Size [2]int
	// Interpolation is Nearest unless set.
	Interpolation Interpolation
	Name          string
}

// UpSampling3D repeats each value of a volume.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, depth·Size, height·Size, width·Size, channels).
//
// Source: https://keras.io/api/layers/reshaping_layers/up_sampling3d/
type UpSampling3D struct {
	// Size is how often along each axis; 0 means 2.
	Size [3]int
	Name string
}

// Build implements Layer.
func (l UpSampling1D) Build(in Shape) (Spec, error) { return larger(in, []int{l.Size}) }

// Build implements Layer.
func (l UpSampling2D) Build(in Shape) (Spec, error) {
	if err := l.Interpolation.check(); err != nil {
		return Spec{}, err
	}
	return larger(in, l.Size[:])
}

// Build implements Layer.
func (l UpSampling3D) Build(in Shape) (Spec, error) { return larger(in, l.Size[:]) }

// Call implements Layer.
func (l UpSampling1D) Call(_ *Context, x *tensor.Node) *tensor.Node { return repeatAll(x, l.Size) }

// Call implements Layer.
func (l UpSampling2D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	if l.Interpolation.or(Nearest) == Nearest {
		return repeatAll(x, l.Size[:]...)
	}
	d := x.Shape().Dimensions
	size := orEach(l.Size[:], []int{2, 2})
	return resize(x, d[1]*size[0], d[2]*size[1], Bilinear)
}

// Call implements Layer.
func (l UpSampling3D) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return repeatAll(x, l.Size[:]...)
}

func larger(in Shape, size []int) (Spec, error) {
	size = orEach(size, slices.Repeat([]int{2}, len(size)))
	if err := checked(wantSpace(in, len(size)), wantPositive("Size", size...)); err != nil {
		return Spec{}, err
	}
	out := slices.Clone(in)
	for i, s := range size {
		out[i] *= s
	}
	return Spec{Output: out}, nil
}

// repeatAll repeats each value along the axes in space.
func repeatAll(x *tensor.Node, size ...int) *tensor.Node {
	for i, n := range orEach(size, slices.Repeat([]int{2}, len(size))) {
		x = ops.Repeat(x, 1+i, n)
	}
	return x
}

// Resizing makes images of a given size.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, Height, Width, channels).
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/resizing/
type Resizing struct {
	Height, Width int
	// Interpolation is Bilinear unless set.
	Interpolation Interpolation
	Name          string
}

// readResizing reads a configuration of Keras: what is outside is never seen.
func readResizing(_ *Resizing, c map[string]any) error {
	delete(c, "fill_mode")
	delete(c, "fill_value")
	return nil
}

// Build implements Layer.
func (l Resizing) Build(in Shape) (Spec, error) {
	if err := checked(wantSpace(in, 2), wantPositive("Height", l.Height), wantPositive("Width", l.Width), l.Interpolation.check()); err != nil {
		return Spec{}, err
	}
	return Spec{Output: Shape{l.Height, l.Width, in[2]}}, nil
}

// Call implements Layer.
func (l Resizing) Call(_ *Context, x *tensor.Node) *tensor.Node {
	return resize(x, l.Height, l.Width, l.Interpolation.or(Bilinear))
}

// CenterCrop cuts the middle out of images; smaller images are an error.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, Height, Width, channels).
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/center_crop/
type CenterCrop struct {
	Height, Width int
	Name          string
}

// Build implements Layer.
func (l CenterCrop) Build(in Shape) (Spec, error) {
	if err := checked(wantSpace(in, 2), wantPositive("Height", l.Height), wantPositive("Width", l.Width)); err != nil {
		return Spec{}, err
	}
	if l.Height > in[0] || l.Width > in[1] {
		return Spec{}, misfit(in, "expected images of at least %d by %d, got %v", l.Height, l.Width, in)
	}
	return Spec{Output: Shape{l.Height, l.Width, in[2]}}, nil
}

// Call implements Layer.
func (l CenterCrop) Call(_ *Context, x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	top, left := (d[1]-l.Height)/2, (d[2]-l.Width)/2
	return cropAll(x, [2]int{top, d[1] - l.Height - top}, [2]int{left, d[2] - l.Width - left})
}

// resize makes images of a size. Pixels have their centres at .5, as in TensorFlow. As
// the places are known when the graph is built, it is a product with a matrix along
// each axis.
func resize(x *tensor.Node, height, width int, how Interpolation) *tensor.Node {
	for i, size := range []int{height, width} {
		from := x.Shape().Dimensions[1+i]
		if from == size {
			continue
		}
		m := graph.ConvertDType(graph.Const(x.Graph(), interpolation(from, size, how)), x.DType()) // [size, from]
		x = graph.EinsumAxes(x, m, [][2]int{{1 + i, 1}}, nil)                                      // the new axis is last
		if i == 0 {
			x = graph.TransposeAllAxes(x, 0, 3, 1, 2)
		} else {
			x = graph.TransposeAllAxes(x, 0, 1, 3, 2)
		}
	}
	return x
}

// interpolation is the matrix that takes an axis of one size to another.
func interpolation(from, to int, how Interpolation) [][]float32 {
	m := make([][]float32, to)
	scale := float64(from) / float64(to)
	for i := range m {
		m[i] = make([]float32, from)
		at := (float64(i)+0.5)*scale - 0.5
		if how == Nearest {
			m[i][min(int(math.Floor((float64(i)+0.5)*scale)), from-1)] = 1
			continue
		}
		low := math.Floor(at)
		part := float32(at - low)
		m[i][min(max(int(low), 0), from-1)] += 1 - part
		m[i][min(max(int(low)+1, 0), from-1)] += part
	}
	return m
}

// ONNX implements build.Layer.
func (l UpSampling1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxResize(g, c, []int{l.Size}, Nearest), nil
}

// ONNX implements build.Layer.
func (l UpSampling2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxResize(g, c, l.Size[:], l.Interpolation), nil
}

// ONNX implements build.Layer.
func (l UpSampling3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return onnxResize(g, c, l.Size[:], Nearest), nil
}
