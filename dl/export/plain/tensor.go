package plain

import (
	"fmt"
	"slices"
)

// tensor is numbers in rows, with the lengths of its axes.
type tensor[T any] struct {
	shape []int
	data  []T
}

// number is what tensors may hold, but for bool.
type number interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// failure is why something cannot be computed.
type failure struct{ text string }

func (f failure) Error() string { return f.text }

// fail ends a computation.
func fail(format string, args ...any) { panic(failure{text(format, args...)}) }

func text(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// recovered is the error of a computation that failed; anything else goes on as a panic.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r
	default:
		panic(r)
	}
}

// slack is how many numbers behind an array kernels may read.
const slack = 64

// memory keeps arrays that a computation is done with for its next steps. Only one
// computation may use it at a time.
type memory struct{ free [][]float32 }

// take returns an array of n numbers of any value, with slack behind them.
func (m *memory) take(n int) []float32 {
	best := -1
	for i, f := range m.free {
		if cap(f) >= n+slack && (best < 0 || cap(f) < cap(m.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return make([]float32, n, n+slack)
	}
	f := m.free[best]
	m.free = slices.Delete(m.free, best, best+1)
	return f[:n]
}

// give takes an array back.
func (m *memory) give(x []float32) { m.free = append(m.free, x) }

// alloc returns a tensor of any numbers.
func alloc[T any](m *memory, shape ...int) tensor[T] {
	t := tensor[T]{shape: shape}
	if data, ok := any(&t.data).(*[]float32); ok {
		*data = m.take(count(shape))
	} else {
		t.data = make([]T, count(shape))
	}
	return t
}

// clone is a copy of a tensor, to be written over.
func clone[T any](m *memory, x tensor[T]) tensor[T] {
	y := alloc[T](m, x.shape...)
	copy(y.data, x.data)
	return y
}

// count is how many numbers a shape has.
func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// steps are how far apart neighbours along each axis lie.
func steps(shape []int) []int {
	s, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// axisOf is an axis counted from the front.
func axisOf(axis, rank int) int {
	if axis < 0 {
		axis += rank
	}
	if axis < 0 || axis >= rank {
		fail("expected an axis of %d, got %d", rank, axis)
	}
	return axis
}

// around are the sizes before an axis, of it, and behind it.
func around(shape []int, axis int) (outer, n, inner int) {
	return count(shape[:axis]), shape[axis], count(shape[axis+1:])
}

// whole are the numbers of a tensor as lengths, axes or indices.
func whole(x tensor[int64]) []int {
	n := make([]int, len(x.data))
	for i, v := range x.data {
		n[i] = int(v)
	}
	return n
}
