//go:build cgo && linux

package device

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>

// A training step frees its large buffers, and the next one wants them again.
// glibc gives them back to the system in between and takes a page fault for
// every 4 KiB of them; the thresholds make it keep what it has. With an arena
// for each of XLA's threads it would keep it several times over; two take a
// fifth less memory, and are no slower.
static void tune(void) {
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 32 << 20); // the largest that glibc takes
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
}
#else
static void tune(void) {}
#endif
*/
import "C"

import (
	"os"
	"sync"
)

// tuneAllocator must run before the plugin allocates. Settings that somebody
// made in the environment are left alone.
var tuneAllocator = sync.OnceFunc(func() {
	if os.Getenv("MALLOC_MMAP_THRESHOLD_") == "" && os.Getenv("MALLOC_TRIM_THRESHOLD_") == "" {
		C.tune()
	}
})
