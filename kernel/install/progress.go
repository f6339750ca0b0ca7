package install

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// Progress tells a person how setup gets on: a line for each step when it is over, and
// in a terminal another that shows what those that run are doing. The one of a step is
// made by begin.
type Progress struct {
	board *board
	name  string
	began time.Time
	note  string
	done  chan struct{}
}

// board is what all steps write to.
type board struct {
	w       io.Writer
	live    bool
	columns int

	mu    sync.Mutex
	open  []*Progress
	width int // of the line that is replaced
}

// NewProgress prints to w.
func NewProgress(w io.Writer) *Progress {
	b := &board{w: w, columns: 80}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.live = true
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			b.columns = columns
		}
	}
	return &Progress{board: b}
}

// begin starts a step, and returns its progress.
func (p *Progress) begin(name string) *Progress {
	b := p.board
	s := &Progress{board: b, name: name, began: time.Now(), done: make(chan struct{})}
	b.mu.Lock()
	b.open = append(b.open, s)
	b.mu.Unlock()
	go func() { // a quick step is told of once, when it is over
		if b.live {
			s.animate()
			return
		}
		select {
		case <-s.done:
		case <-time.After(2 * time.Second):
			b.mu.Lock()
			defer b.mu.Unlock()
			fmt.Fprintf(b.w, "  … %s\n", name)
		}
	}()
	return s
}

func (p *Progress) animate() {
	for {
		p.board.draw()
		select {
		case <-p.done:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Note says what the step is doing.
func (p *Progress) Note(format string, args ...any) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	p.note = fmt.Sprintf(format, args...)
}

func (b *board) draw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	var parts []string
	for _, s := range b.open {
		parts = append(parts, fmt.Sprintf("%s (%.0f s) %s", s.name, time.Since(s.began).Seconds(), s.note))
	}
	if len(parts) > 0 {
		b.print("  … " + strings.Join(parts, " · "))
	}
}

// print replaces the line.
func (b *board) print(line string) {
	if r := []rune(line); len(r) >= b.columns {
		line = string(r[:max(b.columns-2, 0)]) + "…"
	}
	width := utf8.RuneCountInString(line)
	fmt.Fprintf(b.w, "\r%s%s", line, strings.Repeat(" ", max(b.width-width, 0)))
	b.width = width
}

// end finishes the step with a mark.
func (p *Progress) end(mark string) {
	b := p.board
	b.mu.Lock()
	defer b.mu.Unlock()
	close(p.done)
	b.open = slices.DeleteFunc(b.open, func(s *Progress) bool { return s == p })
	line := fmt.Sprintf("  %s %s (%.1f s)", mark, p.name, time.Since(p.began).Seconds())
	if b.live {
		b.print(line)
		fmt.Fprintln(b.w)
		b.width = 0
		return
	}
	fmt.Fprintln(b.w, line)
}

// Warn prints a line that is worth reading.
func (p *Progress) Warn(format string, args ...any) {
	b := p.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.width > 0 { // wipe the open line; it is drawn again below
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", b.width))
		b.width = 0
	}
	fmt.Fprintf(b.w, "  ! "+format+"\n", args...)
}
