package session

import (
	"sync"

	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/viz/widgets"
)

// queue is what widgets have to call, one after the other. Of each widget one
// call waits at most.
var queue = struct {
	sync.Mutex
	waiting []func()
	wake    chan struct{}
}{wake: make(chan struct{}, 1)}

// connectWidgets connects the widgets of cells with the page.
func connectWidgets() {
	widgets.Connect(func(c widgets.Comm) {
		emit(wire.Event{Event: "comm", Comm: (*wire.Comm)(&c)})
	}, func(f func()) {
		queue.Lock()
		queue.waiting = append(queue.waiting, f)
		queue.Unlock()
		select {
		case queue.wake <- struct{}{}:
		default:
		}
	})
	go func() {
		for range queue.wake {
			for {
				queue.Lock()
				if len(queue.waiting) == 0 {
					queue.Unlock()
					break
				}
				f := queue.waiting[0]
				queue.waiting = queue.waiting[1:]
				queue.Unlock()
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
