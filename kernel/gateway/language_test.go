package gateway

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/gradbook/gradbook/kernel/language"
)

// words is a Language that completes what it is asked about by itself, and documents it.
type words struct {
	mu sync.Mutex
	at string // what was before the cursor
}

func (w *words) ask(before string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = before
}

func (w *words) asked() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *words) Complete(code string, offset int) (matches []language.Match, start, end int) {
	w.ask(code[:offset])
	for start = offset; start > 0 && code[start-1] != ' ' && code[start-1] != '\n' && code[start-1] != '.'; {
		start--
	}
	if start == offset {
		return nil, offset, offset
	}
	return []language.Match{{Text: code[start:offset] + "ly", Kind: "function", Signature: "()"}}, start, offset
}

func (w *words) Inspect(code string, offset int) string {
	w.ask(code[:offset])
	if offset == 0 {
		return ""
	}
	return "```go\nfunc f()\n```\n\nIt *does* that.\n"
}

func (w *words) Warm() {}

// withWords connects a client to a gateway that has that Language.
func withWords(t *testing.T) (*client, *words) {
	t.Helper()
	w := &words{}
	return connect(t, func(c *Config) { c.Language = w }), w
}

// Jupyter counts code points, and what it sends has any line ends; a Language counts bytes
// of a text with Go's.
func TestPositions(t *testing.T) {
	c, w := withWords(t)
	for _, q := range []struct {
		code       string
		cursor     any
		before     string // what the Language is told is before the cursor
		text       string
		start, end float64
	}{
		{"total", 5, "total", "totally", 0, 5},
		{"total", 3, "tot", "totly", 0, 3},
		{"x := tot", 8, "x := tot", "totly", 5, 8},
		{"é字 tot", 6, "é字 tot", "totly", 3, 6},
		{"😀 tot", 5, "😀 tot", "totly", 2, 5},
		{"a\r\nb\r\ntot", 9, "a\nb\ntot", "totly", 6, 9},
		{"a\r\ntot\r\nb", 6, "a\ntot", "totly", 3, 6},
		{"\ufefftot", 4, "tot", "totly", 0, 4}, // and the mark goes
		{"\ufeffa\r\né tot", 9, "a\né tot", "totly", 6, 9},
		{"fmt.Pri", 7, "fmt.Pri", "Prily", 4, 7},
		{"tot", nil, "tot", "totly", 0, 3},
		{"tot", 100, "tot", "totly", 0, 3},
	} {
		got := c.ask("complete_request", map[string]any{"code": q.code, "cursor_pos": q.cursor})
		if w.asked() != q.before {
			t.Errorf("%q at %v: the Language is asked about %q, want %q", q.code, q.cursor, w.asked(), q.before)
		}
		if !reflect.DeepEqual(got["matches"], []any{q.text}) || got["cursor_start"] != q.start || got["cursor_end"] != q.end {
			t.Errorf("%q at %v: got %v, want %q from %v to %v", q.code, q.cursor, got, q.text, q.start, q.end)
		}
		kinds := got["metadata"].(map[string]any)["_jupyter_types_experimental"].([]any)
		want := map[string]any{"start": q.start, "end": q.end, "text": q.text, "type": "function", "signature": "()"}
		if len(kinds) != 1 || !reflect.DeepEqual(kinds[0], want) {
			t.Errorf("%q at %v: got the kinds %v, want %v", q.code, q.cursor, kinds, want)
		}
	}
	got := c.ask("complete_request", map[string]any{"code": "x ", "cursor_pos": 2})
	if !reflect.DeepEqual(got["matches"], []any{}) || got["cursor_start"] != 2.0 || got["cursor_end"] != 2.0 {
		t.Errorf("of nothing, got %v", got)
	}
}

func TestInspect(t *testing.T) {
	c, w := withWords(t)
	got := c.ask("inspect_request", map[string]any{"code": "a\r\nf(", "cursor_pos": 5, "detail_level": 0})
	data := got["data"].(map[string]any)
	if got["found"] != true || data["text/plain"] != "func f()\n\nIt *does* that." || data["text/markdown"] != "```go\nfunc f()\n```\n\nIt *does* that.\n" {
		t.Errorf("got %v", got)
	}
	if w.asked() != "a\nf(" {
		t.Errorf("the Language is asked about %q", w.asked())
	}
	got = c.ask("inspect_request", map[string]any{"code": "f", "cursor_pos": 0})
	if got["found"] != false || len(got["data"].(map[string]any)) != 0 || got["status"] != "ok" {
		t.Errorf("of nothing, got %v", got)
	}
}

// A gateway without a Language answers, too.
func TestNoLanguage(t *testing.T) {
	c := connect(t)
	if got := c.ask("complete_request", map[string]any{"code": "tot", "cursor_pos": 3}); got["status"] != "ok" || !reflect.DeepEqual(got["matches"], []any{}) {
		t.Errorf("got %v", got)
	}
	if got := c.ask("inspect_request", map[string]any{"code": "tot", "cursor_pos": 3}); got["found"] != false {
		t.Errorf("got %v", got)
	}
}

func TestIsComplete(t *testing.T) {
	c := connect(t)
	for code, want := range map[string]string{
		"x := 1": "complete", "for i := range 3 {": "incomplete", "%%bash": "complete", "!a \\": "incomplete", "%time f(": "incomplete", "package main": "complete",
		"%who": "complete", "}": "invalid", "x := `raw": "incomplete", "/* open": "incomplete", "": "complete", "if x {\r\n": "incomplete",
	} {
		if got := c.ask("is_complete_request", map[string]any{"code": code}); got["status"] != want {
			t.Errorf("%q: got %v, want %s", code, got, want)
		}
	}
	if got := c.ask("is_complete_request", map[string]any{"code": "for {\n\tif x {"}); got["indent"] != "\t\t" && got["indent"] != "\t" {
		t.Errorf("got %v", got)
	}
}

func TestKernelInfo(t *testing.T) {
	c := connect(t, func(c *Config) { c.Version, c.GoVersion = "v1.2.3", "1.26.8" })
	got := c.ask("kernel_info_request", map[string]any{})
	info := got["language_info"].(map[string]any)
	if got["implementation"] != "gradbook" || got["implementation_version"] != "v1.2.3" || info["version"] != "1.26.8" || info["name"] != "go" || info["file_extension"] != ".go" {
		t.Errorf("got %v", got)
	}
	if got["protocol_version"] != protocolVersion || len(got["help_links"].([]any)) == 0 {
		t.Errorf("got %v", got)
	}
}

// No comms are open where nothing has opened one.
func TestCommInfo(t *testing.T) {
	c := connect(t)
	if got := c.ask("comm_info_request", map[string]any{"target_name": "there"}); fmt.Sprint(got["comms"]) != "map[]" {
		t.Errorf("got %v", got)
	}
}
