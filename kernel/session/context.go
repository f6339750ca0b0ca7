package session

import (
	"context"
	"sync/atomic"
	"time"
)

// latest is the cell, or the call of a widget, that has begun last.
var latest atomic.Pointer[run]

// Context implements [calls.Session].
func (session) Context() context.Context { return cellContext{} }

// cellContext is the context of whatever cell runs: an interrupt ends what one cell
// does with it, and the next can use it again. So a notebook can keep one in a
// variable. Contexts that are derived from it belong to the cell that derives them.
type cellContext struct{}

func current() context.Context {
	if r := latest.Load(); r != nil {
		return r.ctx
	}
	return context.Background()
}

func (cellContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (cellContext) Done() <-chan struct{}       { return current().Done() }
func (cellContext) Err() error                  { return current().Err() }
func (cellContext) String() string              { return "context.Background" }

// Value leads package context to the cell's own context, by which it derives others.
func (cellContext) Value(key any) any { return current().Value(key) }
