//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

/*
#cgo CFLAGS: -O2 -Wall
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
	return p.Foreign(handlers(set))
}

func handlers(set string) map[string]unsafe.Pointer {
	all := make(map[string]unsafe.Pointer)
	for i := 0; ; i++ {
		k := C.gradbook_kernel(C.int(lanes[set]), C.int(i))
		if k.name == nil {
			return all
		}
		all[C.GoString(k.name)] = unsafe.Pointer(k.handler)
	}
}
