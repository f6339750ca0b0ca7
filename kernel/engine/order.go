package engine

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// ordering puts the session's text and events, which come by three ways, into the order
// in which they were made. Both streams of text have the same numbered marks in them:
// what is behind mark n comes after all that is before it in either stream and, if the
// mark says that there is an event, after the event with the number.
//
// It does nothing else: what is ready goes to out.
type ordering struct {
	out     func(item)
	streams [2]feed
	events  map[int]wire.Event // that have come and are not due, by mark
	passed  int                // the last mark that all is behind
}

// item is a text of a stream, or an event.
type item struct {
	stream string
	text   []byte
	event  *wire.Event
}

// feed is a stream of text.
type feed struct {
	name  string
	buf   []byte // what has come and has not been passed on
	lost  bool   // its marks do not come, so they are not waited for
	ended bool
}

func newOrdering(out func(item)) *ordering {
	return &ordering{out: out, events: map[int]wire.Event{}, streams: [2]feed{{name: "stdout"}, {name: "stderr"}}}
}

// write takes what has come of a stream.
func (o *ordering) write(stream int, b []byte) {
	f := &o.streams[stream]
	f.buf = append(f.buf, b...)
	o.advance()
}

// end says that no more comes of a stream.
func (o *ordering) end(stream int) {
	o.streams[stream].ended = true
	o.advance()
}

// event takes an event that has a place.
func (o *ordering) event(e wire.Event) {
	if e.Mark <= o.passed { // it was not waited for
		o.out(item{event: &e})
		return
	}
	o.events[e.Mark] = e
	o.advance()
}

// advance passes on what is ready: the text before the next mark, and what is behind
// the mark when both streams have come to it.
func (o *ordering) advance() {
	for {
		for i := range o.streams {
			o.passText(&o.streams[i])
		}
		next, isEvent := o.next()
		if next == 0 || !o.reached(next) {
			return
		}
		e, come := o.events[next]
		if isEvent && !come {
			return
		}
		o.passed = next
		if come {
			delete(o.events, next)
			o.out(item{event: &e})
		}
	}
}

// passText passes on the text of a stream up to its next mark, and takes out marks that
// are behind.
func (o *ordering) passText(f *feed) {
	for {
		m, ok := f.mark()
		switch {
		case !ok:
			o.pass(f, f.ready())
			return
		case m.number > o.passed:
			f.lost = false
			o.pass(f, wholeRunes(f.buf[:m.at])) // the rest goes on behind the mark, or is none
			return
		}
		f.buf = append(f.buf[:m.at], f.buf[m.at+m.length:]...)
	}
}

func (o *ordering) pass(f *feed, n int) {
	if n > 0 {
		o.out(item{stream: f.name, text: bytes.Clone(f.buf[:n])})
		f.buf = append(f.buf[:0], f.buf[n:]...)
	}
}

// next is the lowest mark that is not behind, and whether it has an event; 0 if there is
// none.
func (o *ordering) next() (lowest int, isEvent bool) {
	for i := range o.streams {
		if m, ok := o.streams[i].mark(); ok && (lowest == 0 || m.number < lowest) {
			lowest, isEvent = m.number, m.isEvent
		}
	}
	for n := range o.events {
		if lowest == 0 || n <= lowest {
			lowest, isEvent = n, true
		}
	}
	return lowest, isEvent
}

// reached says whether both streams have come to a mark, or do not come to any.
func (o *ordering) reached(n int) bool {
	for i := range o.streams {
		f := &o.streams[i]
		if m, ok := f.mark(); ok && m.number < n || !ok && !f.lost && !f.ended {
			return false
		}
	}
	return true
}

// waits says whether something waits for a mark or an event.
func (o *ordering) waits() bool {
	n, _ := o.next()
	return n != 0
}

// giveUp no longer waits for what the next mark waits for: who writes to the session's
// output by other means may have spoiled it.
func (o *ordering) giveUp() {
	n, isEvent := o.next()
	for i := range o.streams {
		f := &o.streams[i]
		if _, ok := f.mark(); !ok {
			f.lost = true
		}
	}
	if _, come := o.events[n]; isEvent && !come && o.reached(n) {
		o.passed = n
	}
	o.advance()
}

// rest passes on what is held back because more might come.
func (o *ordering) rest() {
	for i := range o.streams {
		f := &o.streams[i]
		if _, ok := f.mark(); !ok {
			o.pass(f, len(f.buf))
		}
	}
}

// place is a mark in a text.
type place struct {
	number, at, length int
	isEvent            bool
}

var mark = regexp.MustCompile(wire.MarkStart + `(\d+)(` + wire.MarkEvent + `?)` + wire.MarkEnd)

// mark is the first in what has come.
func (f *feed) mark() (place, bool) {
	if bytes.IndexByte(f.buf, 0) < 0 {
		return place{}, false
	}
	m := mark.FindSubmatchIndex(f.buf)
	if m == nil {
		return place{}, false
	}
	n, _ := strconv.Atoi(string(f.buf[m[2]:m[3]]))
	return place{n, m[0], m[1] - m[0], m[5] > m[4]}, true
}

// longestMark bounds the bytes of a mark.
const longestMark = 64

// ready is how much of a text without a mark can be passed on: not what may become one,
// nor an incomplete rune.
func (f *feed) ready() int {
	if f.ended {
		return len(f.buf)
	}
	for i := max(0, len(f.buf)-longestMark); i < len(f.buf); i++ {
		if f.buf[i] == 0 && beginsMark(string(f.buf[i:])) {
			return i
		}
	}
	return wholeRunes(f.buf)
}

// wholeRunes is how much of a text there is before a rune that may go on.
func wholeRunes(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if c := b[len(b)-back]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-back:]) {
				return len(b) - back
			}
			break
		}
	}
	return len(b)
}

// beginsMark says whether a text can go on to be a mark.
func beginsMark(text string) bool {
	if strings.HasPrefix(wire.MarkStart, text) { //nolint:gocritic // the text is the shorter one
		return true
	}
	rest, ok := strings.CutPrefix(text, wire.MarkStart)
	rest = strings.TrimSuffix(strings.TrimSuffix(rest, wire.MarkEnd[:1]), wire.MarkEvent)
	return ok && strings.Trim(rest, "0123456789") == ""
}
