package plain

import "math"

type whole8 interface{ int8 | uint8 }

// quantize makes whole numbers: v/scale + zero, rounded to even and kept within the type.
// scale and zero are one number, or one for each place along an axis.
func quantize[Q whole8](m *memory, x tensor[float32], scale []float32, zero []Q, axis int) tensor[Q] {
	y := alloc[Q](m, x.shape...)
	low, high := 0.0, 255.0
	if _, signed := any(y.data).([]int8); signed {
		low, high = -128, 127
	}
	n, inner := scales(x.shape, len(scale), axis)
	for i, v := range x.data {
		at := i / inner % n
		r := math.RoundToEven(float64(v / scale[at]))
		if len(zero) > 0 {
			r += float64(zero[at])
		}
		if r != r {
			fail("expected a number to round, got NaN")
		}
		y.data[i] = Q(max(low, min(high, r)))
	}
	return y
}

// dequantize is (v - zero) · scale.
func dequantize[Q int8 | uint8 | int32](m *memory, x tensor[Q], scale []float32, zero []Q, axis int) tensor[float32] {
	y := alloc[float32](m, x.shape...)
	n, inner := scales(x.shape, len(scale), axis)
	for i, v := range x.data {
		at := i / inner % n
		r := int(v)
		if len(zero) > 0 {
			r -= int(zero[at])
		}
		y.data[i] = float32(r) * scale[at]
	}
	return y
}

// scales are how many scales there are, and how many numbers behind one another have one.
func scales(shape []int, n, axis int) (scales, inner int) {
	if n == 1 {
		return 1, 1
	}
	axis = axisOf(axis, len(shape))
	if shape[axis] != n {
		fail("expected %d scales along axis %d, got %d", shape[axis], axis, n)
	}
	return n, max(1, count(shape[axis+1:]))
}
