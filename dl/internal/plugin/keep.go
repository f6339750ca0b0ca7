//go:build cgo && (linux || darwin)

package plugin

/*
#include <stdlib.h>
#include "kept.h"
extern char *gradbookFind(void *real, char *code, size_t code_size, char *options, size_t options_size, char *key, size_t *size);
extern void gradbookKeep(void *real, char *key, char *bytes, size_t size);
extern void gradbookRefuse(void *real, char *key);
static void gradbook_use_keeper(void) {
	gradbook_keeper = (struct gradbook_keeper){ gradbookFind, gradbookKeep, gradbookRefuse };
}
*/
import "C"

import (
	"sync"
	"unsafe"
)

var stores = struct {
	sync.RWMutex
	of map[unsafe.Pointer]*Store // by the plugin's own table
}{of: map[unsafe.Pointer]*Store{}}

// Keep has the programs that the plugin compiles kept in a store, and those that are there loaded
// from it. It does nothing with a plugin that cannot write programs or load them, nor with a folder
// that another user can write to. A nil store ends it.
func (p *Plugin) Keep(s *Store) {
	if C.gradbook_keeps(p.real) == 0 || s != nil && !s.private() {
		return
	}
	stores.Lock()
	defer stores.Unlock()
	stores.of[unsafe.Pointer(p.real)] = s
	C.gradbook_use_keeper()
}

func storeOf(own unsafe.Pointer) *Store {
	stores.RLock()
	defer stores.RUnlock()
	return stores.of[own]
}

//export gradbookFind
func gradbookFind(own unsafe.Pointer, code *C.char, codeSize C.size_t, options *C.char, optionsSize C.size_t, key *C.char, size *C.size_t) *C.char {
	s := storeOf(own)
	if s == nil {
		return nil
	}
	k := s.key(bytesOf(code, codeSize), bytesOf(options, optionsSize))
	copy(bytesOf(key, C.GRADBOOK_KEY), k)
	found := s.find(k)
	if found == nil {
		return nil
	}
	*size = C.size_t(len(found))
	return (*C.char)(C.CBytes(found))
}

//export gradbookKeep
func gradbookKeep(own unsafe.Pointer, key *C.char, program *C.char, size C.size_t) {
	if s := storeOf(own); s != nil {
		s.keep(string(bytesOf(key, C.GRADBOOK_KEY)), bytesOf(program, size))
	}
}

//export gradbookRefuse
func gradbookRefuse(own unsafe.Pointer, key *C.char) {
	if s := storeOf(own); s != nil {
		s.remove(string(bytesOf(key, C.GRADBOOK_KEY)))
	}
}

// bytesOf are C's, not copied.
func bytesOf(p *C.char, n C.size_t) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n)) }
