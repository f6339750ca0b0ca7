package layers

import (
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(MaxPooling1D{}, MaxPooling2D{}, MaxPooling3D{}, AveragePooling1D{}, AveragePooling2D{}, AveragePooling3D{})
}

// MaxPooling1D takes the largest value of each window. The gradient goes to that
// value; where several are equal, to the first, as in Keras.
//
// Input shape: (None, steps, channels). Output shape: (None, steps', channels).
//
// Source: https://keras.io/api/layers/pooling_layers/max_pooling1d/
type MaxPooling1D struct {
	// PoolSize is the window's length; 0 means 2.
	PoolSize int
	// Strides is the window's step; 0 means PoolSize.
	Strides int
	// Padding is Valid unless set.
	Padding Padding
	Name    string
}

// MaxPooling2D takes the largest value of each window. The gradient goes to
// that value; where several are equal, to the first, as in Keras.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', channels), see Padding.
//
// Source: https://keras.io/api/layers/pooling_layers/max_pooling2d/
type MaxPooling2D struct {
	// PoolSize is the window's height and width; 0 means 2.
	PoolSize [2]int
	// Strides is the window's step; 0 means PoolSize.
	Strides [2]int
	// Padding is Valid unless set.
	Padding Padding
	Name    string
}

// MaxPooling3D takes the largest value of each window, as MaxPooling2D.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, depth', height', width', channels).
//
// Source: https://keras.io/api/layers/pooling_layers/max_pooling3d/
type MaxPooling3D struct {
	// PoolSize is the window's size along each axis; 0 means 2.
	PoolSize [3]int
	// Strides is the window's step; 0 means PoolSize.
	Strides [3]int
	// Padding is Valid unless set.
	Padding Padding
	Name    string
}

// AveragePooling1D takes the mean of each window; padding does not count.
//
// Input shape: (None, steps, channels). Output shape: (None, steps', channels).
//
// Source: https://keras.io/api/layers/pooling_layers/average_pooling1d/
type AveragePooling1D struct {
	// PoolSize is the window's length; 0 means 2.
	PoolSize int
	// Strides is the window's step; 0 means PoolSize.
	Strides int
	// Padding is Valid unless set.
	Padding Padding
	Name    string
}

// AveragePooling2D takes the mean of each window; padding does not count.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, height', width', channels), see Padding.
//
// Source: https://keras.io/api/layers/pooling_layers/average_pooling2d/
type AveragePooling2D struct {
	// PoolSize is the window's height and width; 0 means 2.
	PoolSize [2]int
	// Strides is the window's step; 0 means PoolSize.
	Strides [2]int
	// Padding is Valid unless set.
	Padding Padding
	Name    string
}

// AveragePooling3D takes the mean of each window, as AveragePooling2D.
//
// Input shape: (None, depth, height, width, channels).
// Output shape: (None, depth', height', width', channels).
//
// Source: https://keras.io/api/layers/pooling_layers/average_pooling3d/
type AveragePooling3D struct {
	// PoolSize is the window's size along each axis; 0 means 2.
	PoolSize [3]int
	// Strides is the window's step; 0 means PoolSize.
	Strides [3]int
	// Padding is Valid unless set.
	Padding Padding
	Name    string
}

func (l MaxPooling1D) pool() pooling {
	return newPooling(l.Padding, []int{l.PoolSize}, []int{l.Strides})
}
func (l MaxPooling2D) pool() pooling { return newPooling(l.Padding, l.PoolSize[:], l.Strides[:]) }
func (l MaxPooling3D) pool() pooling { return newPooling(l.Padding, l.PoolSize[:], l.Strides[:]) }
func (l AveragePooling1D) pool() pooling {
	return newPooling(l.Padding, []int{l.PoolSize}, []int{l.Strides})
}
func (l AveragePooling2D) pool() pooling { return newPooling(l.Padding, l.PoolSize[:], l.Strides[:]) }
func (l AveragePooling3D) pool() pooling { return newPooling(l.Padding, l.PoolSize[:], l.Strides[:]) }

// Build implements Layer.
func (l MaxPooling1D) Build(in Shape) (Spec, error) { return l.pool().build(in) }

// Build implements Layer.
func (l MaxPooling2D) Build(in Shape) (Spec, error) { return l.pool().build(in) }

// Build implements Layer.
func (l MaxPooling3D) Build(in Shape) (Spec, error) { return l.pool().build(in) }

// Build implements Layer.
func (l AveragePooling1D) Build(in Shape) (Spec, error) { return l.pool().build(in) }

// Build implements Layer.
func (l AveragePooling2D) Build(in Shape) (Spec, error) { return l.pool().build(in) }

// Build implements Layer.
func (l AveragePooling3D) Build(in Shape) (Spec, error) { return l.pool().build(in) }

// Call implements Layer.
func (l MaxPooling1D) Call(_ *Context, x *tensor.Node) *tensor.Node { return l.pool().max(x) }

// Call implements Layer.
func (l MaxPooling2D) Call(_ *Context, x *tensor.Node) *tensor.Node { return l.pool().max(x) }

// Call implements Layer.
func (l MaxPooling3D) Call(_ *Context, x *tensor.Node) *tensor.Node { return l.pool().max(x) }

// Call implements Layer.
func (l AveragePooling1D) Call(_ *Context, x *tensor.Node) *tensor.Node { return l.pool().average(x) }

// Call implements Layer.
func (l AveragePooling2D) Call(_ *Context, x *tensor.Node) *tensor.Node { return l.pool().average(x) }

// Call implements Layer.
func (l AveragePooling3D) Call(_ *Context, x *tensor.Node) *tensor.Node { return l.pool().average(x) }

// pooling is what all of them have in common.
type pooling struct {
	size, strides []int
	padding       Padding
}

func newPooling(padding Padding, size, strides []int) pooling {
	p := pooling{padding: padding}
	p.size = orEach(size, slices.Repeat([]int{2}, len(size)))
	p.strides = orEach(strides, p.size)
	return p
}

func (p pooling) build(in Shape) (Spec, error) {
	n := len(p.size)
	err := checked(
		wantSpace(in, n),
		wantPositive("PoolSize", p.size...),
		wantPositive("Strides", p.strides...),
		p.padding.check(),
	)
	if err != nil {
		return Spec{}, err
	}
	out, err := windowed("PoolSize", in, p.size, p.strides, ones(make([]int, n)), p.padding)
	if err != nil {
		return Spec{}, err
	}
	return Spec{Output: append(out, in[n])}, nil
}

// max is the largest value of each window.
//
// XLA's gradient of a windowed maximum is slow on CPU, and which of several
// equal values it goes to depends on the padding. A knock-out between the places
// of the window computes the same, and its gradient is a selection; the earlier
// place wins a tie.
//
// Where there is a kernel for it, it is the kernel's.
func (p pooling) max(x *tensor.Node) *tensor.Node {
	pads := make([][2]int, len(p.size))
	for i := range pads {
		pads[i] = p.padding.amounts(x.Shape().Dimensions[1+i], p.size[i], p.strides[i])
	}
	if y := ops.MaxPool(x, p.size, p.strides, pads); y != nil {
		return y
	}
	all := p.places(x)
	for len(all) > 1 {
		var winners []*tensor.Node
		for i := 0; i+1 < len(all); i += 2 {
			a, b := all[i], all[i+1]
			winners = append(winners, graph.Where(graph.GreaterOrEqual(a, b), a, b))
		}
		if len(all)%2 == 1 {
			winners = append(winners, all[len(all)-1])
		}
		all = winners
	}
	return all[0]
}

func (p pooling) average(x *tensor.Node) *tensor.Node {
	if !p.tiles(x) {
		return p.mean(x)
	}
	var within []int
	for i := range p.size {
		within = append(within, 2+2*i)
	}
	return graph.ReduceMean(p.windows(x), within...)
}

// tiles says whether the windows neither overlap nor reach beyond the edge, nor
// leave gaps between them.
func (p pooling) tiles(x *tensor.Node) bool {
	for i := range p.size {
		if p.size[i] != p.strides[i] || p.padding == Same && x.Shape().Dimensions[1+i]%p.size[i] != 0 {
			return false
		}
	}
	return true
}

// windows cuts [batch, height, width, channels] into windows: [batch, rows,
// window height, columns, window width, channels]. What no window covers is cut off.
func (p pooling) windows(x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	dims := []int{d[0]}
	for i, size := range p.size {
		rows := d[1+i] / size
		x = ops.Crop(x, 1+i, [2]int{0, d[1+i] - rows*size})
		dims = append(dims, rows, size)
	}
	return graph.Reshape(x, append(dims, d[len(d)-1])...)
}

// places returns, for each place of a window in reading order, what all windows
// have there: [batch, rows, columns, channels].
func (p pooling) places(x *tensor.Node) []*tensor.Node {
	if p.tiles(x) {
		return p.tiledPlaces(x)
	}
	for i := range p.size {
		x = ops.Pad(x, 1+i, p.padding.amounts(x.Shape().Dimensions[1+i], p.size[i], p.strides[i]), math.Inf(-1))
	}
	return sliced(x, p.size, p.strides, ones(make([]int, len(p.size))))
}

// tiledPlaces is places for windows that tile the input: as parts of a reshaped
// tensor, whose gradients fit together without being added up.
func (p pooling) tiledPlaces(x *tensor.Node) []*tensor.Node {
	w := p.windows(x)
	d := w.Shape().Dimensions
	dims := []int{d[0]}
	for i := range p.size {
		dims = append(dims, d[1+2*i])
	}
	dims = append(dims, d[len(d)-1])
	var all []*tensor.Node
	places(p.size, func(at []int) {
		along := []graph.SliceAxisSpec{graph.AxisRange()}
		for _, a := range at {
			along = append(along, graph.AxisRange(), graph.AxisElem(a))
		}
		all = append(all, graph.Reshape(graph.Slice(w, append(along, graph.AxisRange())...), dims...))
	})
	return all
}

// mean is the windowed mean for windows that do not tile.
func (p pooling) mean(x *tensor.Node) *tensor.Node {
	b := graph.MeanPool(x).WindowPerAxis(p.size...).StridePerAxis(p.strides...)
	if p.padding == Valid {
		return b.NoPadding().Done()
	}
	var pads [][2]int
	for i := range p.size {
		pads = append(pads, p.padding.amounts(x.Shape().Dimensions[1+i], p.size[i], p.strides[i]))
	}
	return b.PaddingPerDim(pads).Done()
}

// ONNX implements build.Layer.
func (l MaxPooling1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.pool().onnx(g, c, "MaxPool"), nil
}

// ONNX implements build.Layer.
func (l MaxPooling2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.pool().onnx(g, c, "MaxPool"), nil
}

// ONNX implements build.Layer.
func (l MaxPooling3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.pool().onnx(g, c, "MaxPool"), nil
}

// ONNX implements build.Layer.
func (l AveragePooling1D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.pool().onnx(g, c, "AveragePool"), nil
}

// ONNX implements build.Layer.
func (l AveragePooling2D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.pool().onnx(g, c, "AveragePool"), nil
}

// ONNX implements build.Layer.
func (l AveragePooling3D) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return l.pool().onnx(g, c, "AveragePool"), nil
}
