package session

import (
	"fmt"

	"github.com/gradbook/gradbook/kernel/session/wire"
	"github.com/gradbook/gradbook/viz/widgets"
)

// calls are what widgets have to call, one after the other. There is room for
// more than a reader can move: of each widget one call waits at most.
var calls = make(chan func(), 1024)

// connectWidgets connects the widgets of cells with the page.
func connectWidgets() {
	widgets.Connect(func(c widgets.Comm) {
		emit(wire.Event{Event: "comm", Comm: &wire.Comm{Type: c.Type, Content: c.Content, Metadata: c.Metadata}})
	}, func(f func()) {
		select {
		case calls <- f:
		default:
			fmt.Fprintln(stderr, "gradbook: a change of a widget is dropped: too many wait")
		}
	})
	go func() {
		for f := range calls {
			call(f)
		}
	}()
}

// call runs what a widget calls as if it were a cell: an interrupt ends it, and a
// panic does not end the session.
func call(f func()) {
	begin()
	defer end()
	defer flushDisplays()
	defer Recover()
	f()
}

func receiveComm(c *wire.Comm) {
	if c == nil {
		return
	}
	if err := widgets.Receive(widgets.Comm{Type: c.Type, Content: c.Content, Metadata: c.Metadata}); err != nil {
		fmt.Fprintln(stderr, err)
	}
}
