package session

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// input is what cells read from standard input: what a person answers when asked for a
// line. It is the same for all cells, so that a reader on it can be kept.
var input stdinput

type stdinput struct {
	sync.Mutex
	buf     []byte
	asked   bool // a question is open
	allowed bool // there is somebody to ask
	arrived chan struct{}
}

// allow says whether the cell that begins may ask.
func (i *stdinput) allow(allowed bool) {
	i.Lock()
	defer i.Unlock()
	i.allowed, i.asked = allowed, false
}

// ask has a person asked, in the place of the next read.
func (i *stdinput) ask(prompt string, password bool) {
	i.Lock()
	i.asked = true
	i.wait()
	i.Unlock()
	emitInPlace(wire.Event{Event: "input", Prompt: prompt, Password: password})
}

// wait returns what is closed when something arrives.
func (i *stdinput) wait() chan struct{} {
	if i.arrived == nil {
		i.arrived = make(chan struct{})
	}
	return i.arrived
}

// answer takes what a person entered.
func (i *stdinput) answer(line string) {
	i.Lock()
	defer i.Unlock()
	i.buf = append(i.buf, line+"\n"...)
	i.asked = false
	close(i.wait())
	i.arrived = nil
}

// read is what package os calls to read from standard input; ok is false for other
// files.
func (i *stdinput) read(f *os.File, b []byte) (n int, err error, ok bool) { //nolint:revive // as package os asks
	if f != stdin {
		return 0, nil, false
	}
	if len(b) == 0 {
		return 0, nil, true
	}
	flushDisplays() // a question that was asked before may be on its way
	for {
		i.Lock()
		if len(i.buf) > 0 {
			n = copy(b, i.buf)
			i.buf = i.buf[n:]
			i.Unlock()
			return n, nil, true
		}
		arrived, allowed, asked := i.wait(), i.allowed, i.asked
		i.Unlock()
		if !allowed {
			fmt.Fprintln(stderr, "StdinNotImplementedError: the cell reads its input, but this client cannot ask for any")
			return 0, io.EOF, true
		}
		if !asked {
			i.ask("", false)
		}
		r := concerned()
		if r == nil {
			return 0, io.EOF, true
		}
		select {
		case <-arrived:
		case <-r.ctx.Done():
			i.allow(allowed)
			if whose() == nil {
				return 0, io.EOF, true // it cannot be ended
			}
			panic(interruption{})
		}
	}
}
