package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
)

// layer adds a layer's operators and returns the names of its outputs. shapes are those
// of one example; images have their channels last, which ONNX has first.
func (e *exporter) layer(l *dl.Layer, in []string, shapes []layers.Shape, out layers.Shape) ([]string, error) {
	if m, ok := l.Layer.(*dl.Model); ok {
		return e.nested(m, in)
	}
	w, err := arrays(l)
	if err != nil {
		return nil, err
	}
	return e.plain(l.Layer, w, in, shapes, out)
}

func one(name string, err error) ([]string, error) { return []string{name}, err }

// plain is layer for all but models.
func (e *exporter) plain(l layers.Layer, w []array, in []string, shapes []layers.Shape, out layers.Shape) ([]string, error) {
	x, shape := in[0], shapes[0]
	rank := len(shape) + 1
	switch l := l.(type) {
	case layers.Dense:
		y := e.op("MatMul", []string{x, e.constant(w[0])})
		return one(e.activation(e.bias(y, w[1:]), l.Activation))
	case layers.Conv1D:
		y := e.conv(x, shape, w, []int{l.Strides}, []int{l.DilationRate}, l.Padding, max(l.Groups, 1))
		return one(e.activation(y, l.Activation))
	case layers.Conv2D:
		y := e.conv(x, shape, w, l.Strides[:], l.DilationRate[:], l.Padding, max(l.Groups, 1))
		return one(e.activation(y, l.Activation))
	case layers.Conv3D:
		y := e.conv(x, shape, w, l.Strides[:], l.DilationRate[:], l.Padding, max(l.Groups, 1))
		return one(e.activation(y, l.Activation))
	case layers.DepthwiseConv2D:
		y := e.conv(x, shape, append([]array{depthwise(w[0])}, w[1:]...), l.Strides[:], l.DilationRate[:], l.Padding, shape[2])
		return one(e.activation(y, l.Activation))
	case layers.SeparableConv2D:
		y := e.separable(x, shape, w, l.Strides[:], l.DilationRate[:], l.Padding)
		return one(e.activation(y, l.Activation))
	case layers.SeparableConv1D:
		y := e.separable(x, shape, w, []int{l.Strides}, []int{l.DilationRate}, l.Padding)
		return one(e.activation(y, l.Activation))
	case layers.Conv2DTranspose:
		y := e.convTranspose(x, rank, w, l.Strides[:], l.DilationRate[:], l.Padding)
		return one(e.activation(y, l.Activation))
	case layers.Conv1DTranspose:
		y := e.convTranspose(x, rank, w, []int{l.Strides}, []int{l.DilationRate}, l.Padding)
		return one(e.activation(y, l.Activation))
	case layers.MaxPooling1D:
		return one(e.pool("MaxPool", x, shape, []int{l.PoolSize}, []int{l.Strides}, l.Padding), nil)
	case layers.MaxPooling2D:
		return one(e.pool("MaxPool", x, shape, l.PoolSize[:], l.Strides[:], l.Padding), nil)
	case layers.MaxPooling3D:
		return one(e.pool("MaxPool", x, shape, l.PoolSize[:], l.Strides[:], l.Padding), nil)
	case layers.AveragePooling1D:
		return one(e.pool("AveragePool", x, shape, []int{l.PoolSize}, []int{l.Strides}, l.Padding), nil)
	case layers.AveragePooling2D:
		return one(e.pool("AveragePool", x, shape, l.PoolSize[:], l.Strides[:], l.Padding), nil)
	case layers.AveragePooling3D:
		return one(e.pool("AveragePool", x, shape, l.PoolSize[:], l.Strides[:], l.Padding), nil)
	case layers.GlobalMaxPooling1D:
		return one(e.global("ReduceMax", x, rank, l.KeepDims), nil)
	case layers.GlobalMaxPooling2D:
		return one(e.global("ReduceMax", x, rank, l.KeepDims), nil)
	case layers.GlobalMaxPooling3D:
		return one(e.global("ReduceMax", x, rank, l.KeepDims), nil)
	case layers.GlobalAveragePooling1D:
		return one(e.global("ReduceMean", x, rank, l.KeepDims), nil)
	case layers.GlobalAveragePooling2D:
		return one(e.global("ReduceMean", x, rank, l.KeepDims), nil)
	case layers.GlobalAveragePooling3D:
		return one(e.global("ReduceMean", x, rank, l.KeepDims), nil)
	case layers.UpSampling1D:
		return one(e.resize(x, rank, []int{l.Size}, "nearest"), nil)
	case layers.UpSampling2D:
		how := "nearest"
		if l.Interpolation == layers.Bilinear {
			how = "linear"
		}
		return one(e.resize(x, rank, l.Size[:], how), nil)
	case layers.UpSampling3D:
		return one(e.resize(x, rank, l.Size[:], "nearest"), nil)
	case layers.ZeroPadding1D:
		return one(e.pad(x, [][2]int{l.Padding}), nil)
	case layers.ZeroPadding2D:
		return one(e.pad(x, l.Padding[:]), nil)
	case layers.ZeroPadding3D:
		return one(e.pad(x, l.Padding[:]), nil)
	case layers.Cropping1D:
		return one(e.crop(x, shape, [][2]int{l.Cropping}), nil)
	case layers.Cropping2D:
		return one(e.crop(x, shape, l.Cropping[:]), nil)
	case layers.Cropping3D:
		return one(e.crop(x, shape, l.Cropping[:]), nil)
	case layers.Flatten, layers.Reshape:
		return one(e.op("Reshape", []string{x, e.ints(append([]int{-1}, out...)...)}), nil)
	case layers.Permute:
		return one(e.op("Transpose", []string{x}, intsAttr("perm", append([]int{0}, l.Dims...)...)), nil)
	case layers.RepeatVector:
		return one(e.op("Expand", []string{e.op("Unsqueeze", []string{x, e.ints(1)}), e.ints(1, l.N, 1)}), nil)
	case layers.Embedding:
		if l.MaskZero {
			return nil, errors.New("its mask has no counterpart in ONNX")
		}
		ids := e.op("Cast", []string{x}, intAttr("to", typeInt64))
		return one(e.op("Gather", []string{e.constant(w[0]), ids}), nil)
	case layers.SimpleRNN, layers.LSTM, layers.GRU, layers.Bidirectional:
		return e.recurrent(l, w, in)
	case layers.MultiHeadAttention:
		return e.attention(l, w, in, shapes)
	case layers.TimeDistributed:
		return e.timeDistributed(l, w, x, shape, out)
	case layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization, layers.RMSNormalization, layers.UnitNormalization:
		return one(e.normalization(l, w, x, shape))
	case layers.Add:
		return one(e.fold("Add", in), nil)
	case layers.Subtract:
		return one(e.fold("Sub", in), nil)
	case layers.Multiply:
		return one(e.fold("Mul", in), nil)
	case layers.Average:
		return one(e.op("Mean", in), nil)
	case layers.Maximum:
		return one(e.op("Max", in), nil)
	case layers.Minimum:
		return one(e.op("Min", in), nil)
	case layers.Concatenate:
		axis := l.Axis
		if axis == 0 {
			axis = -1
		}
		return one(e.op("Concat", in, intAttr("axis", axis)), nil)
	case layers.Activation:
		return one(e.activation(x, l.Activation))
	case layers.Softmax:
		if len(l.Axes) > 1 {
			return nil, errors.New("a softmax over several axes has no counterpart in ONNX")
		}
		return one(e.op("Softmax", []string{x}, intAttr("axis", append(l.Axes, -1)[0])), nil)
	case layers.ReLU:
		return one(e.relu(l, x), nil)
	case layers.LeakyReLU:
		return one(e.op("LeakyRelu", []string{x}, floatAttr("alpha", or(l.NegativeSlope, 0.3))), nil)
	case layers.ELU:
		return one(e.op("Elu", []string{x}, floatAttr("alpha", or(l.Alpha, 1))), nil)
	case layers.PReLU:
		return one(e.op("PRelu", []string{x, e.constant(w[0])}), nil)
	case layers.Rescaling:
		return one(e.op("Add", []string{e.op("Mul", []string{x, e.scalar(or(l.Scale, 1))}), e.scalar(l.Offset)}), nil)
	case layers.Normalization:
		return one(e.scaled(l, x), nil)
	case layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D, layers.GaussianNoise,
		layers.GaussianDropout, layers.AlphaDropout, layers.ActivityRegularization, layers.RandomFlip, layers.RandomRotation,
		layers.RandomTranslation, layers.RandomZoom, layers.RandomContrast, layers.RandomBrightness:
		return one(x, nil) // of training only
	}
	return nil, errors.New("it has no counterpart in ONNX")
}

func or(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}

func orEach(v []int, def int) []int {
	out := slices.Clone(v)
	for i := range out {
		if out[i] == 0 {
			out[i] = def
		}
	}
	return out
}

func (e *exporter) bias(y string, w []array) string {
	if len(w) == 0 {
		return y
	}
	return e.op("Add", []string{y, e.constant(w[0])})
}

func (e *exporter) fold(op string, in []string) string {
	y := in[0]
	for _, x := range in[1:] {
		y = e.op(op, []string{y, x})
	}
	return y
}

// activation adds a function of a layer.
func (e *exporter) activation(x string, a activations.Activation) (string, error) {
	if a == nil {
		return x, nil
	}
	in := []string{x}
	if op, ok := map[string]string{
		"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "elu": "Elu", "selu": "Selu", "softplus": "Softplus",
		"softsign": "Softsign", "mish": "Mish", "exponential": "Exp", "gelu": "Gelu",
	}[a.Name()]; ok {
		return e.op(op, in), nil
	}
	switch a.Name() {
	case "linear":
		return x, nil
	case "softmax":
		return e.op("Softmax", in, intAttr("axis", -1)), nil
	case "log_softmax":
		return e.op("LogSoftmax", in, intAttr("axis", -1)), nil
	case "silu":
		return e.op("Mul", []string{x, e.op("Sigmoid", in)}), nil
	case "leaky_relu":
		return e.op("LeakyRelu", in, floatAttr("alpha", 0.2)), nil
	case "relu6":
		return e.op("Clip", []string{x, e.scalar(0), e.scalar(6)}), nil
	case "hard_sigmoid":
		return e.op("HardSigmoid", in, floatAttr("alpha", 1.0/6), floatAttr("beta", 0.5)), nil
	}
	return "", fmt.Errorf("its activation %q has no counterpart in ONNX", a.Name())
}

func (e *exporter) relu(l layers.ReLU, x string) string {
	y := e.op("Relu", []string{x})
	if l.NegativeSlope != 0 || l.Threshold != 0 {
		below := e.op("Mul", []string{e.op("Sub", []string{x, e.scalar(l.Threshold)}), e.scalar(l.NegativeSlope)})
		y = e.op("Where", []string{e.op("Greater", []string{x, e.scalar(l.Threshold)}), x, below})
	}
	if l.MaxValue > 0 {
		y = e.op("Min", []string{y, e.scalar(l.MaxValue)})
	}
	return y
}

func (e *exporter) scaled(l layers.Normalization, x string) string {
	mean, deviation := make([]float32, len(l.Mean)), make([]float32, len(l.Mean))
	for i := range mean {
		mean[i], deviation[i] = float32(l.Mean[i]), float32(math.Max(math.Sqrt(l.Variance[i]), 1e-7))
	}
	m, d := e.floats(mean, len(mean)), e.floats(deviation, len(mean))
	if l.Invert {
		return e.op("Add", []string{e.op("Mul", []string{x, d}), m})
	}
	return e.op("Div", []string{e.op("Sub", []string{x, m}), d})
}

func (e *exporter) timeDistributed(l layers.TimeDistributed, w []array, x string, shape, out layers.Shape) ([]string, error) {
	if _, ok := l.Layer.(*dl.Model); ok {
		return nil, errors.New("a model for each step has no counterpart in ONNX here")
	}
	each := e.op("Reshape", []string{x, e.ints(append([]int{-1}, shape[1:]...)...)})
	y, err := e.plain(l.Layer, w, []string{each}, []layers.Shape{shape[1:]}, out[1:])
	if err != nil {
		return nil, err
	}
	return one(e.op("Reshape", []string{y[0], e.ints(append([]int{-1}, out...)...)}), nil)
}
