package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// run is one run of a cell, or of what a widget calls.
type run struct {
	ctx        context.Context
	cancel     context.CancelCauseFunc
	interrupts atomic.Int32
	stopping   atomic.Bool // its loops end
	exited     atomic.Bool // it has called os.Exit: nothing of it goes on
	ended      atomic.Bool
	main       atomic.Int32       // what has become of the goroutine that it began with
	done       chan *wire.Failure // what it ends with, once
	giveUp     chan struct{}      // closed when it is not waited for any longer
	label      unsafe.Pointer     // of its goroutines
	name       string             // of that label
	goroutine  []byte             // the number of the one that it began with
	began      float64            // in seconds since the machine started
}

// errInterrupted is why a cell's context is cancelled.
var errInterrupted = errors.New("interrupted")

// running is the cell, or the call of a widget, that runs.
var running atomic.Pointer[run]

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
	this := &run{ctx: ctx, cancel: cancel, done: make(chan *wire.Failure, 1), giveUp: make(chan struct{})}
	runs.Lock()
	runs.all[this] = true
	runs.Unlock()
	return this
}

// begin waits for what runs, and makes this what runs; end is called after it.
func begin(r *run) {
	oneAtATime.Lock()
	r.began = uptime()
	running.Store(r)
	latest.Store(r)
}

func end(r *run) {
	running.Store(nil)
	r.ended.Store(true)
	runs.Lock()
	delete(runs.all, r)
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

// again is what calls.Again says.
var again atomic.Pointer[string]

// Again implements [calls.Session].
func (session) Again() string {
	if s := again.Load(); s != nil {
		return *s
	}
	return ""
}

// runCell runs a cell to its end, and says how long that took.
func runCell(q wire.Request, r *run) (f *wire.Failure, took time.Duration) {
	begin(r)
	defer end(r)
	if q.Library != "" {
		if err := load(q.Library); err != nil {
			return &wire.Failure{Name: "error", Value: "cannot load the cell: " + err.Error()}, 0
		}
	}
	main := calls.Entry(q.N)
	if main == nil {
		return &wire.Failure{Name: "error", Value: fmt.Sprintf("cannot load the cell: number %d has no entry point", q.N)}, 0
	}
	if q.Library != "" {
		showPlainFunctions(main)
	}
	if r.ctx.Err() != nil {
		return &wire.Failure{Name: "KeyboardInterrupt", Value: "interrupted before it began"}, 0
	}
	os.Stdin, os.Stdout, os.Stderr = stdin, stdout, stderr
	os.Args = append([]string{"cell"}, q.Args...)
	newFlags()
	input.allow(q.AllowStdin)
	again.Store(&q.Again)
	start := time.Now()
	if q.Profile != "" {
		profiled(q.Profile, func() { f = r.execute(main) })
	} else {
		f = r.execute(main)
	}
	if took = time.Since(start); r.interrupts.Load() > 0 {
		if f == nil {
			f = &wire.Failure{}
		}
		f.Name = "KeyboardInterrupt"
	}
	return f, took
}

// execute calls a function in a goroutine of the run, and waits for its end; not for
// longer than an interrupt lets it.
func (r *run) execute(main func()) (f *wire.Failure) {
	started := make(chan struct{})
	go func() {
		r.mark()
		r.goroutine = goroutineNumber()
		close(started)
		defer r.gone()
		defer func() {
			var f *wire.Failure // none after runtime.Goexit
			if e := recover(); e != nil {
				f = failure(e, callers())
			}
			r.finish(f)
		}()
		main()
	}()
	<-started
	select {
	case f = <-r.done:
	case <-r.giveUp:
		f = r.leave()
	}
	if r.exited.Load() && r.goroutines() <= 1 { // nothing is left that might go on
		calls.Attention.Add(-1)
	}
	if f != nil && f.Name == "exit" && f.Code == 0 {
		f = nil
	}
	return f
}

// What becomes of the goroutine that a run began with.
const (
	goesOn int32 = iota
	hasEnded
	isLeft
)

// finish says what the run ends with. What comes later is not its end.
func (r *run) finish(f *wire.Failure) {
	select {
	case r.done <- f:
	default:
	}
}

// labels tell the goroutines of runs apart: a goroutine has the label of that which
// started it, libraries' included.
var labels sync.Map // *run by unsafe.Pointer

// labelName is the key of the label, as a profile of goroutines shows it.
const labelName = "gradbook run"

var runCount atomic.Int64

func (r *run) mark() {
	r.name = strconv.FormatInt(runCount.Add(1), 10)
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelName, r.name)))
	r.label = goroutineLabel()
	labels.Store(r.label, r)
}

// whose is the run that the calling goroutine is of; nil if nobody knows.
func whose() *run {
	label := goroutineLabel()
	if label == nil {
		return nil
	}
	if r := running.Load(); r != nil && r.label == label {
		return r
	}
	if r, ok := labels.Load(label); ok {
		return r.(*run)
	}
	return nil
}

// concerned is the run that the calling goroutine is of or, where nobody knows, the one
// that runs; nil if none does.
func concerned() *run {
	if r := whose(); r != nil {
		return r
	}
	return running.Load()
}

//go:linkname goroutineLabel runtime/pprof.runtime_getProfLabel
func goroutineLabel() unsafe.Pointer
