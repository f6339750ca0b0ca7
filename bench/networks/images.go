package networks

import (
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
)

// normalized is a convolution without a bias, normalised over the batch, and perhaps an activation.
func normalized(x *dl.Symbol, l layers.Layer, a activations.Activation) *dl.Symbol {
	x = x.Then(l, layers.BatchNormalization{})
	if a != nil {
		x = x.Then(layers.Activation{Activation: a})
	}
	return x
}

func convolution(filters, size, stride int) layers.Layer {
	return layers.Conv2D{Filters: filters, KernelSize: [2]int{size, size}, Strides: [2]int{stride, stride}, Padding: layers.Same, NoBias: true}
}

// resnet18 is for images of 32×32, as those of CIFAR: the first window is of 3×3, and nothing is
// pooled behind it.
//
// Source: He et al., Deep Residual Learning for Image Recognition, 2015, https://arxiv.org/abs/1512.03385
func resnet18(x *dl.Symbol) *dl.Symbol {
	x = x.Then(layers.ZeroPadding2D{Padding: [2][2]int{{2, 2}, {2, 2}}})
	x = normalized(x, convolution(64, 3, 1), activations.ReLU)
	for i, filters := range []int{64, 128, 256, 512} {
		for block := range 2 {
			stride, short := 1, x
			if i > 0 && block == 0 {
				stride = 2
				short = normalized(x, convolution(filters, 1, 2), nil)
			}
			y := normalized(x, convolution(filters, 3, stride), activations.ReLU)
			y = normalized(y, convolution(filters, 3, 1), nil)
			x = dl.Apply(layers.Add{}, y, short).Then(layers.Activation{Activation: activations.ReLU})
		}
	}
	return x.Then(layers.GlobalAveragePooling2D{})
}

// mobileNetV2 is for images of 96×96.
//
// Source: Sandler et al., MobileNetV2, 2018, https://arxiv.org/abs/1801.04381
func mobileNetV2(x *dl.Symbol) *dl.Symbol {
	x = x.Then(layers.UpSampling2D{Size: [2]int{3, 3}}, layers.ZeroPadding2D{Padding: [2][2]int{{6, 6}, {6, 6}}})
	x = normalized(x, convolution(32, 3, 2), activations.ReLU6)
	channels := 32
	for _, s := range []struct{ expand, filters, times, stride int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	} {
		for i := range s.times {
			stride := 1
			if i == 0 {
				stride = s.stride
			}
			y := x
			if s.expand > 1 {
				y = normalized(y, convolution(s.expand*channels, 1, 1), activations.ReLU6)
			}
			y = normalized(y, layers.DepthwiseConv2D{KernelSize: [2]int{3, 3}, Strides: [2]int{stride, stride}, Padding: layers.Same, NoBias: true}, activations.ReLU6)
			y = normalized(y, convolution(s.filters, 1, 1), nil)
			if stride == 1 && channels == s.filters {
				y = dl.Apply(layers.Add{}, x, y)
			}
			x, channels = y, s.filters
		}
	}
	return normalized(x, convolution(1280, 1, 1), activations.ReLU6).Then(layers.GlobalAveragePooling2D{})
}
