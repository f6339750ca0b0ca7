// Package memory says how much memory a program may use.
package memory

import (
	"sync"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// Limit is how many bytes of memory the program may use: those of the machine, or those
// that its container is limited to if these are fewer; 0 if neither is known. It is asked
// once.
//
// Source: Linux's control groups, version 1 and 2, https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files.
func Limit() uint64 { return limit() }

var limit = sync.OnceValue(func() uint64 { return least(memlimit.FromSystem, memlimit.FromCgroup) })

// least is the least that any of them knows.
func least(providers ...memlimit.Provider) (least uint64) {
	for _, p := range providers {
		if n, err := p(); err == nil && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}
