// Package calls is what the code of cells calls of its session, under a name that no
// person would choose.
//
// It imports little: where a cell is linked with a copy of all that it imports, this
// package is in each of them. What needs more is behind [To].
package calls

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// Session is what stands behind the calls.
type Session interface {
	// Show shows the value of a cell's last expression.
	Show(values ...any)
	// Failed tells of a panic that has ended a goroutine other than the cell's own.
	Failed(e any)
	// Look ends the calling goroutine if its run is to end.
	Look()
	// Sleep is time.Sleep that an interrupt ends.
	Sleep(d time.Duration)
	// Context is the context that an interrupt cancels.
	Context() context.Context
	// Supersede makes values of some types values of others, by their names.
	Supersede(names []string)
	// ParseFlags is flag.Parse.
	ParseFlags()
	// Again is the first line of the cell from which on to run again.
	Again() string
	// Turn is called before a write to standard error that is not package os's.
	Turn()
}

// To is the session, which sets it before any cell runs.
var To Session

// Attention is how many runs there are whose goroutines must not go on.
var Attention atomic.Int32

// Poll ends the cell if it is interrupted. It stands at the beginning of each
// loop of a cell, so that one that never ends can be ended without its session.
func Poll() {
	if Attention.Load() != 0 {
		To.Look()
	}
}

// Sleep is time.Sleep, in a cell: an interrupt ends it.
func Sleep(d time.Duration) { To.Sleep(d) }

// Context returns the context that an interrupt cancels. In a cell, context.Background
// means this one.
func Context() context.Context { return To.Context() }

// Show shows the value of a cell's last expression, richly if it can.
func Show(values ...any) { To.Show(values...) }

// Supersede makes values of types values of those that have their places: the same,
// with other methods. The names are those of old and new types in turn; present are
// values of types which it is enough that the cell mentions.
func Supersede(present []any, names ...string) {
	runtime.KeepAlive(present) // nor does the compiler drop them
	To.Supersede(names)
}

// ParseFlags is flag.Parse, in a cell.
func ParseFlags() { To.ParseFlags() }

// Again is the first line of the cell from which on to run again, if the cells on which
// the running one depends have not run once and in order, as when a reader goes back
// and runs an earlier cell. It is "" if they have, and outside of sessions.
func Again() string {
	if To == nil {
		return ""
	}
	return To.Again()
}

// Turn is called before Go's own print and println, which write to standard error past
// package os.
func Turn() { To.Turn() }
