package session

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"plugin"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// out is where events go.
var out struct {
	sync.Mutex
	*os.File
}

// emit sends an event to the kernel. Its mark is written to some of the outputs first,
// with no other event in between.
func emit(e wire.Event, marked ...*os.File) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		e.Data = map[string]any{"text/plain": "this cannot be shown: " + err.Error()}
		if encoder.Encode(e) != nil {
			return
		}
	}
	out.Lock()
	defer out.Unlock()
	if out.File == nil {
		return
	}
	for _, f := range marked {
		_, _ = f.WriteString(e.Mark)
	}
	_, _ = out.Write(line.Bytes()) // if the kernel is gone, so will be this process
}

// shows counts what is shown.
var shows atomic.Int64

// emitInPlace emits what stands between the lines that a cell prints. Both go to the
// kernel on ways of their own, so a mark in the text says where it belongs.
func emitInPlace(e wire.Event) {
	e.Mark = fmt.Sprintf("%s%d%s", wire.PlaceStart, shows.Add(1), wire.MarkEnd)
	emit(e, stdout)
}

// Main runs the session until its input ends, and returns the exit status.
func Main() int {
	in, events := os.NewFile(3, "requests"), os.NewFile(4, "events")
	if in == nil || events == nil {
		fmt.Fprintln(os.Stderr, "gradbook: the session is started by the kernel")
		return 2
	}
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	out.File = events
	signal.Ignore(os.Interrupt)  // the kernel sends a request instead
	debug.SetMaxStack(256 << 20) // a runaway recursion ends before memory does
	if err := listenDisplays(); err != nil {
		fmt.Fprintf(os.Stderr, "gradbook: displays will not work: %v\n", err)
	}
	connectWidgets()
	requests, work := json.NewDecoder(bufio.NewReader(in)), make(chan job, 1)
	go func() {
		for j := range work {
			serve(j)
		}
	}()
	emit(wire.Event{Event: "ready"})
	for {
		var r wire.Request
		if err := requests.Decode(&r); err != nil {
			return 0
		}
		switch r.Op {
		case "interrupt":
			interrupt()
		case "input":
			answer(r.Value)
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
		mark := fmt.Sprintf("%s%d %d%s", wire.MarkStart, os.Getpid(), r.N, wire.MarkEnd)
		emit(wire.Event{Event: "done", Failure: f, Mark: mark, Milliseconds: float64(took.Microseconds()) / 1000}, stdout, stderr)
	case "variables":
		var found []wire.Variable
		if idleWithin(time.Second) { // what a widget calls may change them
			found = describe(r.Names)
			oneAtATime.Unlock()
		}
		emit(wire.Event{Event: "variables", Variables: found})
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

// oneAtATime is held while a cell runs, or what a widget calls.
var oneAtATime sync.Mutex

// runs are the one that runs and those that wait for it.
var runs = struct {
	sync.Mutex
	all map[*run]bool
}{all: map[*run]bool{}}

// await makes a run that waits for its turn. An interrupt ends also what waits.
func await() *run {
	ctx, cancel := context.WithCancelCause(context.Background())
	this := &run{ctx: ctx, cancel: cancel}
	runs.Lock()
	runs.all[this] = true
	runs.Unlock()
	return this
}

// begin waits for what runs, and makes this what runs; end is called after it.
func begin(this *run) {
	oneAtATime.Lock()
	stop.Store(0)
	running.Store(this)
	latest.Store(this)
}

func end(this *run) {
	running.Store(nil)
	stop.Store(0)
	runs.Lock()
	delete(runs.all, this)
	runs.Unlock()
	oneAtATime.Unlock()
}

// idleWithin waits until nothing runs, and says whether that came about.
func idleWithin(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); !oneAtATime.TryLock(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// stdout and stderr are the process's own, whatever a cell makes of os.Stdout.
var stdout, stderr = os.Stdout, os.Stderr

// runCell runs a cell to its end, and says how long that took.
func runCell(r wire.Request, this *run) (f *wire.Failure, took time.Duration) {
	begin(this)
	defer end(this)
	if r.Library != "" {
		if _, err := plugin.Open(r.Library); err != nil {
			return &wire.Failure{Name: "error", Value: "cannot load the cell: " + err.Error()}, 0
		}
	}
	main, ok := cells[r.N]
	if !ok {
		return &wire.Failure{Name: "error", Value: fmt.Sprintf("cannot load the cell: number %d has no entry point", r.N)}, 0
	}
	if this.ctx.Err() != nil {
		return &wire.Failure{Name: "KeyboardInterrupt", Value: "interrupted before it began"}, 0
	}
	os.Stdout, os.Stderr = stdout, stderr
	os.Args = append([]string{"cell"}, r.Args...)
	newFlags()
	stop := watchStdin(r.AllowStdin)
	defer stop()
	done, start := make(chan *wire.Failure), time.Now()
	go func() {
		var f *wire.Failure
		ended := false
		defer func() {
			if e := recover(); e != nil {
				f = failure(e, callers())
			} else if !ended { // runtime.Goexit
				f = nil
			}
			if f != nil && f.Name == "exit" && f.Code == 0 {
				f = nil
			}
			done <- f
		}()
		main()
		ended = true
	}()
	f = <-done
	took = time.Since(start)
	if this.interrupts.Load() > 0 {
		if f == nil {
			f = &wire.Failure{}
		}
		f.Name = "KeyboardInterrupt"
	}
	return f, took
}

// loopsWait is how long after an interrupt loops end.
const loopsWait = 100 * time.Millisecond

// interrupt cancels what runs, and what waits for it.
func interrupt() {
	runs.Lock()
	for r := range runs.all {
		r.interrupts.Add(1)
		r.cancel(errInterrupted)
	}
	runs.Unlock()
	if r := running.Load(); r != nil {
		// What knows of the context, such as Fit, ends in good order; loops wait.
		time.AfterFunc(loopsWait, func() {
			if running.Load() == r {
				stop.Store(1)
			}
		})
		cancelInput()
	}
}
