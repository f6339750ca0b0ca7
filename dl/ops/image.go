package ops

// Resize gives images, [batch, height, width, channels], another size: "nearest" or "bilinear".
func Resize[T Value](images T, height, width int, interpolation string) T {
	return apply(operation{Op: "resize", Ints: []int{height, width}, Text: interpolation}, images)
}

// RGBToGrayscale is the brightness of images of three channels, in one.
func RGBToGrayscale[T Value](images T) T { return one("rgb_to_grayscale", images) }

// CropImages cuts a part out of images: so many rows and columns from a row and a column on.
func CropImages[T Value](images T, top, left, height, width int) T {
	return along("crop_images", images, []int{top, left, height, width})
}

// PadImages puts zeros around images.
func PadImages[T Value](images T, top, left, bottom, right int) T {
	return along("pad_images", images, []int{top, left, bottom, right})
}
