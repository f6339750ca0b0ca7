package session

import (
	"sync"

	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/viz/widgets"
)

// calls are what widgets have to call, one after the other. Of each widget one
// call waits at most.
var calls = struct {
	sync.Mutex
	waiting []func()
	wake    chan struct{}
}{wake: make(chan struct{}, 1)}

// connectWidgets connects the widgets of cells with the page.
func connectWidgets() {
	widgets.Connect(func(c widgets.Comm) {
		emit(wire.Event{Event: "comm", Comm: (*wire.Comm)(&c)})
	}, func(f func()) {
		calls.Lock()
		calls.waiting = append(calls.waiting, f)
		calls.Unlock()
		select {
		case calls.wake <- struct{}{}:
		default:
		}
	})
	go func() {
		for range calls.wake {
			for {
				calls.Lock()
				if len(calls.waiting) == 0 {
					calls.Unlock()
					break
				}
				f := calls.waiting[0]
				calls.waiting = calls.waiting[1:]
				calls.Unlock()
				call(f)
			}
		}
	}()
}

// call runs what a widget calls as if it were a cell: an interrupt ends it, and a
// panic does not end the session.
func call(f func()) {
	this := await()
	begin(this)
	defer end(this)
	defer flushDisplays()
	if this.ctx.Err() != nil { // it was interrupted while it waited
		return
	}
	failed := this.execute(f)
	if failed != nil && failed.Name != "KeyboardInterrupt" {
		emit(wire.Event{Event: "failure", Failure: failed, Late: true})
	}
}

func receiveComm(c *wire.Comm) {
	if c == nil {
		return
	}
	// An error means that it is for a widget that is gone, of which the page has not
	// heard yet. There is nobody to tell.
	_ = widgets.Receive(widgets.Comm(*c))
}
