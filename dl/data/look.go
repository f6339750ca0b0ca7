package data

import (
	"fmt"
	"image"
	"image/color"
	"slices"
)

// Images returns the inputs as pictures, as they are stored: before any Map. A
// stream is read to its end.
// Inputs must be [height, width], [height, width, 1] (grey) or [height, width,
// 3] (colour), uint8 or floats in [0, 1].
func (d *Dataset) Images() ([]image.Image, error) {
	d, err := d.Cache()
	if err != nil {
		return nil, err
	}
	x := d.source.X[0]
	shape := x.Row()
	if len(shape) == 2 {
		shape = []int{shape[0], shape[1], 1}
	}
	if len(shape) != 3 || (shape[2] != 1 && shape[2] != 3) {
		return nil, fmt.Errorf("data: expected inputs of shape [height, width], [height, width, 1] or [height, width, 3] for Images, got %v", x.Row())
	}
	size := shape[0] * shape[1] * shape[2]
	images := make([]image.Image, d.Len())
	for i, row := range d.source.Rows {
		pixels, err := pixels(x.Flat, int(row)*size, size)
		if err != nil {
			return nil, err
		}
		images[i] = picture(pixels, shape)
	}
	return images, nil
}

// pixels returns values as bytes. They are copied: who draws on a picture must not
// draw on the data.
func pixels(flat any, from, size int) ([]uint8, error) {
	switch v := flat.(type) {
	case []uint8:
		return slices.Clone(v[from : from+size]), nil
	case []float32:
		return quantize(v[from : from+size]), nil
	case []float64:
		return quantize(v[from : from+size]), nil
	}
	return nil, fmt.Errorf("data: expected inputs of type uint8 or float for Images, got %T", flat)
}

func quantize[T float32 | float64](values []T) []uint8 {
	bytes := make([]uint8, len(values))
	for i, v := range values {
		bytes[i] = uint8(min(max(v, 0), 1)*255 + 0.5)
	}
	return bytes
}

func picture(pixels []uint8, shape []int) image.Image {
	bounds := image.Rect(0, 0, shape[1], shape[0])
	if shape[2] == 1 {
		return &image.Gray{Pix: pixels, Stride: shape[1], Rect: bounds}
	}
	img := image.NewNRGBA(bounds)
	for i := range shape[0] * shape[1] {
		img.Set(i%shape[1], i/shape[1], color.NRGBA{pixels[3*i], pixels[3*i+1], pixels[3*i+2], 255})
	}
	return img
}

// Labels returns the labels as class numbers, as they are stored: before any
// Map. A stream is read to its end. Labels must be one integer an example.
func (d *Dataset) Labels() ([]int, error) {
	d, err := d.Cache()
	if err != nil {
		return nil, err
	}
	if len(d.source.Y) == 0 {
		return nil, fmt.Errorf("data: the dataset has no labels")
	}
	y := d.source.Y[0]
	if y.Size() != 1 {
		return nil, fmt.Errorf("data: expected one number an example for Labels, got labels of shape %v", y.Row())
	}
	switch v := y.Flat.(type) {
	case []uint8:
		return integers(v, d.source.Rows), nil
	case []int8:
		return integers(v, d.source.Rows), nil
	case []int16:
		return integers(v, d.source.Rows), nil
	case []int32:
		return integers(v, d.source.Rows), nil
	case []int64:
		return integers(v, d.source.Rows), nil
	}
	return nil, fmt.Errorf("data: expected labels of integers for Labels, got %v", y.Shape.DType)
}

func integers[T uint8 | int8 | int16 | int32 | int64](values []T, rows []int32) []int {
	out := make([]int, len(rows))
	for i, r := range rows {
		out[i] = int(values[r])
	}
	return out
}
