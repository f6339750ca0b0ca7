package layers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/tensor"
)

// axes names the axes of inputs of one, two and three dimensions.
var axes = map[int][]string{
	1: {"steps", "channels"},
	2: {"height", "width", "channels"},
	3: {"depth", "height", "width", "channels"},
}

// wantSpace reports an input without n axes in space and one of channels.
func wantSpace(in Shape, n int) error { return wantRank(in, axes[n]...) }

// ones replaces zeros by ones.
func ones(v []int) []int { return orEach(v, slices.Repeat([]int{1}, len(v))) }

// orEach replaces each zero by what def has there.
func orEach(v, def []int) []int {
	out := slices.Clone(v)
	for i := range out {
		if out[i] == 0 {
			out[i] = def[i]
		}
	}
	return out
}

// places calls f with each place of a window, in reading order.
func places(size []int, f func(at []int)) {
	at := make([]int, len(size))
	var walk func(axis int)
	walk = func(axis int) {
		if axis == len(size) {
			f(slices.Clone(at))
			return
		}
		for at[axis] = 0; at[axis] < size[axis]; at[axis]++ {
			walk(axis + 1)
		}
	}
	walk(0)
}

// sliced returns, for each place of a window in reading order, what all windows that fit into
// [batch, …, channels] have there.
func sliced(x *tensor.Node, size, strides, dilation []int) (all []*tensor.Node) {
	d := x.Shape().Dimensions
	places(size, func(at []int) {
		along := []graph.SliceAxisSpec{graph.AxisRange()}
		for i, n := range size {
			first := at[i] * dilation[i]
			last := first + (d[1+i]-(n-1)*dilation[i]-1)/strides[i]*strides[i]
			along = append(along, graph.AxisRange(first, last+1).Stride(strides[i]))
		}
		all = append(all, graph.Slice(x, append(along, graph.AxisRange())...))
	})
	return all
}

// windowed returns the shape that a window leaves of in, but for the channels.
func windowed(field string, in Shape, size, strides, dilation []int, p Padding) (Shape, error) {
	out := make(Shape, len(size))
	for i := range size {
		var err error
		if out[i], err = p.outputSize(in[i], (size[i]-1)*dilation[i]+1, strides[i]); err != nil {
			return nil, misfit(in, "%s %s does not fit into input %v: %v", field, each(size), in, err)
		}
	}
	return out, nil
}

// each writes a setting as the field has it: a number for one axis.
func each(v []int) string {
	if len(v) == 1 {
		return fmt.Sprint(v[0])
	}
	return strings.ReplaceAll(fmt.Sprint(v), ",", "")
}
