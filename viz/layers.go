package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/gradbook/gradbook/dl/tensor"
)

// FeatureMaps draws what a convolution makes of one image: a picture for each
// channel. maps is [height, width, channels], or [1, height, width, channels] as
// a model's Trace or Predict returns it. All channels have one scale of colours.
func FeatureMaps(maps *tensor.Tensor) (*Picture, error) {
	v, err := floats(maps)
	if err != nil {
		return nil, fmt.Errorf("viz: feature maps: %w", err)
	}
	d := maps.Shape().Dimensions
	if len(d) == 4 && d[0] == 1 {
		d = d[1:]
	}
	if len(d) != 3 || len(v) == 0 {
		return nil, fmt.Errorf("viz: feature maps: expected the maps of one image, [height, width, channels], got %v", maps.Shape())
	}
	h, w, channels := d[0], d[1], d[2]
	var all []matrix
	for c := range channels {
		all = append(all, newMatrix(h, w, func(i, j int) float64 { return v[(i*w+j)*channels+c] }))
	}
	return tiles(all, "channel", v)
}

// Filters draws the kernels of a convolution, [height, width, in, out]: a picture
// for each output channel, of the kernel for the input channel in. Weights around
// zero are white, positive ones blue and negative ones red.
func Filters(kernel *tensor.Tensor, in int) (*Picture, error) {
	v, err := floats(kernel)
	if err != nil {
		return nil, fmt.Errorf("viz: filters: %w", err)
	}
	d := kernel.Shape().Dimensions
	if len(d) != 4 || len(v) == 0 {
		return nil, fmt.Errorf("viz: filters: expected a kernel of shape [height, width, in, out], got %v", kernel.Shape())
	}
	if in < 0 || in >= d[2] {
		return nil, fmt.Errorf("viz: filters: expected an input channel from 0 to %d, got %d", d[2]-1, in)
	}
	var all []matrix
	for out := range d[3] {
		all = append(all, newMatrix(d[0], d[1], func(i, j int) float64 { return v[((i*d[1]+j)*d[2]+in)*d[3]+out] }))
	}
	return tiles(all, "filter", v)
}

// tiles is a grid of matrices, coloured by one scale.
func tiles(all []matrix, what string, v []float64) (*Picture, error) {
	s, err := scaleOf(v, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	var images []image.Image
	var captions []string
	for i, m := range all {
		images, captions = append(images, m.picture(s, 1)), append(captions, fmt.Sprint(i))
	}
	size := 84
	if len(all) > 32 {
		size = 56
	}
	p, err := ImageGrid(images, ImageGridConfig{Captions: captions, Columns: max(8, int(math.Ceil(math.Sqrt(float64(len(all)*3/2))))), Size: size})
	if err != nil {
		return nil, err
	}
	p.text = say("%d "+what+"s of %d × %d, values from %s to %s", len(all), all[0].rows, all[0].cols, shortNumber(s.low), shortNumber(s.high))
	return p, nil
}

// Saliency lays a map of what a model looks at over the image that it looked at:
// the stronger, the redder. saliency is [height, width] or [height, width, channels], or one
// example of those, of the image's size or coarser; only its magnitude counts, and of channels
// that of the sum.
//
// Source: Simonyan et al., Deep Inside Convolutional Networks, 2013.
func Saliency(img image.Image, saliency *tensor.Tensor) (*Picture, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, fmt.Errorf("viz: saliency: expected an image, got none")
	}
	m, err := mapOf(saliency, img.Bounds().Dy())
	if err != nil {
		return nil, fmt.Errorf("viz: saliency: %w", err)
	}
	strength := newMatrix(m.rows, m.cols, func(i, j int) float64 { return math.Abs(m.at(i, j)) })
	_, most, found := span(strength.v)
	if !found {
		return nil, fmt.Errorf("viz: saliency: expected at least one finite value, got none")
	}
	heat := scale{0, 1, array{"#1e3a8a", "#f59e0b", "#dc2626"}}
	out := overlay(img, func(y, x, height, width float64) (color.NRGBA, float64) {
		t := strength.smooth(y/height, x/width) / max(most, math.SmallestNonzeroFloat64)
		return heat.color(t), min(0.85, t*1.2)
	})
	return &Picture{out, say("saliency over an image of %d × %d", img.Bounds().Dx(), img.Bounds().Dy())}, nil
}

// overlay lays ink over an image in grey, so large that it can be seen: ink says which, and how
// much of it, for a pixel of a picture of so many.
func overlay(img image.Image, ink func(y, x, height, width float64) (c color.NRGBA, strength float64)) *image.NRGBA {
	b := img.Bounds()
	factor := max(1, 280/max(b.Dx(), b.Dy()))
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx()*factor, b.Dy()*factor))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			r, g, bl, _ := img.At(b.Min.X+x/factor, b.Min.Y+y/factor).RGBA()
			grey := uint8((299*r + 587*g + 114*bl) / 1000 >> 8)
			c, strength := ink(float64(y), float64(x), float64(out.Rect.Dy()), float64(out.Rect.Dx()))
			out.SetNRGBA(x, y, mix(color.NRGBA{grey, grey, grey, 255}, c, strength))
		}
	}
	return out
}

// smooth interpolates between a matrix's cells; y and x are from 0 to 1.
func (m matrix) smooth(y, x float64) float64 {
	py, px := y*float64(m.rows)-0.5, x*float64(m.cols)-0.5
	i, j := int(math.Floor(py)), int(math.Floor(px))
	fy, fx := py-float64(i), px-float64(j)
	at := func(i, j int) float64 {
		v := m.at(min(max(i, 0), m.rows-1), min(max(j, 0), m.cols-1))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0
		}
		return v
	}
	return (at(i, j)*(1-fx)+at(i, j+1)*fx)*(1-fy) + (at(i+1, j)*(1-fx)+at(i+1, j+1)*fx)*fy
}
