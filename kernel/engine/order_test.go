package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/kernel/session/wire"
)

// writer writes what a session does: two streams with marks, and events.
type writer struct {
	streams [2]strings.Builder
	events  []wire.Event
	marks   int
	last    int
	made    []string // in order
}

func newWriter() *writer { return &writer{last: -1} }

func (w *writer) mark(kind string) {
	w.marks++
	for i := range w.streams {
		fmt.Fprintf(&w.streams[i], "%s%d%s%s", wire.MarkStart, w.marks, kind, wire.MarkEnd)
	}
}

func (w *writer) text(stream int, text string) {
	if w.last == 1-stream {
		w.mark("")
	}
	w.last = stream
	w.streams[stream].WriteString(text)
	w.made = joined(w.made, []string{"stdout", "stderr"}[stream]+": ", text)
}

func (w *writer) event(name string) {
	w.mark(wire.MarkEvent)
	w.last = -1
	w.events = append(w.events, wire.Event{Event: name, Mark: w.marks})
	w.made = append(w.made, "event: "+name)
}

// joined appends a text to a list, to the last one if that is of the same stream.
func joined(list []string, prefix, text string) []string {
	if n := len(list); n > 0 && strings.HasPrefix(list[n-1], prefix) {
		list[n-1] += text
		return list
	}
	return append(list, prefix+text)
}

// reader collects what an ordering passes on.
func reader(list *[]string) *ordering {
	return newOrdering(func(i item) {
		if i.event != nil {
			*list = append(*list, "event: "+i.event.Event)
			return
		}
		*list = joined(*list, i.stream+": ", string(i.text))
	})
}

// Whatever comes first of the streams and events, and in whatever pieces, it is passed on
// in the order in which it was made.
func TestOrder(t *testing.T) {
	texts := []string{"a", "\n", "日本語", "\x00", "\x00\x00", wire.MarkStart, wire.MarkEnd, wire.MarkStart + "x", strings.Repeat("long ", 100), "\xff", "é"}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := newWriter()
		for i := range r.IntN(30) {
			switch n := r.IntN(5); n {
			case 0:
				w.event(fmt.Sprint("e", i))
			default:
				w.text(n%2, texts[r.IntN(len(texts))])
			}
		}
		var got []string
		o := reader(&got)
		rest, events := [2]string{w.streams[0].String(), w.streams[1].String()}, w.events
		for rest[0] != "" || rest[1] != "" || len(events) > 0 {
			switch i := r.IntN(3); {
			case i < 2 && rest[i] != "":
				n := 1 + r.IntN(min(len(rest[i]), 20))
				o.write(i, []byte(rest[i][:n]))
				rest[i] = rest[i][n:]
			case i == 2 && len(events) > 0:
				o.event(events[0])
				events = events[1:]
			}
		}
		if o.waits() {
			t.Fatalf("seed %d: all has come, and something is waited for", seed)
		}
		o.rest()
		if !slices.Equal(got, w.made) {
			t.Fatalf("seed %d: got\n%q\nwant\n%q", seed, got, w.made)
		}
	}
}

// A stream that ends, or whose marks have been spoiled, does not hold the other back for
// ever, and nothing of either is lost.
func TestOrderWithoutMarks(t *testing.T) {
	for _, ended := range []bool{true, false} {
		w := newWriter()
		w.text(0, "out 1\n")
		w.text(1, "err 1\n")
		w.event("result")
		w.text(0, "out 2\n")
		var got []string
		o := reader(&got)
		o.write(0, []byte(w.streams[0].String()))
		o.event(w.events[0])
		if want := []string{"stdout: out 1\n"}; !slices.Equal(got, want) || !o.waits() {
			t.Errorf("before anything has come of the other: got %q", got)
		}
		o.write(1, []byte("no mark\n"))
		if ended {
			o.end(1)
		} else {
			o.giveUp()
		}
		if want := []string{"stdout: out 1\n", "stderr: no mark\n", "event: result", "stdout: out 2\n"}; !slices.Equal(got, want) || o.waits() {
			t.Errorf("ended is %v: got %q, want %q", ended, got, want)
		}
	}
}

// An event that does not come is not waited for for ever, and has its place when it comes
// late: at once.
func TestOrderWithoutEvent(t *testing.T) {
	w := newWriter()
	w.text(0, "a")
	w.event("lost")
	w.text(0, "b")
	var got []string
	o := reader(&got)
	for i := range w.streams {
		o.write(i, []byte(w.streams[i].String()))
	}
	if want := []string{"stdout: a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	o.giveUp()
	o.event(w.events[0])
	if want := []string{"stdout: ab", "event: lost"}; !slices.Equal(got, want) || o.waits() {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What might become a mark is held back, and nothing else is.
func TestOrderHoldsBack(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "a\x00": "a", "a\x00b": "a\x00b", wire.MarkStart: "", "a" + wire.MarkStart + "12": "a", "a" + wire.MarkStart + "12" + wire.MarkEvent: "a",
		"a" + wire.MarkStart + "1x": "a" + wire.MarkStart + "1x", "\xe6\x97": "", "a\xe6": "a", "\xff\xff": "\xff\xff",
	} {
		var got []string
		o := reader(&got)
		o.write(0, []byte(text))
		if s := strings.TrimPrefix(strings.Join(got, ""), "stdout: "); s != want {
			t.Errorf("of %q is passed on %q, want %q", text, s, want)
		}
		o.end(0)
		if s := strings.TrimPrefix(strings.Join(got, ""), "stdout: "); s != text {
			t.Errorf("of %q is passed on %q in the end", text, s)
		}
	}
}
