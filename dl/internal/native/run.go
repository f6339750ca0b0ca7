//go:build cgo && (linux || darwin) && (amd64 || arm64)

package native

/*
#include <stdlib.h>
#include "list.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Array is what a kernel reads or writes.
type Array struct {
	Dims   []int
	Values []float32
	// Bytes are the values of an input of whole numbers of 8 bits.
	Bytes []int8
}

// Make is an array of zeros.
func Make(dims ...int) Array {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return Array{Dims: dims, Values: make([]float32, n)}
}

// Run computes a kernel of a set of instructions without XLA, in this thread, into out. It is how
// kernels are compared with their twins. dots has it use instructions for products of bytes.
func Run(set string, dots bool, name string, settings []int, in, out []Array) error {
	handler := handlers(set, dots)[name]
	if handler == nil {
		return fmt.Errorf("expected a kernel, got %q of %q", name, set)
	}
	var all []unsafe.Pointer
	defer func() {
		for _, p := range all {
			C.free(p)
		}
	}()
	allocate := func(size int) unsafe.Pointer {
		p := C.calloc(C.size_t(size+1), 1)
		all = append(all, p)
		return p
	}
	integers := func(values []int) *C.int64_t {
		p := allocate(8 * len(values))
		for i, v := range values {
			unsafe.Slice((*int64)(p), len(values))[i] = int64(v)
		}
		return (*C.int64_t)(p)
	}
	buffers := func(arrays []Array) (*C.ffi_buffer, []unsafe.Pointer) {
		b := (*C.ffi_buffer)(allocate(int(unsafe.Sizeof(C.ffi_buffer{})) * len(arrays)))
		var data []unsafe.Pointer
		for i, a := range arrays {
			p, dtype := allocate(max(4*len(a.Values), len(a.Bytes))), C.int(C.FFI_F32)
			if a.Bytes != nil {
				dtype = C.FFI_S8
			}
			copy(unsafe.Slice((*float32)(p), len(a.Values)), a.Values)
			copy(unsafe.Slice((*int8)(p), len(a.Bytes)), a.Bytes)
			unsafe.Slice(b, len(arrays))[i] = C.ffi_buffer{dtype: dtype, data: p, rank: C.int64_t(len(a.Dims)), dims: integers(a.Dims)}
			data = append(data, p)
		}
		return b, data
	}
	args, _ := buffers(in)
	results, made := buffers(out)
	if wrong := C.gradbook_run((*C.ffi_handler)(handler), C.int(len(in)), args, C.int(len(out)), results, integers(settings), C.int(len(settings))); wrong != nil {
		return errors.New(C.GoString(wrong))
	}
	for i, p := range made {
		copy(out[i].Values, unsafe.Slice((*float32)(p), len(out[i].Values)))
	}
	return nil
}
