package layers

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(ChannelsFirst{})
	config.Wraps(func(l Layer) Layer { return ChannelsFirst{Layer: l} })
}

// ChannelsFirst gives a layer that wants an image's channels last, as all of this package do,
// images whose channels come first. In Keras's files it is data_format="channels_first".
//
//	layers.ChannelsFirst{Layer: layers.Conv2D{Filters: 8, KernelSize: [2]int{3, 3}}}
//
// Input shape: (None, channels, height, width), or as many axes of space as the layer has.
// Output shape: the layer's with its channels first, or as it is where no axes of space are left,
// as after Flatten and global pooling.
//
// Source: https://keras.io/api/layers/convolution_layers/convolution2d/
type ChannelsFirst struct {
	Layer Layer
	Name  string
}

// spaced is a layer whose input has other axes, such as steps, before those of space.
type spaced interface{ space() int }

// space is how many axes of space there are in a first input of so many axes and channels.
func (l ChannelsFirst) space(rank int) int {
	if s, ok := l.Layer.(spaced); ok {
		return s.space()
	}
	return rank - 1
}

// turn returns the order of axes that puts channels last, or, with first, back to before those of
// space; what has too few axes stays.
func turn(rank, space int, first bool) []int {
	order := make([]int, rank)
	for i := range order {
		order[i] = i
	}
	at := rank - 1 - space // of the channels, where they are first
	if at < 0 {
		return order
	}
	if first {
		copy(order[at+1:], order[at:rank-1])
		order[at] = rank - 1
	} else {
		copy(order[at:], order[at+1:])
		order[rank-1] = at
	}
	return order
}

func turnedShape(s Shape, space int, first bool) Shape {
	out := make(Shape, len(s))
	for i, from := range turn(len(s), space, first) {
		out[i] = s[from]
	}
	return out
}

func turnedNode(x *tensor.Node, space int, first bool) *tensor.Node {
	order := []int{0}
	for _, axis := range turn(x.Rank()-1, space, first) {
		order = append(order, axis+1)
	}
	return graph.TransposeAllAxes(x, order...)
}

// Build implements Layer.
func (l ChannelsFirst) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l ChannelsFirst) BuildAll(in []Shape) (Spec, error) {
	if l.Layer == nil {
		return Spec{}, errors.New("expected a Layer, got nil")
	}
	space := l.space(len(in[0]))
	if space < 1 || len(in[0]) <= space {
		return Spec{}, misfit(in[0], "expected input of channels and at least one axis of space, got %v", in[0])
	}
	last := make([]Shape, len(in))
	for i, s := range in {
		last[i] = turnedShape(s, space, false)
	}
	spec, err := buildAny(l.Layer, last)
	if err != nil {
		return spec, fmt.Errorf("with its channels last: %w", err)
	}
	out := make([]Shape, len(spec.All()))
	for i, s := range spec.All() {
		out[i] = turnedShape(s, space, true)
	}
	if spec.Outputs != nil {
		spec.Outputs = out
	}
	spec.Output = out[0]
	return spec, nil
}

// buildAny builds a layer for one input or several.
func buildAny(l Layer, in []Shape) (Spec, error) {
	if m, ok := config.As[Multi](l); ok {
		return m.BuildAll(in)
	}
	if len(in) != 1 {
		return Spec{}, fmt.Errorf("expected one input, got %d", len(in))
	}
	return l.Build(in[0])
}

// Call implements Layer.
func (l ChannelsFirst) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l ChannelsFirst) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	space := l.space(in[0].Rank() - 1)
	last := make([]*tensor.Node, len(in))
	for i, x := range in {
		last[i] = turnedNode(x, space, false)
	}
	var out []*tensor.Node
	if m, ok := config.As[Multi](l.Layer); ok {
		out = m.CallAll(c, last)
	} else {
		out = []*tensor.Node{l.Layer.Call(c, last[0])}
	}
	for i, y := range out {
		out[i] = turnedNode(y, space, true)
	}
	return out
}

// KerasName implements KerasNamer: that of the layer within.
func (l ChannelsFirst) KerasName() (class, name string) {
	if n, ok := config.As[KerasNamer](l.Layer); ok {
		return n.KerasName()
	}
	if l.Layer == nil {
		return "ChannelsFirst", "channels_first"
	}
	class = reflect.Indirect(reflect.ValueOf(l.Layer)).Type().Name()
	return class, config.KerasSnake(class)
}

// KerasPath implements KerasPather.
func (l ChannelsFirst) KerasPath(weight string) string { return kerasPath(l.Layer, weight) }

// ONNX implements build.Layer.
func (l ChannelsFirst) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	inner, ok := config.As[build.Layer](l.Layer)
	if !ok || len(c.In) > 1 {
		return nil, errNoONNX
	}
	space := l.space(len(c.Shapes[0]))
	turned := func(x string, rank int, first bool) string {
		perm := []int{0}
		for _, axis := range turn(rank, space, first) {
			perm = append(perm, axis+1)
		}
		return g.Op("Transpose", []string{x}, onnxInts("perm", perm...))
	}
	last := c
	last.In = []string{turned(c.In[0], len(c.Shapes[0]), false)}
	last.Shapes = [][]int{turnedShape(c.Shapes[0], space, false)}
	last.Out = turnedShape(c.Out, space, false)
	if len(c.Out) <= space {
		last.Out = c.Out
	}
	y, err := inner.ONNX(g, last)
	if err != nil {
		return nil, err
	}
	y[0] = turned(y[0], len(c.Out), true)
	return y, nil
}
