package engine

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// flushAfter is how long output may wait for more of it.
const flushAfter = 15 * time.Millisecond

// stream passes on one of the session's outputs, whole runes at a time, up to a
// limit for each cell.
type stream struct {
	name   string
	proc   *process
	config Config
	closed chan struct{}

	mu    sync.Mutex
	buf   []byte // not passed on yet
	tail  []byte // the last of what came, for the reason of a death
	shown int    // bytes passed on of this cell
	rest  *os.File
	timer *time.Timer
	marks map[string]bool
	gone  map[string]bool // marks of places that were not waited for any longer
	blind bool            // no mark of a place has come since
	mark  *sync.Cond
	cells int
}

func newStream(name string, p *process, c Config) *stream {
	s := &stream{name: name, proc: p, config: c, closed: make(chan struct{}), marks: map[string]bool{}, gone: map[string]bool{}}
	s.mark = sync.NewCond(&s.mu)
	return s
}

func (s *stream) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = 0
	s.cells++
	if s.rest != nil {
		_ = s.rest.Close()
		s.rest = nil
	}
}

func (s *stream) read(r io.ReadCloser) {
	defer r.Close() //nolint:errcheck // only read from
	defer func() {
		close(s.closed)
		s.mu.Lock()
		s.mark.Broadcast()
		s.mu.Unlock()
	}()
	chunk := make([]byte, 1<<16)
	for {
		n, err := r.Read(chunk)
		if n > 0 {
			s.add(chunk[:n])
		}
		if err != nil {
			return
		}
	}
}

var markStart, markEnd = []byte(wire.MarkStart), []byte(wire.MarkEnd)

func (s *stream) add(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(s.buf, b...)
	for {
		i := bytes.Index(s.buf, markStart)
		if i < 0 {
			break
		}
		j := bytes.Index(s.buf[i:], markEnd)
		if j < 0 {
			break
		}
		s.marks[string(s.buf[i:i+j+len(markEnd)])] = true
		s.buf = append(s.buf[:i], s.buf[i+j+len(markEnd):]...)
		s.mark.Broadcast()
	}
	s.tail = append(s.tail, b...)
	if len(s.tail) > 1<<14 {
		// The first lines of a fatal error say what it is; goroutines follow.
		if at := bytes.Index(s.tail, []byte("fatal error: ")); at > 0 {
			s.tail = append([]byte(nil), s.tail[at:]...)
		}
		if !bytes.Contains(s.tail, []byte("fatal error: ")) && !bytes.Contains(s.tail, []byte("SIG")) {
			s.tail = append([]byte(nil), s.tail[len(s.tail)-1<<12:]...)
		} else if len(s.tail) > 1<<15 {
			s.tail = s.tail[:1<<15]
		}
	}
	if bytes.Contains(b, markEnd[1:]) && place.Match(s.buf) {
		s.blind = false
		s.buf = place.ReplaceAllFunc(s.buf, func(mark []byte) []byte {
			if s.gone[string(mark)] {
				delete(s.gone, string(mark))
				return nil
			}
			return mark
		})
		s.mark.Broadcast()
	}
	if len(s.buf) > 1<<15 {
		s.flushLocked()
	} else if s.timer == nil {
		s.timer = time.AfterFunc(flushAfter, s.flush)
	}
}

func (s *stream) lastWords() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(place.ReplaceAll(s.tail, nil))
}

func (s *stream) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushLocked()
}

// flushLocked passes on what is there up to the place of something shown that has not
// come yet; an incomplete rune stays, for a while.
func (s *stream) flushLocked() { s.pass(s.ready()) }

// pass passes on so many bytes.
func (s *stream) pass(n int) {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if n == 0 {
		return
	}
	out := s.buf[:n]
	s.buf = append([]byte(nil), s.buf[n:]...)
	sink := s.proc.sinkOf()
	if sink == nil {
		return
	}
	room := s.config.MaxOutput - s.shown
	if len(out) <= room {
		s.shown += len(out)
		sink.Stream(s.name, strings.ToValidUTF8(string(out), "�"))
		return
	}
	if s.rest == nil {
		for room > 0 && !utf8.RuneStart(out[room]) {
			room--
		}
		s.shown = s.config.MaxOutput
		text := strings.ToValidUTF8(string(out[:room]), "�")
		out = out[room:]
		name := filepath.Join(s.config.OutputDir, fmt.Sprintf("%s-%d-%d.txt", s.name, os.Getpid(), s.cells))
		if err := os.MkdirAll(s.config.OutputDir, 0o755); err == nil {
			s.rest, err = os.Create(name)
			if err != nil {
				name = ""
			}
		}
		where := "the rest is dropped"
		if s.rest != nil {
			where = "the rest is in " + name
		}
		sink.Stream(s.name, text+fmt.Sprintf("\n… %d MB shown, %s\n", s.config.MaxOutput>>20, where))
	}
	if s.rest != nil {
		_, _ = s.rest.Write(out)
	}
}

// ready is how much of the buffer can be passed on.
func (s *stream) ready() int {
	if i := place.FindIndex(s.buf); i != nil {
		return i[0]
	}
	for i := max(0, len(s.buf)-longestMark); i < len(s.buf); i++ {
		if s.buf[i] == 0 && beginsMark(string(s.buf[i:])) {
			return i
		}
	}
	for back := 1; back < utf8.UTFMax && back <= len(s.buf); back++ {
		if c := s.buf[len(s.buf)-back]; utf8.RuneStart(c) {
			if !utf8.FullRune(s.buf[len(s.buf)-back:]) {
				return len(s.buf) - back
			}
			break
		}
	}
	return len(s.buf)
}

// place is the mark of something shown.
var place = regexp.MustCompile(wire.PlaceStart + `\d+` + wire.MarkEnd)

const longestMark = 64

// beginsMark says whether a text can go on to be a mark.
func beginsMark(text string) bool {
	for _, start := range []string{wire.MarkStart, wire.PlaceStart} {
		if strings.HasPrefix(start, text) {
			return true
		}
		if rest, ok := strings.CutPrefix(text, start); ok {
			rest = strings.TrimSuffix(rest, wire.MarkEnd[:1])
			return strings.Trim(rest, "0123456789 ") == ""
		}
	}
	return false
}

// at passes on all text before the place of a mark, calls show, and takes the mark out.
// It waits for the mark, but not for long: who writes to the session's output by other
// means might have spoiled it.
func (s *stream) at(mark string, show func()) {
	s.mu.Lock()
	late := false
	stop := time.AfterFunc(2*time.Second, func() {
		s.mu.Lock()
		late = true
		s.mark.Broadcast()
		s.mu.Unlock()
	})
	defer stop.Stop()
	for !late && !s.blind && !s.isClosed() && !bytes.Contains(s.buf, []byte(mark)) {
		s.mark.Wait()
	}
	if !bytes.Contains(s.buf, []byte(mark)) {
		s.gone[mark], s.blind = true, true
	}
	s.flushLocked()
	s.mu.Unlock()
	show()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = bytes.Replace(s.buf, []byte(mark), nil, 1)
	if len(s.buf) > 0 && s.timer == nil {
		s.timer = time.AfterFunc(flushAfter, s.flush)
	}
}

// release passes on what is there after the session's end, when nothing is shown any
// more.
func (s *stream) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passAll()
}

// passAll passes on all that is there, and forgets the places in it.
func (s *stream) passAll() {
	s.buf = place.ReplaceAll(s.buf, nil)
	clear(s.gone)
	s.pass(len(s.buf))
}

func (s *stream) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// waitMark waits until the mark of a cell's end has come through.
func (s *stream) waitMark(mark string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stop := time.AfterFunc(2*time.Second, func() {
		s.mu.Lock()
		s.marks[mark] = true
		s.mark.Broadcast()
		s.mu.Unlock()
	})
	defer stop.Stop()
	for !s.marks[mark] {
		if s.isClosed() {
			return
		}
		s.mark.Wait()
	}
	delete(s.marks, mark)
	s.passAll() // all that the cell has shown has come before its end
}
