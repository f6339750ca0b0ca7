package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// stdin, stdout and stderr are the process's own, whatever a cell makes of os.Stdout.
var stdin, stdout, stderr = os.Stdin, os.Stdout, os.Stderr

// out is where events go.
var out struct {
	sync.Mutex
	*os.File
}

// emit sends an event to the kernel.
func emit(e wire.Event) {
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
	if out.File != nil {
		_, _ = out.Write(line.Bytes()) // if the kernel is gone, so will be this process
	}
}

// The streams of a cell's text, and what is between them.
const (
	neither = iota - 1
	stdoutStream
	stderrStream
)

// order keeps what goes to the kernel by several ways in one order: text on standard
// output, text on standard error, and events. A mark with the next number is written to
// both streams where one text follows the other, and where an event has its place. What
// is behind a mark comes after all that is before it.
var order = ordering{last: neither}

type ordering struct {
	sync.Mutex
	marks int
	last  int // the stream that was written to after the last mark
}

// turn is called before a write to a stream.
func (o *ordering) turn(stream int) {
	o.Lock()
	defer o.Unlock()
	if o.last == 1-stream {
		o.mark("")
	}
	o.last = stream
}

// writeStreams write to the streams themselves, past what package os calls before it does.
var writeStreams = [...]func([]byte) (int, error){
	func(b []byte) (int, error) { return syscall.Write(syscall.Stdout, b) },
	func(b []byte) (int, error) { return syscall.Write(syscall.Stderr, b) },
}

func (o *ordering) mark(kind string) {
	o.marks++
	mark := fmt.Appendf(nil, "%s%d%s%s", wire.MarkStart, o.marks, kind, wire.MarkEnd)
	for _, write := range writeStreams {
		for rest := mark; len(rest) > 0; {
			n, err := write(rest)
			if err != nil && err != syscall.EINTR && err != syscall.EAGAIN { //nolint:errorlint // a system call's own
				break // it has been closed
			}
			rest = rest[max(n, 0):]
		}
	}
}

// Turn implements [calls.Session].
func (session) Turn() { order.turn(stderrStream) }

// emitInPlace emits what stands between the lines that a cell prints.
func emitInPlace(e wire.Event) {
	order.Lock()
	defer order.Unlock()
	order.mark(wire.MarkEvent)
	order.last = neither
	e.Mark = order.marks
	emit(e)
}

// beforeWrite is called before package os writes to a file.
func beforeWrite(f *os.File) {
	switch f {
	case stdout:
		displaysInPlace()
		order.turn(stdoutStream)
	case stderr:
		displaysInPlace()
		order.turn(stderrStream)
	default:
		if f.Name() == displayPipe {
			displayed.Store(true)
		}
	}
}
