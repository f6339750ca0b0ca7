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
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
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

// foreignPrefix begins the names of functions that stand for foreign ones.
const foreignPrefix = "gradbook_foreign__"

// Target is the name of a function in a program whose calls become calls of a foreign one, with
// whole numbers as settings. GoMLX knows only the calls of a program's functions, so that one of
// the same inputs and outputs stands for it. id tells functions of a program apart.
func Target(name string, settings []int, id int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s__%d", foreignPrefix, name, id)
	for _, s := range settings {
		fmt.Fprintf(&b, "_%d", s)
	}
	return b.String()
}

var call = regexp.MustCompile(`"func\.call"(\([^)]*\)) ?\{ ?callee = @` + foreignPrefix + `([a-z0-9]+(?:_[a-z0-9]+)*?)__[0-9]+((?:_[0-9]+)*) ?\}`)

// rewritten is a program's text with calls of foreign functions; nil if it has none.
func rewritten(text []byte) []byte {
	if !bytes.Contains(text, []byte("@"+foreignPrefix)) {
		return nil
	}
	return call.ReplaceAllFunc(text, func(found []byte) []byte {
		m := call.FindSubmatch(found)
		config := "{}"
		if len(m[3]) > 0 {
			config = "{settings = array<i64: " + strings.ReplaceAll(string(m[3][1:]), "_", ", ") + ">}"
		}
		return fmt.Appendf(nil, `"stablehlo.custom_call"%s {call_target_name = %q, api_version = 4 : i32, backend_config = %s}`, m[1], m[2], config)
	})
}

//export gradbookRewrite
func gradbookRewrite(text *C.char, size C.size_t, newSize *C.size_t) *C.char {
	out := rewritten(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(size)))
	if out == nil {
		return nil
	}
	*newSize = C.size_t(len(out))
	return (*C.char)(C.CBytes(out))
}
