//go:build mpi && cgo

package mpi

/*
#cgo pkg-config: mpi-c
#cgo CFLAGS: -O2 -Wall
#include <stdlib.h>
#include "sum.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/gradbook/gradbook/dl/internal/plugin"
)

func start() (rank, size int, err error) {
	var r, n C.int
	if why := C.gradbook_mpi_start(&r, &n); why != nil {
		return 0, 1, errors.New(C.GoString(why))
	}
	return int(r), int(n), nil
}

func stop() { C.gradbook_mpi_stop() }

func broadcast(b []byte) {
	const most = 1 << 30 // what a C int can say
	for len(b) > 0 {
		n := min(most, len(b))
		C.gradbook_mpi_broadcast(unsafe.Pointer(&b[0]), C.int(n))
		b = b[n:]
	}
}

func abort(text string) {
	fmt.Fprint(os.Stderr, text)
	C.gradbook_mpi_abort()
}

// Enable makes the foreign function known to a plugin, if there are several processes.
func Enable(p *plugin.Plugin) error {
	if !Together() {
		return nil
	}
	if err := p.Foreign(map[string]unsafe.Pointer{handler: C.gradbook_mpi_handler()}); err != nil {
		return fmt.Errorf("training by several processes needs XLA's pinned plugin for the CPU: %w", err)
	}
	return nil
}
