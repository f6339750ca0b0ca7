package dl

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/layers"
)

// OutOfMemoryError says that a device had too little memory: how much was wanted, for
// what, and what to lower. The model can be used on: it is as it was when the epoch began, or
// has learned what it had until then.
type OutOfMemoryError = engine.OutOfMemoryError

// forBatch says what to do if the memory did not suffice for a batch.
func forBatch(err error, size int) error {
	return engine.OutOfMemory(err, fmt.Sprintf("a batch of %d examples", size),
		"lower the batch size, make the model smaller, or compute in half precision (SetDTypePolicy); other notebooks on the same device hold memory too")
}

// memory is how much the machine has, in bytes; 0 if that is not known.
var memory = sync.OnceValue(func() uint64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kb uint64
		if rest, ok := strings.CutPrefix(s.Text(), "MemTotal:"); ok {
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return kb << 10
			}
		}
	}
	return 0
})

// wantMemory reports weights that the machine cannot hold: Go ends a program that asks
// for more than there is, and everything in it would be lost.
func wantMemory(name string, shape layers.Shape) error {
	if !fits(shape...) {
		return fmt.Errorf("expected weights that fit into the %d MB of memory, got %q of shape %v", memory()>>20, name, []int(shape))
	}
	return nil
}

// wantRoom reports an output that the machine cannot hold, which ends XLA's compiler, and
// the program with it.
func wantRoom(batch int, shape layers.Shape) error {
	if !fits(append([]int{batch}, shape...)...) {
		return fmt.Errorf("expected an output that fits into the %d MB of memory, got one of shape %v for a batch of %d", memory()>>20, shape, batch)
	}
	return nil
}

// fits says whether a tensor of float32 has fewer bytes than the machine.
func fits(dims ...int) bool {
	limit := memory()
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
