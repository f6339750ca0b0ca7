package install

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// Progress tells a person how setup gets on: a line for each step, which in a
// terminal shows what the step is doing.
type Progress struct {
	w       io.Writer
	live    bool
	columns int

	mu    sync.Mutex
	name  string
	note  string
	began time.Time
	done  chan struct{}
	width int
}

// NewProgress prints to w.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w, columns: 80}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.live = true
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			p.columns = columns
		}
	}
	return p
}

// begin starts a step.
func (p *Progress) begin(name string) {
	p.mu.Lock()
	p.name, p.note, p.began, p.done = name, "", time.Now(), make(chan struct{})
	p.mu.Unlock()
	if !p.live {
		go func(done chan struct{}) { // a quick step is told of once, when it is over
			select {
			case <-done:
			case <-time.After(2 * time.Second):
				fmt.Fprintf(p.w, "  … %s\n", name)
			}
		}(p.done)
		return
	}
	go func(done chan struct{}) {
		for {
			p.draw()
			select {
			case <-done:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}(p.done)
}

// Note says what the step is doing.
func (p *Progress) Note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = fmt.Sprintf(format, args...)
}

func (p *Progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return
	default:
	}
	line := fmt.Sprintf("  … %s (%.0f s)", p.name, time.Since(p.began).Seconds())
	if p.note != "" {
		line += " " + p.note
	}
	p.print(line)
}

// print replaces the line.
func (p *Progress) print(line string) {
	if r := []rune(line); len(r) >= p.columns {
		line = string(r[:max(p.columns-2, 0)]) + "…"
	}
	width := utf8.RuneCountInString(line)
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(p.width-width, 0)))
	p.width = width
}

// end finishes the step with a mark.
func (p *Progress) end(mark string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.done)
	line := fmt.Sprintf("  %s %s (%.1f s)", mark, p.name, time.Since(p.began).Seconds())
	if p.live {
		p.print(line)
		fmt.Fprintln(p.w)
		p.width = 0
		return
	}
	fmt.Fprintln(p.w, line)
}

// Warn prints a line that is worth reading.
func (p *Progress) Warn(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width > 0 { // wipe the open line; it is drawn again below
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
		p.width = 0
	}
	fmt.Fprintf(p.w, "  ! "+format+"\n", args...)
}
