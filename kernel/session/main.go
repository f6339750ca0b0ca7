package session

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// Hooks are what the session's program lends of the runtime and of package os, which
// setup builds for it.
type Hooks struct {
	// Write is called before a write to a file, Read in place of a read from one, if it
	// says so, and Exit before the end of the process. They are variables of package os.
	Write *func(*os.File)
	Read  *func(*os.File, []byte) (int, error, bool)
	Exit  *func(int)
	// Itabs is the runtime's variable with all tables of methods.
	Itabs *unsafe.Pointer
	// Typemaps is the runtime's variable with a map for each library.
	Typemaps *[]Typemap
}

// session is what the calls of cells come to.
type session struct{}

// closing is true when the session ends itself.
var closing atomic.Bool

func (h Hooks) set() {
	if h.Write != nil {
		*h.Write, *h.Read = beforeWrite, input.read
		*h.Exit = func(code int) {
			if !closing.Load() {
				exit(code)
			}
		}
	}
	itabTable, typemaps = h.Itabs, h.Typemaps
}

// Main runs the session until its input ends, and returns the exit status.
func Main(h Hooks) int {
	in, events := os.NewFile(3, "requests"), os.NewFile(4, "events")
	if in == nil || events == nil {
		fmt.Fprintln(os.Stderr, "gradbook: the session is started by the kernel")
		return 2
	}
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	out.File = events
	// The kernel sends a request instead. A signal that is ignored would be so in
	// the programs that cells start, too.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	debug.SetMaxStack(256 << 20) // a runaway recursion ends before memory does
	_ = os.Unsetenv("GOROOT")    // it was for this process, not for those that cells start
	if err := listenDisplays(); err != nil {
		fmt.Fprintf(os.Stderr, "gradbook: displays will not work: %v\n", err)
	}
	h.set()
	calls.To = session{}
	connectWidgets()
	requests, work := json.NewDecoder(bufio.NewReader(in)), make(chan job, 1024) // an interrupt behind questions is to be read
	go func() {
		for j := range work {
			serve(j)
		}
	}()
	emit(wire.Event{Event: "ready"})
	defer closing.Store(true)
	for {
		var r wire.Request
		if err := requests.Decode(&r); err != nil {
			return 0
		}
		switch r.Op {
		case "interrupt":
			interrupt(time.Duration(r.Milliseconds) * time.Millisecond)
		case "input":
			input.answer(r.Value)
		case "comm":
			receiveComm(r.Comm)
		case "run":
			work <- job{r, await()} // an interrupt may be the next request
		default:
			work <- job{Request: r}
		}
	}
}

// job is a request that is served in its turn.
type job struct {
	wire.Request
	run *run // of a cell
}

func serve(r job) {
	switch r.Op {
	case "run":
		f, took := runCell(r.Request, r.run)
		flushDisplays()
		emitInPlace(wire.Event{Event: "done", Failure: f, Milliseconds: float64(took.Microseconds()) / 1000})
	case "variables", "inspect", "show", "table":
		e := wire.Event{Event: "variables", ID: r.ID}
		if idleWithin(time.Second) { // what a widget calls may change them
			answer(r.Request, &e)
			oneAtATime.Unlock()
		} else {
			e.Busy = true
		}
		emit(e)
	case "setenv":
		var err error
		if r.Key == "PWD" {
			err = os.Chdir(r.Value)
		} else {
			err = os.Setenv(r.Key, r.Value)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%v\n", err)
		}
	}
}
