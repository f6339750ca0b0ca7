package operation

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	internal "github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/layers"
)

func init() {
	table["resize"] = func(o Operation, x []*graph.Node) *graph.Node {
		l := layers.Resizing{Height: o.Ints[0], Width: o.Ints[1]}
		if err := l.Interpolation.UnmarshalText([]byte(o.Text)); err != nil {
			panic(err)
		}
		if x[0].Rank() != 4 {
			panic(fmt.Errorf("expected images of shape [batch, height, width, channels], got %v", x[0].Shape().Dimensions))
		}
		if _, err := l.Build(x[0].Shape().Dimensions[1:]); err != nil {
			panic(err)
		}
		return l.Call(nil, x[0])
	}
	table["rgb_to_grayscale"] = func(_ Operation, x []*graph.Node) *graph.Node {
		if d := x[0].Shape().Dimensions; len(d) == 0 || d[len(d)-1] != 3 {
			panic(fmt.Errorf("expected images of three channels, got %v", d))
		}
		weights := graph.ConvertDType(graph.Const(x[0].Graph(), []float32{0.2989, 0.5870, 0.1140}), x[0].DType())
		return graph.ReduceAndKeep(graph.Mul(x[0], graph.ExpandLeftToRank(weights, x[0].Rank())), graph.ReduceSum, -1)
	}
	table["crop_images"] = func(o Operation, x []*graph.Node) *graph.Node {
		atLeastZero(o.Ints...)
		y := graph.SliceAxis(x[0], 1, graph.AxisRange(o.Ints[0], o.Ints[0]+o.Ints[2]))
		return graph.SliceAxis(y, 2, graph.AxisRange(o.Ints[1], o.Ints[1]+o.Ints[3]))
	}
	table["pad_images"] = func(o Operation, x []*graph.Node) *graph.Node {
		atLeastZero(o.Ints...)
		y := internal.Pad(x[0], 1, [2]int{o.Ints[0], o.Ints[2]}, 0)
		return internal.Pad(y, 2, [2]int{o.Ints[1], o.Ints[3]}, 0)
	}
}
