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
	mark  *sync.Cond
	cells int
}

func newStream(name string, p *process, c Config) *stream {
	s := &stream{name: name, proc: p, config: c, closed: make(chan struct{}), marks: map[string]bool{}}
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
	defer close(s.closed)
	defer r.Close() //nolint:errcheck // only read from
	chunk := make([]byte, 1<<16)
	for {
		n, err := r.Read(chunk)
		if n > 0 {
			s.add(chunk[:n])
		}
		if err != nil {
			s.mu.Lock()
			s.mark.Broadcast()
			s.mu.Unlock()
			return
		}
	}
}

var markStart = []byte("\x00\x01gradbook ")

func (s *stream) add(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(s.buf, b...)
	for {
		i := bytes.Index(s.buf, markStart)
		if i < 0 {
			break
		}
		j := bytes.Index(s.buf[i:], []byte("\x01\x00"))
		if j < 0 {
			break
		}
		s.marks[string(s.buf[i:i+j+2])] = true
		s.buf = append(s.buf[:i], s.buf[i+j+2:]...)
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
	if len(s.buf) > 1<<15 {
		s.flushLocked()
	} else if s.timer == nil {
		s.timer = time.AfterFunc(flushAfter, s.flush)
	}
}

func (s *stream) lastWords() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.tail)
}

func (s *stream) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushLocked()
}

// flushLocked passes on what is there; an incomplete rune stays, for a while.
func (s *stream) flushLocked() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	n := len(s.buf)
	if i := bytes.LastIndex(s.buf, []byte("\x00\x01")); i >= 0 {
		n = i // perhaps the beginning of a mark
	} else {
		for back := 1; back < utf8.UTFMax && back <= len(s.buf); back++ {
			if c := s.buf[len(s.buf)-back]; utf8.RuneStart(c) {
				if !utf8.FullRune(s.buf[len(s.buf)-back:]) {
					n = len(s.buf) - back
				}
				break
			}
		}
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
		select {
		case <-s.closed:
			return
		default:
		}
		s.mark.Wait()
	}
	delete(s.marks, mark)
	s.flushLocked()
}
