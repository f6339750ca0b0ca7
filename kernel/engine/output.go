package engine

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

const (
	// flushAfter is how long text may wait for more of it.
	flushAfter = 15 * time.Millisecond
	// giveUpAfter is how long text is held back for what should come before it.
	giveUpAfter = 2 * time.Second
)

// output passes on what the session puts out, in its order, up to a limit for each
// cell.
type output struct {
	config Config
	ended  func(wire.Event) // called with the event of a cell's end

	mu      sync.Mutex
	order   *ordering
	sink    Sink
	stream  string // of text
	text    []byte // that waits for more
	timer   *time.Timer
	patient *time.Timer
	limits  map[string]*limit
	cells   int
	tails   [2][]byte // the last of each stream, for the reason of a death
}

// limit is how much of a stream has been shown, and where the rest goes.
type limit struct {
	shown int
	over  bool
	rest  *os.File
}

func newOutput(c Config, ended func(wire.Event)) *output {
	o := &output{config: c, ended: ended, limits: map[string]*limit{}}
	o.order = newOrdering(o.item)
	return o
}

// begin makes sink the one that gets everything from now on.
func (o *output) begin(sink Sink) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush() // what comes late belongs to the cell before
	o.sink = sink
	o.cells++
	for _, l := range o.limits {
		if l.rest != nil {
			_ = l.rest.Close()
		}
	}
	clear(o.limits)
}

// read passes on what comes of a stream, until its end.
func (o *output) read(stream int, r io.ReadCloser) {
	defer r.Close() //nolint:errcheck // only read from
	chunk := make([]byte, 1<<16)
	for {
		n, err := r.Read(chunk)
		o.mu.Lock()
		if n > 0 {
			o.keepTail(stream, chunk[:n])
			o.order.write(stream, chunk[:n])
			if o.patient != nil {
				o.patient.Reset(giveUpAfter) // it may be on its way
			}
		}
		if err != nil {
			o.order.end(stream)
			o.flush()
		}
		o.wait()
		o.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// event passes on an event that has a place.
func (o *output) event(e wire.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.order.event(e)
	o.wait()
}

// now passes on an event that has none, and so goes before what waits.
func (o *output) now(f func(Sink)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	if o.sink != nil {
		f(o.sink)
	}
}

// wait sees to it that what is held back is not so for ever.
func (o *output) wait() {
	switch {
	case !o.order.waits():
		if o.patient != nil {
			o.patient.Stop()
			o.patient = nil
		}
	case o.patient == nil:
		o.patient = time.AfterFunc(giveUpAfter, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.patient = nil
			o.order.giveUp()
			o.wait()
		})
	}
}

// item takes what is next in order.
func (o *output) item(i item) {
	switch {
	case i.event == nil:
		if o.stream != i.stream {
			o.flush()
			o.stream = i.stream
		}
		o.text = append(o.text, i.text...)
		if len(o.text) > 1<<15 {
			o.flush()
		} else if o.timer == nil {
			o.timer = time.AfterFunc(flushAfter, func() {
				o.mu.Lock()
				defer o.mu.Unlock()
				o.flush()
			})
		}
	case i.event.Event == "done":
		o.order.rest()
		o.flush()
		if o.sink != nil {
			o.sink.Event(wire.Event{Event: "took", Milliseconds: i.event.Milliseconds})
		}
		o.ended(*i.event)
	default:
		o.flush()
		if o.sink != nil {
			o.sink.Event(*i.event)
		}
	}
}

// flush passes on the text that waits for more.
func (o *output) flush() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	text := o.text
	o.text = nil
	if len(text) == 0 || o.sink == nil {
		return
	}
	l := o.limits[o.stream]
	if l == nil {
		l = &limit{}
		o.limits[o.stream] = l
	}
	room := o.config.MaxOutput - l.shown
	if len(text) <= room {
		l.shown += len(text)
		o.sink.Stream(o.stream, strings.ToValidUTF8(string(text), "�"))
		return
	}
	if !l.over {
		for room > 0 && !utf8.RuneStart(text[room]) {
			room--
		}
		l.over, l.shown = true, o.config.MaxOutput
		where := o.openRest(l)
		o.sink.Stream(o.stream, strings.ToValidUTF8(string(text[:room]), "�")+fmt.Sprintf("\n… %d MB shown, %s\n", o.config.MaxOutput>>20, where))
		text = text[room:]
	}
	if l.rest != nil {
		_, _ = l.rest.Write(text)
	}
}

// openRest opens the file for what is not shown, and says where it is.
func (o *output) openRest(l *limit) string {
	name := filepath.Join(o.config.OutputDir, fmt.Sprintf("%s-%d-%d.txt", o.stream, os.Getpid(), o.cells))
	err := os.MkdirAll(o.config.OutputDir, 0o755)
	if err == nil {
		l.rest, err = os.Create(name)
	}
	if err != nil {
		return "the rest is dropped: " + err.Error()
	}
	return "the rest is in " + name
}

// The tail of a stream is at most so long; that of a fatal error begins with it.
const tailSize = 1 << 14

func (o *output) keepTail(stream int, b []byte) {
	o.tails[stream] = append(o.tails[stream], b...)
	tail := o.tails[stream]
	if len(tail) > tailSize {
		switch at := bytes.Index(tail, []byte("fatal error: ")); {
		case at > 0: // its first lines say what it is; goroutines follow
			tail = append([]byte(nil), tail[at:]...)
		case at < 0 && !bytes.Contains(tail, []byte("SIG")):
			tail = append([]byte(nil), tail[len(tail)-tailSize/4:]...)
		}
		tail = tail[:min(len(tail), 2*tailSize)]
	}
	o.tails[stream] = tail
}

// lastWords are the last of what the session wrote to standard error.
func (o *output) lastWords() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(mark.ReplaceAll(o.tails[1], nil))
}

// release passes on all that is there, in the end.
func (o *output) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.order.waits() {
		o.order.giveUp()
		n, _ := o.order.next()
		if n == 0 {
			break
		}
		o.order.passed = n
		o.order.advance()
	}
	o.order.rest()
	o.flush()
}
