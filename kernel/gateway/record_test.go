package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func requestFor(cell, id string) *message {
	return &message{header: header{MsgID: id}, content: encode(map[string]any{"code": "x"}), metadata: encode(map[string]any{"cellId": cell})}
}

// What is kept of a cell is what a page would show: text in one, displays as they were last,
// nothing of what was cleared.
func TestRecordKeeps(t *testing.T) {
	stream := func(text string) func(*record) {
		return func(o *record) { o.keep("stream", map[string]any{"name": "stdout", "text": text}, nil) }
	}
	display := func(kind, id, text string) func(*record) {
		return func(o *record) {
			o.keep(kind, map[string]any{"data": map[string]any{"text/plain": text}, "transient": map[string]any{"display_id": id}}, nil)
		}
	}
	cleared := func(wait bool) func(*record) {
		return func(o *record) { o.keep("clear_output", map[string]any{"wait": wait}, nil) }
	}
	for name, c := range map[string]struct {
		steps []func(*record)
		want  string
	}{
		"text":             {[]func(*record){stream("a"), stream("b"), stream("c")}, "stream abc"},
		"a display":        {[]func(*record){stream("a"), display("display_data", "x", "1"), display("update_display_data", "x", "2"), stream("b")}, "stream a|display_data 2|stream b"},
		"another's":        {[]func(*record){display("update_display_data", "y", "2")}, "update_display_data 2"},
		"cleared":          {[]func(*record){stream("a"), cleared(false), stream("b")}, "stream b"},
		"cleared later":    {[]func(*record){stream("a"), cleared(true), stream("b"), stream("c")}, "stream bc"},
		"to be cleared":    {[]func(*record){stream("a"), cleared(true)}, "stream a"},
		"cleared and gone": {[]func(*record){display("display_data", "x", "1"), cleared(true), display("display_data", "x", "2")}, "display_data 2"},
	} {
		o := &record{kept: true}
		for _, s := range c.steps {
			s(o)
		}
		var got []string
		for _, out := range o.outputs {
			content := out.joined()
			text := content["text"]
			if data, ok := content["data"].(map[string]any); ok {
				text = data["text/plain"]
			}
			got = append(got, fmt.Sprint(out.kind, " ", text))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A cell that prints without an end does not fill the memory, and the end of what it
// printed is there.
func TestRecordIsBounded(t *testing.T) {
	o := &record{kept: true}
	for i := range 300000 {
		o.keep("stream", map[string]any{"name": "stdout", "text": fmt.Sprintf("%060d\n", i)}, nil)
	}
	text := o.outputs[0].joined()["text"].(string)
	if len(text) > maxRecord+1000 || !strings.HasPrefix(text, "… (what came before") || !strings.HasSuffix(text, "299999\n") {
		t.Errorf("%d bytes, from %.60q", len(text), text)
	}
	for range 100 {
		o.keep("display_data", map[string]any{"data": map[string]any{"image/png": strings.Repeat("x", 1<<18)}}, nil)
	}
	if o.size > maxRecord+1<<18 || len(o.outputs) > 20 {
		t.Errorf("%d bytes in %d outputs", o.size, len(o.outputs))
	}
}

// There is one record of a cell that has ended, none of a client's that names no cell, and
// not too many.
func TestRecords(t *testing.T) {
	var r records
	end := func(o *record) { o.state = "done" }
	cells := func() (ids []string) {
		for _, one := range r.all() {
			ids = append(ids, one["cell"].(string)+one["id"].(string))
		}
		return ids
	}
	end(r.add(requestFor("a", "1")))
	r.add(requestFor("b", "2"))
	end(r.add(&message{header: header{MsgID: "3"}, content: encode(map[string]any{})}))
	r.add(requestFor("a", "4"))
	if got := cells(); !slices.Equal(got, []string{"b2", "a4"}) {
		t.Errorf("got %v", got)
	}
	r.saved([]string{"a", "b"}) // they run yet
	if got := cells(); len(got) != 2 {
		t.Errorf("got %v", got)
	}
	end(r.find("4"))
	r.saved([]string{"a"})
	if got := cells(); !slices.Equal(got, []string{"b2"}) || r.find("4") != nil {
		t.Errorf("got %v", got)
	}
	for i := range 2 * maxRecords {
		end(r.add(requestFor(fmt.Sprint("c", i), fmt.Sprint(i))))
	}
	if got := cells(); len(got) != maxRecords || got[0] != "b2" {
		t.Errorf("%d records, the first %v", len(got), got[0])
	}
}
