//go:build cgo && (linux || darwin)

package plugin

/*
#include <stdlib.h>
#include "table.h"
extern char *gradbookRewrite(char *text, size_t size, size_t *newSize);
static void gradbook_use_rewriter(void) { gradbook_rewrite = gradbookRewrite; }
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// foreignMinors are the versions of PJRT's interface whose description of the extension for
// foreign functions is the one in table.c; with another the plugin would crash.
var foreignMinors = map[int]bool{115: true}

// Foreign makes C functions known to the plugin: handlers of XLA's foreign function interface, by
// name. Programs call them as functions of the names that Target makes. It reports a plugin that
// takes none.
func (p *Plugin) Foreign(handlers map[string]unsafe.Pointer) error {
	if !foreignMinors[p.Minor] {
		return fmt.Errorf("foreign functions are not tried with version %d.%d of PJRT's interface", p.Major, p.Minor)
	}
	message := (*C.char)(C.malloc(messageSize))
	defer C.free(unsafe.Pointer(message))
	for name, handler := range handlers {
		c := C.CString(name)
		failed := C.gradbook_handler(p.table, c, handler, message, messageSize) != 0
		C.free(unsafe.Pointer(c))
		if failed {
			return errors.New(C.GoString(message))
		}
	}
	useRewriter()
	return nil
}

var useRewriter = sync.OnceFunc(func() { C.gradbook_use_rewriter() })

//export gradbookRewrite
func gradbookRewrite(text *C.char, size C.size_t, newSize *C.size_t) *C.char {
	out := rewritten(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(size)))
	if out == nil {
		return nil
	}
	*newSize = C.size_t(len(out))
	return (*C.char)(C.CBytes(out))
}
