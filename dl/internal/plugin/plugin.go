//go:build cgo && (linux || darwin)

package plugin

/*
#cgo CFLAGS: -O2
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "kept.h"
#include "table.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/gomlx/go-xla/pjrt"
)

// The versions of PJRT's interface that work: of the oldest that was tried on.
const (
	apiMajor    = 0
	apiMinorMin = 81
)

// Plugin is one that is loaded, for good.
type Plugin struct {
	// Name is what go-xla knows it by: "/cpu", "/cuda", with a number from the second on.
	Name string
	// Major and Minor are the version of PJRT's interface.
	Major, Minor int

	table *C.PJRT_Api
	real  *C.PJRT_Api // the plugin's own

	library unsafe.Pointer
	blocks  sync.Once
}

var (
	mu     sync.Mutex
	loaded = map[string]*Plugin{}
)

// Open loads the plugin at a path and makes it known to go-xla. The kind is "cpu" or
// "cuda": go-xla tells by a plugin's name what it can do, for which a path will not do,
// as /home/nvidia may hold a plugin for the CPU. Its name begins as a path does, so that
// nothing is searched for or downloaded.
func Open(path, kind string) (*Plugin, error) {
	mu.Lock()
	defer mu.Unlock()
	if p, ok := loaded[path]; ok {
		return p, nil
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	p := &Plugin{Name: "/" + kind}
	for _, other := range loaded {
		if other.Name == p.Name {
			p.Name = fmt.Sprintf("/%s-%d", kind, len(loaded))
		}
	}
	if wrong := C.gradbook_open(name, &p.table, &p.real, &p.library); wrong != nil { //nolint:gocritic // what cgo makes of it
		return nil, errors.New(C.GoString(wrong))
	}
	p.Major, p.Minor = int(p.table.pjrt_api_version.major_version), int(p.table.pjrt_api_version.minor_version)
	if p.Major != apiMajor || p.Minor < apiMinorMin {
		return nil, fmt.Errorf("expected version %d.%d or newer of PJRT's interface, got %d.%d", apiMajor, apiMinorMin, p.Major, p.Minor)
	}
	if err := pjrt.RegisterPreloadedPlugin(p.Name, uintptr(unsafe.Pointer(p.table))); err != nil {
		return nil, err
	}
	loaded[path] = p
	return p, nil
}

// Pending is what devices have been told to do and may not have done.
type Pending struct {
	table  *C.PJRT_Api
	events []*C.PJRT_Event
}

// Ahead calls f, in which the programs that are executed are not waited for. What they
// return can be given to others, and be read: then the device is waited for.
func (p *Plugin) Ahead(f func() error) (pending *Pending, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pending = &Pending{table: p.table}
	C.gradbook_ahead()
	defer func() { // also after a panic: the thread goes on
		var events **C.PJRT_Event
		n := C.gradbook_behind(&events) //nolint:gocritic // what cgo makes of it
		pending.events = append(pending.events, unsafe.Slice(events, n)...)
		if err != nil {
			err = errors.Join(err, pending.Wait())
		}
	}()
	return pending, f()
}

// Wait waits, and returns the first error.
func (p *Pending) Wait() (err error) {
	if len(p.events) == 0 {
		return nil
	}
	message := (*C.char)(C.malloc(messageSize))
	defer C.free(unsafe.Pointer(message))
	for _, e := range p.events {
		if C.gradbook_await(p.table, e, message, messageSize) != 0 && err == nil {
			err = errors.New(C.GoString(message))
		}
	}
	p.events = nil
	return err
}

const messageSize = 4096

// Done says whether Wait would return at once.
func (p *Pending) Done() bool {
	for _, e := range p.events {
		if C.gradbook_ready(p.table, e) == 0 {
			return false
		}
	}
	return true
}

// With calls f, in which programs are compiled with these options of XLA.
func With(options []Option, f func() error) error {
	if len(options) == 0 {
		return f()
	}
	bytes := overrides(options)
	c := C.CBytes(bytes)
	defer C.free(c)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.gradbook_options((*C.char)(c), C.size_t(len(bytes)))
	defer C.gradbook_options(nil, 0)
	return f()
}
