package layers

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(RandomCrop{}) }

// RandomCrop cuts a window out of images while training, at a place that is the same for all of
// a batch and another for each. Outside training, and of images that are too small, it takes the
// largest window of the same proportions out of their middle and makes it of that size.
//
// Keras's page says so too; Keras 3.15 itself returns images as they are outside training, of
// another shape than it announces.
//
// Input shape: (None, height, width, channels).
// Output shape: (None, Height, Width, channels).
//
// Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_crop/
type RandomCrop struct {
	Height, Width int
	Name          string
}

// Build implements Layer.
func (l RandomCrop) Build(in Shape) (Spec, error) {
	return Resizing{Height: l.Height, Width: l.Width}.Build(in)
}

// Call implements Layer.
func (l RandomCrop) Call(c *Context, x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	if !c.Training || d[1] < l.Height || d[2] < l.Width {
		return l.middle(x)
	}
	for i, size := range []int{l.Height, l.Width} {
		places := d[1+i] - size + 1
		if places == 1 {
			continue
		}
		u := graph.MulScalar(c.RandomUniform(shapes.Make(dtypes.Float32, 1)), places)
		first := graph.ConvertDType(graph.MinScalar(graph.Floor(u), places-1), dtypes.Int32)
		window := graph.Add(graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, size), 0), graph.BroadcastToDims(first, size))
		x = ops.Take(x, window, 1+i)
	}
	return x
}

// window is how much of an image of a size has the proportions of what is wanted.
func (l RandomCrop) window(height, width int) (h, w int) {
	return max(1, min(height, width*l.Height/l.Width)), max(1, min(width, height*l.Width/l.Height))
}

// middle is the largest window in the middle, resized.
func (l RandomCrop) middle(x *tensor.Node) *tensor.Node {
	d := x.Shape().Dimensions
	h, w := l.window(d[1], d[2])
	return resize(CenterCrop{Height: h, Width: w}.Call(nil, x), l.Height, l.Width, Bilinear)
}
