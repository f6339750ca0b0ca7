package session

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gradbook/gradbook/kernel/session/calls"
	"github.com/gradbook/gradbook/kernel/session/wire"
)

type blocked struct{ c chan int }

func (b blocked) Len() int { return <-b.c }

type loud int

func (loud) String() string { panic("loud") }

type shaped struct{}

func (shaped) Shape() []int { return []int{2, 3} }
func (shaped) Len() int     { return 6 }

// set makes a variable one of the session.
func set[T any](t *testing.T, name string, v T) *T {
	t.Helper()
	p := &v
	calls.SetVariable(name, p)
	t.Cleanup(func() { calls.Forget(name) })
	return p
}

func TestDescribe(t *testing.T) {
	set(t, "a", 3)
	set(t, "b", []string{"x", "yy"})
	set(t, "c", shaped{})
	set(t, "d", strings.Repeat("é", 100))
	set(t, "e", loud(1))
	set(t, "f", (*shaped)(nil))
	got := map[string]wire.Variable{}
	for _, v := range describe(nil) {
		got[v.Name] = v
	}
	for name, want := range map[string]wire.Variable{
		"a": {Name: "a", Type: "int", Bytes: 8, Text: "3"},
		"b": {Name: "b", Type: "[]string", Shape: "2", Bytes: 24 + 2*16 + 3, Text: `["x" "yy"]`, Inside: true},
		"c": {Name: "c", Type: "session.shaped", Shape: "[2 3]"},
		"d": {Name: "d", Type: "string", Shape: "100", Bytes: 216, Text: strings.Repeat("é", 60) + "…"},
		"e": {Name: "e", Type: "session.loud", Bytes: 8, Text: "%!v(PANIC=String method: loud)"},
		"f": {Name: "f", Type: "*session.shaped", Shape: "?", Bytes: 8},
	} {
		if name == "d" {
			want.Shape = "200" // bytes, as len says
		}
		if got[name] != want {
			t.Errorf("got %+v, want %+v", got[name], want)
		}
	}
	if got := describe([]string{"a", "nosuch", "a"}); len(got) != 1 {
		t.Errorf("asked for a: got %+v", got)
	}
}

// Variables whose methods do not come back are told of without what they would say, soon,
// and are not asked again meanwhile.
func TestDescribeBlocked(t *testing.T) {
	const n = 20
	c := make(chan int)
	for i := range n {
		set(t, "v"+string(rune('a'+i)), blocked{c})
	}
	set(t, "w", 3)
	for range 3 {
		start := time.Now()
		list := describe(nil)
		if took := time.Since(start); took > allPatience+time.Second || len(list) != n+1 {
			t.Errorf("%d variables after %v", len(list), took)
		}
		for _, v := range list[:n] {
			if v.Shape != unanswered {
				t.Errorf("got %+v", v)
			}
		}
	}
	close(c)
	deadline := time.Now().Add(10 * time.Second)
	for describe(nil)[0].Shape != "0" {
		if time.Now().After(deadline) {
			t.Fatal("what has come back is not asked again")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestSize(t *testing.T) {
	type list struct {
		next *list
		Data [10]int64
	}
	loop := &list{}
	loop.next = loop
	for name, c := range map[string]struct {
		v        any
		min, max int64
	}{
		"a number": {int32(1), 4, 4}, "a slice": {make([]float32, 10, 100), 424, 424}, "texts": {[]string{"abc", ""}, 24 + 32 + 3, 24 + 32 + 3},
		"a nil pointer": {(*list)(nil), 8, 8}, "what points to itself": {loop, 8 + 88, 8 + 88}, "a map": {map[int64]int64{1: 2}, 24, 24},
		"an interface in a struct": {struct{ v any }{[]byte("12345")}, 16 + 24 + 5, 16 + 24 + 8},
	} {
		if got := size(reflect.ValueOf(c.v)); got < c.min || got > c.max {
			t.Errorf("%s: got %d, want %d to %d", name, got, c.min, c.max)
		}
	}
}

// A variable's address is that of what the cell gave, until it is forgotten.
func TestAddress(t *testing.T) {
	p := set(t, "x", 3)
	if got := calls.Address("x"); (*int)(got) != p {
		t.Errorf("got %v, want %v", got, p)
	}
	calls.Clear(p)
	if *p != 0 {
		t.Errorf("a cleared variable is %d", *p)
	}
	calls.Forget("x")
	if got := calls.Address("x"); got != nil {
		t.Errorf("what is forgotten is at %v", got)
	}
}
