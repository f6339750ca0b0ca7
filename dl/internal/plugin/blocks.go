//go:build cgo && (linux || darwin)

package plugin

/*
#include <stddef.h>
#include "blocks.h"
*/
import "C"

import "time"

// kept is how long memory is kept that no program has used.
const kept = 10 * time.Second

// KeepBlocks has the plugin keep large blocks of memory for its next program, for some seconds.
func (p *Plugin) KeepBlocks() {
	p.blocks.Do(func() {
		if C.gradbook_blocks(p.library) == 0 {
			return
		}
		go func() {
			for range time.Tick(kept / 2) {
				TidyBlocks(kept.Seconds())
			}
		}()
	})
}

// TidyBlocks gives back what nobody has used for so many seconds.
func TidyBlocks(seconds float64) { C.gradbook_blocks_tidy(C.double(seconds)) }

// Blocks is how many bytes of large blocks plugins use, and how many are kept for them.
func Blocks() (used, kept int) {
	var u, k C.size_t
	C.gradbook_blocks_held(&u, &k)
	return int(u), int(k)
}
