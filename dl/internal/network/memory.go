package network

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/memory"
)

// wantMemory reports weights for which there is not enough memory: Go ends a program that asks
// for more than there is, and everything in it would be lost.
func wantMemory(name string, shape layers.Shape) error {
	if !fits(shape...) {
		return fmt.Errorf("expected weights that fit into the %d MB of memory, got %q of shape %v", memory.Limit()>>20, name, []int(shape))
	}
	return nil
}

// wantRoom reports an output for which there is not enough memory, which ends XLA's compiler, and
// the program with it.
func wantRoom(batch int, shape layers.Shape) error {
	if !fits(append([]int{batch}, shape...)...) {
		return fmt.Errorf("expected an output that fits into the %d MB of memory, got one of shape %v for a batch of %d", memory.Limit()>>20, shape, batch)
	}
	return nil
}

// fits says whether a tensor of float32 fits into memory.
func fits(dims ...int) bool {
	limit := memory.Limit()
	if limit == 0 {
		limit = 1 << 46
	}
	size := uint64(4)
	for _, d := range dims {
		if d > 0 && size > limit/uint64(d) {
			return false
		}
		size *= uint64(d)
	}
	return true
}
