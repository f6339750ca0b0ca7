package plain

import "unsafe"

// Kernels get pointers, as those in assembly do; this is how Go's see what is behind them.

func from[T any](p *T, n int) []T { return unsafe.Slice(p, n) }

type pointer struct{ p *float32 }

// four are the numbers at an offset.
func (p pointer) four(at int) *[4]float32 {
	return (*[4]float32)(unsafe.Add(unsafe.Pointer(p.p), 4*at))
}
