//go:build cgo && (linux || darwin)

package device

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

// The head of PJRT's table of functions, which is the same in every version.
// Source: https://github.com/openxla/xla/blob/main/xla/pjrt/c/pjrt_c_api.h
struct head {
	size_t size;
	void *extensions;
	struct {
		size_t size;
		void *extensions;
		int major, minor;
	} version;
};

// versionOf loads a plugin, which stays loaded, and reads its version. It returns what
// is wrong, or null.
static const char *versionOf(const char *path, int *major, int *minor) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (library == NULL) return dlerror();
	const struct head *(*get)(void) = (const struct head *(*)(void))dlsym(library, "GetPjrtApi");
	if (get == NULL) return "it is no PJRT plugin: it has no function GetPjrtApi";
	const struct head *api = get();
	if (api == NULL) return "its GetPjrtApi returns nothing";
	*major = api->version.major;
	*minor = api->version.minor;
	return NULL;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// The versions of PJRT's interface that work: of the oldest that was tried on.
const (
	apiMajor    = 0
	apiMinorMin = 81
)

// checkVersion reports a plugin that cannot be loaded, or whose interface is another;
// calling its functions would end in a crash.
func checkVersion(path string) error {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var major, minor C.int
	if wrong := C.versionOf(name, &major, &minor); wrong != nil {
		return errors.New(C.GoString(wrong))
	}
	if major != apiMajor || minor < apiMinorMin {
		return fmt.Errorf("expected version %d.%d or newer of PJRT's interface, got %d.%d", apiMajor, apiMinorMin, major, minor)
	}
	return nil
}
