package ops

// Reshape gives x other dimensions, with the batch; one of them may be −1, which is what is left.
func Reshape[T Value](x T, dims ...int) T { return along("reshape", x, dims) }

// Transpose puts the axes into another order.
func Transpose[T Value](x T, axes ...int) T { return along("transpose", x, axes) }

// SwapAxes exchanges two axes.
func SwapAxes[T Value](x T, a, b int) T { return along("swapaxes", x, []int{a, b}) }

// MoveAxis moves an axis to another place.
func MoveAxis[T Value](x T, from, to int) T { return along("moveaxis", x, []int{from, to}) }

// ExpandDims puts in an axis of size 1.
func ExpandDims[T Value](x T, axis int) T { return along("expand_dims", x, []int{axis}) }

// Squeeze takes out axes of size 1.
func Squeeze[T Value](x T, axes ...int) T { return along("squeeze", x, axes) }

// BroadcastTo repeats x along axes of size 1, and along new ones in front, up to these
// dimensions, with the batch.
func BroadcastTo[T Value](x T, dims ...int) T { return along("broadcast_to", x, dims) }

// Concatenate puts values one behind the other along an axis.
func Concatenate[T Value](all []T, axis int) T {
	return apply(operation{Op: "concatenate", Ints: []int{axis}}, all...)
}

// Stack puts values of one shape beside each other along a new axis.
func Stack[T Value](all []T, axis int) T {
	return apply(operation{Op: "stack", Ints: []int{axis}}, all...)
}

// Flip turns the order along axes round.
func Flip[T Value](x T, axes ...int) T { return along("flip", x, axes) }

// Repeat puts each value n times, one behind the other, along an axis.
func Repeat[T Value](x T, n, axis int) T { return along("repeat", x, []int{n, axis}) }

// Tile puts the whole of x n times, one behind the other, along an axis.
func Tile[T Value](x T, n, axis int) T { return along("tile", x, []int{n, axis}) }

// Pad puts so many times a value before and behind an axis.
func Pad[T Value](x T, axis, before, behind int, value float64) T {
	return apply(operation{Op: "pad", Ints: []int{axis, before, behind}, Numbers: []float64{value}}, x)
}

// Slice takes the places from, …, to − 1 along an axis; a negative to counts from the end, and 0
// is the end.
func Slice[T Value](x T, axis, from, to int) T { return along("slice", x, []int{axis, from, to}) }

// Take takes the places that indices name along an axis, of any shape. Indices are whole numbers.
func Take[T Value](x, indices T, axis int) T {
	return apply(operation{Op: "take", Ints: []int{axis}}, x, indices)
}

// Cast gives x another type: "float32", "int32" or "bool".
func Cast[T Value](x T, dtype string) T { return apply(operation{Op: "cast", Text: dtype}, x) }
