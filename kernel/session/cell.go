package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// cells are the loaded libraries' entry points, by number.
var cells = map[int]func(){}

// variables are the addresses of the session variables, by name.
var variables = struct {
	sync.Mutex
	byName map[string]reflect.Value
}{byName: map[string]reflect.Value{}}

// Register tells of a cell's entry point. Its library calls it when loaded.
func Register(n int, run func()) { cells[n] = run }

// SetVariable tells of a session variable; p points to it.
func SetVariable(name string, p any) {
	variables.Lock()
	defer variables.Unlock()
	variables.byName[name] = reflect.ValueOf(p)
}

// Forget drops a session variable.
func Forget(name string) {
	variables.Lock()
	defer variables.Unlock()
	delete(variables.byName, name)
}

// Address returns the address of a session variable, whose type may have got
// methods since it was declared; nil if there is none.
func Address(name string) unsafe.Pointer {
	variables.Lock()
	defer variables.Unlock()
	v, ok := variables.byName[name]
	if !ok {
		return nil
	}
	return v.UnsafePointer()
}

// running is the cell that runs.
var running atomic.Pointer[run]

// run is one run of a cell.
type run struct {
	ctx        context.Context
	cancel     context.CancelCauseFunc
	interrupts atomic.Int32
}

// errInterrupted is why a cell's context is cancelled.
var errInterrupted = errors.New("interrupted")

// Context returns the context that an interrupt cancels. In a cell, context.Background
// means this one.
func Context() context.Context { return cellContext{} }

// Zero returns a type's zero value.
func Zero[T any]() (zero T) { return }

// exit is the panic by which a cell ends itself.
type exit struct{ code int }

// unhandled is the panic for an error that a statement left unhandled.
type unhandled struct{ err error }

// Exit ends the cell that calls it, not the session. In a cell, os.Exit means
// this.
func Exit(code int) { panic(exit{code}) }

// Fatal is log.Fatal, in a cell.
func Fatal(v ...any) { fmt.Fprint(os.Stderr, withNewline(fmt.Sprint(v...))); Exit(1) }

// Fatalf is log.Fatalf.
func Fatalf(format string, v ...any) {
	fmt.Fprint(os.Stderr, withNewline(fmt.Sprintf(format, v...)))
	Exit(1)
}

// Fatalln is log.Fatalln.
func Fatalln(v ...any) { fmt.Fprintln(os.Stderr, v...); Exit(1) }

func withNewline(s string) string {
	if strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}

// Check ends the cell if the last of a statement's results is an error.
func Check(results ...any) {
	if len(results) == 0 {
		return
	}
	if err, ok := results[len(results)-1].(error); ok && err != nil {
		panic(unhandled{err})
	}
}

// stop is set while the cell that runs is to end.
var stop atomic.Uint32

// interruption is the panic by which a loop ends.
type interruption struct{}

// Poll ends the cell if it is interrupted. It stands at the beginning of each
// loop of a cell, so that one that never ends can be ended without its session.
func Poll() {
	if stop.Load() != 0 {
		panic(interruption{})
	}
}

// Sleep is time.Sleep, in a cell: an interrupt ends it.
func Sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-Context().Done():
		panic(interruption{})
	}
}

// Recover is deferred in the goroutines that a cell starts, so that a panic in
// one of them ends it and not the session.
func Recover() {
	if e := recover(); e != nil {
		emit(wire.Event{Event: "failure", Failure: failure(e, callers()), Late: true})
	}
}

// Guard wraps a function that a go statement calls, so that a panic in it ends
// the goroutine and not the session.
func Guard[F any](f F) F {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.IsNil() {
		return f
	}
	call := v.Call
	if v.Type().IsVariadic() {
		call = v.CallSlice
	}
	return reflect.MakeFunc(v.Type(), func(args []reflect.Value) (out []reflect.Value) {
		for i := range v.Type().NumOut() {
			out = append(out, reflect.Zero(v.Type().Out(i)))
		}
		defer Recover()
		return call(args)
	}).Interface().(F)
}

// failure describes what was recovered.
func failure(e any, frames []wire.Frame) *wire.Failure {
	switch e := e.(type) {
	case interruption:
		return &wire.Failure{Name: "KeyboardInterrupt", Frames: frames}
	case exit:
		return &wire.Failure{Name: "exit", Value: fmt.Sprintf("the cell ended itself with status %d", e.code), Code: e.code}
	case unhandled:
		f := &wire.Failure{Name: "error", Value: e.err.Error(), Frames: frames}
		if r := running.Load(); r != nil && r.ctx.Err() != nil && errors.Is(e.err, context.Canceled) {
			f.Name = "KeyboardInterrupt"
		}
		return f
	case error:
		return &wire.Failure{Name: "panic", Value: e.Error(), Frames: frames}
	default:
		return &wire.Failure{Name: "panic", Value: text(e), Frames: frames}
	}
}

// callers are the frames of a panic that are in cells.
func callers() []wire.Frame {
	pcs := make([]uintptr, 512)
	it := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var frames []wire.Frame
	for {
		f, more := it.Next()
		if at := strings.Index(f.File, "cell["); at >= 0 && !strings.Contains(f.File[at:], "/") {
			frames = append(frames, wire.Frame{Function: functionName(f.Function), File: f.File[at:], Line: f.Line})
		}
		if !more || len(frames) == 50 {
			return frames
		}
	}
}

// functionName is the name as the cell's author wrote it; empty for the cell's
// own statements.
func functionName(full string) string {
	name := full[strings.LastIndexByte(full, '/')+1:]
	_, name, _ = strings.Cut(name, ".")
	if strings.HasPrefix(name, "runʹ") {
		return ""
	}
	return strings.ReplaceAll(name, "ʹ", "")
}
