//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

/*
#cgo CFLAGS: -O2 -g0 -Wall
#cgo LDFLAGS: -lm
#include "list.h"
*/
import "C"

import (
	"unsafe"

	"github.com/gradbook/gradbook/dl/internal/plugin"
)

// register makes the kernels of a set of instructions known to a plugin.
func register(p *plugin.Plugin, set string) error {
	C.gradbook_processors = C.int(processors())
	return p.Foreign(handlers(set, hasDots(set)))
}

// handlers are the kernels of a set of instructions by name, with those for products of bytes where
// dots says so.
func handlers(set string, dots bool) map[string]unsafe.Pointer {
	all := make(map[string]unsafe.Pointer)
	add := func(kernel func(i C.int) C.kernel) {
		for i := C.int(0); ; i++ {
			k := kernel(i)
			if k.name == nil {
				return
			}
			all[C.GoString(k.name)] = unsafe.Pointer(k.handler)
		}
	}
	n := C.int(lanes[set])
	add(func(i C.int) C.kernel { return C.gradbook_kernel(n, i) })
	if dots {
		add(func(i C.int) C.kernel { return C.gradbook_dot_kernel(n, i) })
	}
	return all
}
