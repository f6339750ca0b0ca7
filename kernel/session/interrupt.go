package session

import (
	"bytes"
	"fmt"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// interruption is the panic by which a loop ends.
type interruption struct{}

// Look implements [calls.Session].
func (session) Look() {
	r := concerned()
	switch {
	case r == nil:
	case r.exited.Load():
		select {} // as after the end of a process, not even its deferred functions run
	case r.stopping.Load():
		panic(interruption{})
	}
}

// Sleep implements [calls.Session].
func (session) Sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	r := concerned()
	if r == nil {
		<-timer.C
		return
	}
	select {
	case <-timer.C:
		calls.Poll()
	case <-r.ctx.Done():
		if r.exited.Load() {
			select {}
		}
		panic(interruption{})
	}
}

// loopsWait is how long after an interrupt loops end: what knows of the context, such as
// Fit, has it to end in good order.
const loopsWait = 100 * time.Millisecond

// interrupt cancels what runs, and what waits for it. What does not end within grace is
// left behind.
func interrupt(grace time.Duration) {
	runs.Lock()
	for r := range runs.all {
		r.interrupts.Add(1)
		r.cancel(errInterrupted)
	}
	runs.Unlock()
	r := running.Load()
	if r == nil {
		return
	}
	interruptChildren(r.began)
	time.AfterFunc(loopsWait, func() {
		if !r.ended.Load() && r.stopping.CompareAndSwap(false, true) {
			calls.Attention.Add(1)
		}
	})
	if r.interrupts.Load() == 1 {
		time.AfterFunc(grace, func() { close(r.giveUp) })
	}
}

// gone is called when the goroutine ends that a run began with.
func (r *run) gone() {
	if r.stopping.Load() && !r.exited.Load() {
		calls.Attention.Add(-1)
	}
	if !r.main.CompareAndSwap(goesOn, hasEnded) {
		emit(wire.Event{Event: "left", Left: int(leftBehind.Add(-1))})
	}
}

// leftBehind counts the runs that were interrupted and have not ended.
var leftBehind atomic.Int32

// leave gives up waiting for a run, and says where it is.
func (r *run) leave() *wire.Failure {
	if !r.main.CompareAndSwap(goesOn, isLeft) {
		return <-r.done // it ended just now
	}
	emit(wire.Event{Event: "left", Left: int(leftBehind.Add(1))})
	state, frames := r.where()
	doing := "still computing"
	if state != "running" && state != "runnable" && state != "" {
		doing = "still blocked (" + state + ")"
	}
	f := &wire.Failure{Name: "KeyboardInterrupt", Frames: frames, Left: true}
	f.Value = "one goroutine of the cell is " + doing
	if n := r.goroutines() - 1; n > 0 {
		f.Value += fmt.Sprintf(", and %d that it started", n)
	}
	return f
}

var (
	goroutineHead  = regexp.MustCompile(`^goroutine (\d+) [^\[]*\[([^\],:]*)`)
	goroutineFrame = regexp.MustCompile(`(?m)^(.+)\(.*\)\n\t(\S+):(\d+)`)
)

// where finds the goroutine that the run began with, and says what it waits for and
// where in cells it is.
func (r *run) where() (state string, frames []wire.Frame) {
	for block := range bytes.SplitSeq(stacks(), []byte("\n\n")) {
		m := goroutineHead.FindSubmatch(block)
		if m == nil || !bytes.Equal(m[1], r.goroutine) {
			continue
		}
		state = string(m[2])
		for _, m := range goroutineFrame.FindAllSubmatch(block, -1) {
			if file := cellFile(string(m[2])); file != "" {
				line := 0
				_, _ = fmt.Sscan(string(m[3]), &line)
				frames = append(frames, wire.Frame{Function: functionName(string(m[1])), File: file, Line: line})
			}
		}
		return state, frames
	}
	return "", nil
}

// goroutineNumber is the calling goroutine's.
func goroutineNumber() []byte {
	buf := make([]byte, 64)
	if m := goroutineHead.FindSubmatch(buf[:runtime.Stack(buf, false)]); m != nil {
		return m[1]
	}
	return nil
}

func stacks() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}

// goroutines counts those of the run.
func (r *run) goroutines() (n int) {
	var b strings.Builder
	if pprof.Lookup("goroutine").WriteTo(&b, 1) != nil {
		return 1
	}
	count := 0
	for line := range strings.Lines(b.String()) {
		if m := profileHead.FindStringSubmatch(line); m != nil {
			_, _ = fmt.Sscan(m[1], &count)
		} else if strings.HasPrefix(line, "# labels:") && strings.Contains(line, fmt.Sprintf("%q:%q", labelName, r.name)) {
			n += count
		}
	}
	return n
}

var profileHead = regexp.MustCompile(`^(\d+) @`)

// exit is what os.Exit is in a session: it ends the cell whose goroutine calls it or, where
// nobody knows, as in what a timer calls, the one that runs. It never returns.
func exit(code int) {
	r := concerned()
	if r == nil {
		emit(wire.Event{Event: "failure", Failure: exitFailure(code), Late: true})
		select {}
	}
	if r.ended.Load() && code != 0 {
		emit(wire.Event{Event: "failure", Failure: exitFailure(code), Late: true})
	}
	if r.exited.CompareAndSwap(false, true) {
		calls.Attention.Add(1)
		r.cancel(errInterrupted) // what sleeps does not go on, either
		r.finish(exitFailure(code))
	}
	select {}
}
