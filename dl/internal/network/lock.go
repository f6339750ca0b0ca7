package network

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// Lock is a mutex that can become one with others: what guards a network, and every network
// that shares layers with it. Networks without a layer in common run at the same time.
//
// The locks that have become one form a tree, and the mutex is that of its root.
type Lock struct {
	mu   sync.Mutex
	next atomic.Pointer[Lock] // nil at the root
	id   uint64
}

var locks atomic.Uint64

// NewLock makes a lock of its own.
func NewLock() *Lock { return &Lock{id: locks.Add(1)} }

func (l *Lock) root() *Lock {
	for {
		next := l.next.Load()
		if next == nil {
			return l
		}
		l = next
	}
}

// Lock implements sync.Locker.
func (l *Lock) Lock() {
	for {
		r := l.root()
		r.mu.Lock()
		if r.next.Load() == nil {
			return
		}
		r.mu.Unlock() // it has been joined to another meanwhile
	}
}

// Unlock implements sync.Locker. A lock that is held is not joined to another, so the root is
// that which was locked.
func (l *Lock) Unlock() { l.root().mu.Unlock() }

// Released runs f while the lock is free: for code of the user's, which may call what locks.
func (l *Lock) Released(f func() error) error {
	l.Unlock()
	defer l.Lock()
	return f()
}

// Join makes one lock of several, none of which the caller holds. It waits for those who do.
func Join(all ...*Lock) {
	for {
		var roots []*Lock
		for _, l := range all {
			roots = append(roots, l.root())
		}
		// In one order everywhere, so that nobody waits in a circle.
		slices.SortFunc(roots, func(a, b *Lock) int { return cmp.Compare(a.id, b.id) })
		roots = slices.Compact(roots)
		if len(roots) < 2 {
			return
		}
		still := true
		for _, r := range roots {
			r.mu.Lock()
			still = still && r.next.Load() == nil
		}
		if still {
			for _, r := range roots[1:] {
				r.next.Store(roots[0])
			}
		}
		for _, r := range roots {
			r.mu.Unlock()
		}
		if still {
			return
		}
	}
}
