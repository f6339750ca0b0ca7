package layers

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

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

// Build implements Layer.
func (l MaxPooling2D) Build(in Shape) (Spec, error) {
	return pooling{l.PoolSize, l.Strides, l.Padding}.build(in)
}

// Call implements Layer.
//
// XLA's gradient of a windowed maximum is slow on CPU, and which of several
// equal values it goes to depends on the padding. A knock-out between the places
// of the window computes the same, and its gradient is a selection; the earlier
// place wins a tie.
func (l MaxPooling2D) Call(_ *Context, x *graph.Node) *graph.Node {
	p := pooling{l.PoolSize, l.Strides, l.Padding}.withDefaults()
	places := p.places(x)
	for len(places) > 1 {
		var winners []*graph.Node
		for i := 0; i+1 < len(places); i += 2 {
			a, b := places[i], places[i+1]
			winners = append(winners, graph.Where(graph.GreaterOrEqual(a, b), a, b))
		}
		if len(places)%2 == 1 {
			winners = append(winners, places[len(places)-1])
		}
		places = winners
	}
	return places[0]
}

// Build implements Layer.
func (l AveragePooling2D) Build(in Shape) (Spec, error) {
	return pooling{l.PoolSize, l.Strides, l.Padding}.build(in)
}

// Call implements Layer.
func (l AveragePooling2D) Call(_ *Context, x *graph.Node) *graph.Node {
	p := pooling{l.PoolSize, l.Strides, l.Padding}.withDefaults()
	if !p.tiles(x) {
		return p.mean(x)
	}
	return graph.ReduceMean(p.windows(x), 2, 4)
}

// pooling is what both have in common.
type pooling struct {
	size, strides [2]int
	padding       Padding
}

func (p pooling) withDefaults() pooling {
	p.size = orElse(p.size, [2]int{2, 2})
	p.strides = orElse(p.strides, p.size)
	return p
}

func (p pooling) build(in Shape) (Spec, error) {
	p = p.withDefaults()
	for _, err := range []error{
		wantRank(in, "height", "width", "channels"),
		wantPositive("PoolSize", p.size[:]...),
		wantPositive("Strides", p.strides[:]...),
		p.padding.check(),
	} {
		if err != nil {
			return Spec{}, err
		}
	}
	out := Shape{0, 0, in[2]}
	for i := range 2 {
		var err error
		if out[i], err = p.padding.outputSize(in[i], p.size[i], p.strides[i]); err != nil {
			return Spec{}, fmt.Errorf("PoolSize %v does not fit into input %v: %w", p.size, in, err)
		}
	}
	return Spec{Output: out}, nil
}

// tiles says whether the windows neither overlap nor reach beyond the edge, nor
// leave gaps between them.
func (p pooling) tiles(x *graph.Node) bool {
	d := x.Shape().Dimensions
	return p.size == p.strides && (p.padding == Valid || d[1]%p.size[0] == 0 && d[2]%p.size[1] == 0)
}

// windows cuts [batch, height, width, channels] into windows: [batch, rows,
// window height, columns, window width, channels]. What no window covers is cut off.
func (p pooling) windows(x *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	rows, columns := d[1]/p.size[0], d[2]/p.size[1]
	if d[1] != rows*p.size[0] || d[2] != columns*p.size[1] {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, rows*p.size[0]), graph.AxisRange(0, columns*p.size[1]), graph.AxisRange())
	}
	return graph.Reshape(x, d[0], rows, p.size[0], columns, p.size[1], d[3])
}

// places returns, for each place of a window in reading order, what all windows
// have there: [batch, rows, columns, channels].
func (p pooling) places(x *graph.Node) []*graph.Node {
	if p.tiles(x) {
		return p.tiledPlaces(x)
	}
	for i := range 2 {
		x = pad(x, 1+i, p.padding.amounts(x.Shape().Dimensions[1+i], p.size[i], p.strides[i]), math.Inf(-1))
	}
	d := x.Shape().Dimensions
	along := func(axis, at int) graph.SliceAxisSpec {
		n := (d[1+axis] - p.size[axis]) / p.strides[axis] // the last window
		return graph.AxisRange(at, at+n*p.strides[axis]+1).Stride(p.strides[axis])
	}
	var places []*graph.Node
	for i := range p.size[0] {
		for j := range p.size[1] {
			places = append(places, graph.Slice(x, graph.AxisRange(), along(0, i), along(1, j), graph.AxisRange()))
		}
	}
	return places
}

// tiledPlaces is places for windows that tile the input: as parts of a reshaped
// tensor, whose gradients fit together without being added up.
func (p pooling) tiledPlaces(x *graph.Node) []*graph.Node {
	w := p.windows(x)
	d := w.Shape().Dimensions
	var places []*graph.Node
	for i := range p.size[0] {
		for j := range p.size[1] {
			at := graph.Slice(w, graph.AxisRange(), graph.AxisRange(), graph.AxisElem(i), graph.AxisRange(), graph.AxisElem(j), graph.AxisRange())
			places = append(places, graph.Reshape(at, d[0], d[1], d[3], d[5]))
		}
	}
	return places
}

// mean is the windowed mean for windows that do not tile.
func (p pooling) mean(x *graph.Node) *graph.Node {
	b := graph.MeanPool(x).WindowPerAxis(p.size[:]...).StridePerAxis(p.strides[:]...)
	if p.padding == Valid {
		return b.NoPadding().Done()
	}
	d := x.Shape().Dimensions
	return b.PaddingPerDim([][2]int{
		p.padding.amounts(d[1], p.size[0], p.strides[0]),
		p.padding.amounts(d[2], p.size[1], p.strides[1]),
	}).Done()
}
