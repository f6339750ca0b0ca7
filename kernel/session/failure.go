package session

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

// Failed implements [calls.Session].
func (session) Failed(e any) {
	emit(wire.Event{Event: "failure", Failure: failure(e, callers()), Late: true})
}

// failure describes what was recovered. The methods of an error may panic, too: text
// says so then.
func failure(e any, frames []wire.Frame) *wire.Failure {
	switch e := e.(type) {
	case interruption:
		return &wire.Failure{Name: "KeyboardInterrupt", Frames: frames}
	case calls.Unhandled:
		f := &wire.Failure{Name: "error", Value: text(e.Err), Frames: frames}
		if r := running.Load(); r != nil && r.ctx.Err() != nil && cancelled(e.Err) {
			f.Name = "KeyboardInterrupt"
		}
		return f
	default:
		return &wire.Failure{Name: "panic", Value: text(e), Frames: frames}
	}
}

func cancelled(err error) (is bool) {
	defer func() { _ = recover() }() // of its own Is or Unwrap
	return errors.Is(err, context.Canceled)
}

func exitFailure(code int) *wire.Failure {
	return &wire.Failure{Name: "exit", Value: fmt.Sprintf("the cell ended itself with status %d", code), Code: code}
}

// callers are the frames of a panic that are in cells.
func callers() []wire.Frame {
	pcs := make([]uintptr, 512)
	it := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var frames []wire.Frame
	for {
		f, more := it.Next()
		if file := cellFile(f.File); file != "" {
			frames = append(frames, wire.Frame{Function: functionName(f.Function), File: file, Line: f.Line})
		}
		if !more || len(frames) == 50 {
			return frames
		}
	}
}

// cellFile is the name of a cell in a file's name, such as cell[3].
func cellFile(file string) string {
	if at := strings.Index(file, "cell["); at >= 0 && !strings.Contains(file[at:], "/") {
		return file[at:]
	}
	return ""
}

// functionName is the name as the cell's author wrote it; empty for the cell's
// own statements.
func functionName(full string) string {
	name := full[strings.LastIndexByte(full, '/')+1:]
	_, name, _ = strings.Cut(name, ".")
	name = plain(name)
	if rest, ok := strings.CutPrefix(name, entryName); ok && (rest == "" || rest[0] == '.') {
		return ""
	}
	return name
}
