package plain

import "math"

// batchNorm is applied in place with the statistics of training.
func batchNorm[T float](x tensor[T], scale, bias, mean, variance []T, epsilon float64) tensor[T] {
	c := 1
	if len(x.shape) > 1 {
		c = x.shape[1]
	}
	inner := count(x.shape[min(2, len(x.shape)):])
	for i := range scale {
		by := float64(scale[i]) / math.Sqrt(float64(variance[i])+epsilon)
		plus := float64(bias[i]) - float64(mean[i])*by
		a, b := T(by), T(plus)
		for o := i; o < len(x.data)/max(1, inner); o += c {
			v := x.data[o*inner:][:inner]
			for k := range v {
				v[k] = v[k]*a + b
			}
		}
	}
	return x
}

// standardize makes the mean of numbers 0 and their variance 1.
func standardize[T float](v []T, epsilon float64) (mean, inverse float64) {
	var sum, squares float64
	for _, a := range v {
		sum += float64(a)
	}
	mean = sum / float64(len(v))
	for _, a := range v {
		d := float64(a) - mean
		squares += d * d
	}
	inverse = 1 / math.Sqrt(squares/float64(len(v))+epsilon)
	for i, a := range v {
		v[i] = T((float64(a) - mean) * inverse)
	}
	return mean, inverse
}

// layerNorm works in place over the axes from one on. scale and bias are of those axes, or
// shorter; bias may be nil.
func layerNorm[T float](m *memory, x tensor[T], scale, bias *tensor[T], axis int, epsilon float64) tensor[T] {
	axis = axisOf(axis, len(x.shape))
	n := count(x.shape[axis:])
	for i := 0; n > 0 && i < len(x.data); i += n {
		standardize(x.data[i:i+n], epsilon)
	}
	return affine(m, x, scale, bias)
}

// rmsNorm is layerNorm without a mean.
func rmsNorm[T float](m *memory, x tensor[T], scale *tensor[T], axis int, epsilon float64) tensor[T] {
	axis = axisOf(axis, len(x.shape))
	n := count(x.shape[axis:])
	for i := 0; n > 0 && i < len(x.data); i += n {
		var squares float64
		for _, a := range x.data[i : i+n] {
			squares += float64(a) * float64(a)
		}
		by := 1 / math.Sqrt(squares/float64(n)+epsilon)
		for k, a := range x.data[i : i+n] {
			x.data[i+k] = T(float64(a) * by)
		}
	}
	return affine(m, x, scale, nil)
}

func affine[T float](m *memory, x tensor[T], scale, bias *tensor[T]) tensor[T] {
	if scale != nil {
		x = mul(m, x, *scale)
	}
	if bias != nil {
		x = add(m, x, *bias)
	}
	return x
}

// groupNorm standardizes groups of channels of each example, in place; as many groups as
// channels is instance normalization. scale and bias are of channels.
func groupNorm[T float](x tensor[T], scale, bias []T, groups int, epsilon float64) tensor[T] {
	c := x.shape[1]
	inner := count(x.shape[2:])
	n := c / groups * inner
	for i := 0; n > 0 && i < len(x.data); i += n {
		standardize(x.data[i:i+n], epsilon)
	}
	for i := range len(x.data) / max(1, inner) {
		a, b := scale[i%c*len(scale)/c], bias[i%c*len(bias)/c]
		v := x.data[i*inner:][:inner]
		for k := range v {
			v[k] = v[k]*a + b
		}
	}
	return x
}

// localResponse is local response normalization over so many channels.
func localResponse(m *memory, x tensor[float32], size int, alpha, beta, bias float64) tensor[float32] {
	y := alloc[float32](m, x.shape...)
	c, inner := x.shape[1], count(x.shape[2:])
	for i, v := range x.data {
		channel, from := i/inner%c, i/inner/c*c*inner+i%inner
		var sum float64
		for k := max(0, channel-(size-1)/2); k <= min(c-1, channel+size/2); k++ {
			w := float64(x.data[from+k*inner])
			sum += w * w
		}
		y.data[i] = float32(float64(v) / math.Pow(bias+alpha/float64(size)*sum, beta))
	}
	return y
}

func at[T any](x tensor[T]) *tensor[T] { return &x }
