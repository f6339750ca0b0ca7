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

// first puts the channels first, last puts them last again.
func (e *exporter) first(x string, rank int) string {
	perm := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		perm = append(perm, i)
	}
	return e.op("Transpose", []string{x}, intsAttr("perm", perm...))
}

func (e *exporter) last(x string, rank int) string {
	perm := []int{0}
	for i := 2; i < rank; i++ {
		perm = append(perm, i)
	}
	return e.op("Transpose", []string{x}, intsAttr("perm", append(perm, 1)...))
}

// pads is what a window has before and behind each axis, first all before.
func pads(p layers.Padding, shape, window, strides, dilation []int) []int {
	n := len(window)
	out := make([]int, 2*n)
	for i := range n {
		size := (window[i]-1)*dilation[i] + 1
		switch p {
		case layers.Same:
			total := max(((shape[i]+strides[i]-1)/strides[i]-1)*strides[i]+size-shape[i], 0)
			out[i], out[n+i] = total/2, total-total/2
		case layers.Causal:
			out[i] = size - 1
		}
	}
	return out
}

func (e *exporter) conv(x string, shape []int, w []array, strides, dilation []int, p layers.Padding, groups int) string {
	kernel := w[0]
	n := len(kernel.dims) - 2
	window := kernel.dims[:n]
	strides, dilation = orEach(strides, 1), orEach(dilation, 1)
	axes := []int{n + 1, n}
	for i := range n {
		axes = append(axes, i)
	}
	in := []string{e.first(x, n+2), e.constant(kernel.permuted(axes...))}
	if len(w) > 1 {
		in = append(in, e.constant(w[1]))
	}
	y := e.op("Conv", in, intsAttr("kernel_shape", window...), intsAttr("strides", strides...), intsAttr("dilations", dilation...),
		intAttr("group", groups), intsAttr("pads", pads(p, shape, window, strides, dilation)...))
	return e.last(y, n+2)
}

// depthwise makes of a kernel for each channel one of as many groups.
func depthwise(k array) array {
	n := len(k.dims)
	dims := append(slices.Clone(k.dims[:n-2]), 1, k.dims[n-2]*k.dims[n-1])
	return k.reshaped(dims...)
}

func (e *exporter) separable(x string, shape []int, w []array, strides, dilation []int, p layers.Padding) string {
	y := e.conv(x, shape, []array{depthwise(w[0])}, strides, dilation, p, shape[len(shape)-1])
	d := w[1].dims
	y = e.op("MatMul", []string{y, e.constant(w[1].reshaped(d[len(d)-2], d[len(d)-1]))})
	return e.bias(y, w[2:])
}

func (e *exporter) convTranspose(x string, rank int, w []array, strides, dilation []int, p layers.Padding) string {
	n := rank - 2
	strides, dilation = orEach(strides, 1), orEach(dilation, 1)
	axes := []int{n + 1, n}
	around, more := make([]int, 2*n), make([]int, n)
	for i := range n {
		axes = append(axes, i)
		size := (w[0].dims[i]-1)*dilation[i] + 1
		if p == layers.Same {
			total := max(size-strides[i], 0)
			around[i], around[n+i] = total/2, total-total/2
		}
		more[i] = max(strides[i]-size, 0)
	}
	in := []string{e.first(x, rank), e.constant(w[0].permuted(axes...))}
	if len(w) > 1 {
		in = append(in, e.constant(w[1]))
	}
	y := e.op("ConvTranspose", in, intsAttr("strides", strides...), intsAttr("dilations", dilation...),
		intsAttr("pads", around...), intsAttr("output_padding", more...))
	return e.last(y, rank)
}

func (e *exporter) pool(op, x string, shape, size, strides []int, p layers.Padding) string {
	size = orEach(size, 2)
	for i := range size {
		if strides[i] == 0 {
			strides = slices.Clone(strides)
			strides[i] = size[i]
		}
	}
	rank := len(size) + 2
	y := e.op(op, []string{e.first(x, rank)}, intsAttr("kernel_shape", size...), intsAttr("strides", strides...),
		intsAttr("pads", pads(p, shape, size, strides, orEach(make([]int, len(size)), 1))...))
	return e.last(y, rank)
}

func (e *exporter) global(op, x string, rank int, keep bool) string {
	var axes []int
	for i := 1; i < rank-1; i++ {
		axes = append(axes, i)
	}
	dims := 0
	if keep {
		dims = 1
	}
	return e.op(op, []string{x, e.ints(axes...)}, intAttr("keepdims", dims))
}

func (e *exporter) resize(x string, rank int, size []int, how string) string {
	scales := []float32{1, 1}
	for _, s := range orEach(size, 2) {
		scales = append(scales, float32(s))
	}
	attrs := []attr{textAttr("mode", how), textAttr("coordinate_transformation_mode", "half_pixel")}
	if how == "nearest" {
		attrs = []attr{textAttr("mode", how), textAttr("coordinate_transformation_mode", "asymmetric"), textAttr("nearest_mode", "floor")}
	}
	return e.last(e.op("Resize", []string{e.first(x, rank), "", e.floats(scales, len(scales))}, attrs...), rank)
}

func (e *exporter) pad(x string, amounts [][2]int) string {
	before, behind := []int{0}, []int{0}
	for _, a := range amounts {
		before, behind = append(before, a[0]), append(behind, a[1])
	}
	return e.op("Pad", []string{x, e.ints(append(append(before, 0), append(behind, 0)...)...)})
}

func (e *exporter) crop(x string, shape []int, amounts [][2]int) string {
	var from, to, axes []int
	for i, a := range amounts {
		from, to, axes = append(from, a[0]), append(to, shape[i]-a[1]), append(axes, i+1)
	}
	return e.op("Slice", []string{x, e.ints(from...), e.ints(to...), e.ints(axes...)})
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

func (e *exporter) normalization(l layers.Layer, w []array, x string, shape layers.Shape) (string, error) {
	lastAxis := func(axis int) bool { return axis == 0 || axis == -1 || axis == len(shape) }
	next := func() array {
		a := w[0]
		w = w[1:]
		return a
	}
	scaleShift := func(y string, noScale, noCenter bool) string {
		if !noScale {
			y = e.op("Mul", []string{y, e.constant(next())})
		}
		if !noCenter {
			y = e.op("Add", []string{y, e.constant(next())})
		}
		return y
	}
	root := func(square string, epsilon float64) string {
		return e.op("Sqrt", []string{e.op("Add", []string{square, e.scalar(epsilon)})})
	}
	switch l := l.(type) {
	case layers.BatchNormalization:
		if !lastAxis(l.Axis) {
			break
		}
		n := w[len(w)-1].dims[0]
		mean, variance := w[len(w)-2].values, w[len(w)-1].values
		factor, shift := make([]float32, n), make([]float32, n)
		for i := range n {
			factor[i] = float32(1 / math.Sqrt(float64(variance[i])+or(l.Epsilon, 1e-3)))
		}
		if !l.NoScale {
			for i, g := range next().values {
				factor[i] *= g
			}
		}
		for i := range n {
			shift[i] = -mean[i] * factor[i]
		}
		if !l.NoCenter {
			for i, b := range next().values {
				shift[i] += b
			}
		}
		return e.op("Add", []string{e.op("Mul", []string{x, e.floats(factor, n)}), e.floats(shift, n)}), nil
	case layers.LayerNormalization:
		axes := l.Axes
		if axes == nil {
			axes = []int{-1}
		}
		if len(axes) != 1 || !lastAxis(axes[0]) {
			break
		}
		y := x
		if !l.RMSScaling {
			y = e.op("Sub", []string{x, e.op("ReduceMean", []string{x, e.ints(-1)})})
		}
		y = e.op("Div", []string{y, root(e.op("ReduceMean", []string{e.op("Mul", []string{y, y}), e.ints(-1)}), or(l.Epsilon, 1e-3))})
		return scaleShift(y, l.NoScale && !l.RMSScaling, l.NoCenter || l.RMSScaling), nil
	case layers.RMSNormalization:
		if !lastAxis(l.Axis) {
			break
		}
		y := e.op("Div", []string{x, root(e.op("ReduceMean", []string{e.op("Mul", []string{x, x}), e.ints(-1)}), or(l.Epsilon, 1e-6))})
		return scaleShift(y, false, true), nil
	case layers.GroupNormalization:
		if !lastAxis(l.Axis) {
			break
		}
		channels := shape[len(shape)-1]
		groups := l.Groups
		switch groups {
		case 0:
			groups = 32
		case -1:
			groups = channels
		}
		rank := len(shape) + 1
		y := x
		if rank > 2 {
			y = e.first(x, rank)
		}
		y = e.op("Reshape", []string{y, e.ints(0, groups, -1)})
		ones, zeros := make([]float32, groups), make([]float32, groups)
		for i := range ones {
			ones[i] = 1
		}
		y = e.op("InstanceNormalization", []string{y, e.floats(ones, groups), e.floats(zeros, groups)}, floatAttr("epsilon", or(l.Epsilon, 1e-3)))
		y = e.op("Reshape", []string{y, e.ints(append([]int{-1, channels}, shape[:len(shape)-1]...)...)})
		if rank > 2 {
			y = e.last(y, rank)
		}
		return scaleShift(y, l.NoScale, l.NoCenter), nil
	case layers.UnitNormalization:
		if len(l.Axes) > 1 || len(l.Axes) == 1 && !lastAxis(l.Axes[0]) {
			break
		}
		return e.op("Div", []string{x, e.op("Max", []string{e.op("ReduceL2", []string{x, e.ints(-1)}), e.scalar(1e-6)})}), nil
	}
	return "", errors.New("along other axes than the last it has no counterpart in ONNX here")
}

func (e *exporter) attention(l layers.MultiHeadAttention, w []array, in []string, shapes []layers.Shape) ([]string, error) {
	query, value, key := in[0], in[min(1, len(in)-1)], in[len(in)-1]
	per := 2
	if l.NoBias {
		per = 1
	}
	project := func(x string, w []array, perm ...int) string {
		d := w[0].dims
		y := e.op("MatMul", []string{x, e.constant(w[0].reshaped(d[0], d[1]*d[2]))})
		if len(w) > 1 {
			y = e.op("Add", []string{y, e.constant(w[1].reshaped(d[1] * d[2]))})
		}
		return e.op("Transpose", []string{e.op("Reshape", []string{y, e.ints(0, 0, d[1], d[2])})}, intsAttr("perm", perm...))
	}
	q := project(query, w[:per], 0, 2, 1, 3)
	k := project(key, w[per:2*per], 0, 2, 3, 1)
	v := project(value, w[2*per:3*per], 0, 2, 1, 3)
	q = e.op("Mul", []string{q, e.scalar(1 / math.Sqrt(float64(l.KeyDim)))})
	scores := e.op("MatMul", []string{q, k})
	if l.UseCausalMask {
		target, source := shapes[0][0], shapes[len(shapes)-1][0]
		mask := make([]float32, target*source)
		for i := range target {
			for j := i + 1; j < source; j++ {
				mask[i*source+j] = -1e9
			}
		}
		scores = e.op("Add", []string{scores, e.floats(mask, target, source)})
	}
	scores = e.op("Softmax", []string{scores}, intAttr("axis", -1))
	y := e.op("Transpose", []string{e.op("MatMul", []string{scores, v})}, intsAttr("perm", 0, 2, 1, 3))
	o := w[3*per]
	y = e.op("MatMul", []string{e.op("Reshape", []string{y, e.ints(0, 0, -1)}), e.constant(o.reshaped(o.dims[0]*o.dims[1], o.dims[2]))})
	return []string{e.bias(y, w[3*per+1:]), scores}, nil
}
