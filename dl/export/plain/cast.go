package plain

import "math"

// cast makes numbers of another type. NaN and what the other type has no room for become
// whatever the processor makes of them, as ONNX leaves it open.
func cast[R, T number](m *memory, x tensor[T]) tensor[R] {
	y := alloc[R](m, x.shape...)
	for i, v := range x.data {
		y.data[i] = R(v)
	}
	return y
}

func castBool[R number](m *memory, x tensor[bool]) tensor[R] {
	y := alloc[R](m, x.shape...)
	for i, v := range x.data {
		y.data[i] = 0
		if v {
			y.data[i] = 1
		}
	}
	return y
}

func castToBool[T number](m *memory, x tensor[T]) tensor[bool] {
	y := alloc[bool](m, x.shape...)
	for i, v := range x.data {
		y.data[i] = v != 0
	}
	return y
}

func isNaN[T float](m *memory, x tensor[T]) tensor[bool] {
	y := alloc[bool](m, x.shape...)
	for i, v := range x.data {
		y.data[i] = math.IsNaN(float64(v))
	}
	return y
}

func isInf[T float](m *memory, x tensor[T], negative, positive bool) tensor[bool] {
	y := alloc[bool](m, x.shape...)
	for i, v := range x.data {
		y.data[i] = negative && math.IsInf(float64(v), -1) || positive && math.IsInf(float64(v), 1)
	}
	return y
}
