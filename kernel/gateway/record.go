package gateway

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
)

// record is what a cell has shown, kept until a page has saved it: a page that is loaded
// anew, or after a while, gets it all, and what comes then.
//
// A page asks for the records of its kernel by opening a comm for recordsTarget, and takes
// one over by a request to execute with the metadata resumeKey: that request runs nothing,
// but everything that the earlier one has shown, and will show, is answered to it, too. So
// the page's own code draws the prompt, the outputs, widgets, and asks for input.
type record struct {
	mu        sync.Mutex
	id, cell  string
	code      string
	kept      bool       // a page could ask for it
	followers []*message // requests that are answered: the first, and those of other pages
	state     string     // "queued", "running" or "done"
	input     any        // the count and code of execute_input
	outputs   []output
	size      int
	cleared   bool // the outputs go when the next comes
	asks      any  // the content of an input_request that waits for its answer
	reply     any
}

type output struct {
	kind     string
	content  map[string]any
	metadata json.RawMessage
}

const (
	recordsTarget = "gradbook.cells"
	resumeKey     = "gradbook_resume"
	// maxRecord is how much text of a cell is kept, maxRecords how many cells.
	maxRecord, maxRecords = 4 << 20, 200
	// maxRecordsSize is how much all of them are; the first that have ended go.
	maxRecordsSize = 32 << 20
	// maxFollowers is how many pages show a cell at a time.
	maxFollowers = 4
)

// records are those of a kernel, in the order of the requests.
type records struct {
	mu   sync.Mutex
	list []*record
}

// request tells which cell a request to execute is of, and whether it takes one over.
func (m *message) request() (cell, resume string) {
	var metadata struct {
		Cell   string `json:"cellId"`
		Resume string `json:"gradbook_resume"`
	}
	_ = json.Unmarshal(m.metadata, &metadata) // of another client, perhaps, with other types
	return metadata.Cell, metadata.Resume
}

// add begins the record of a request, in the place of the last of the same cell.
func (r *records) add(m *message) *record {
	cell, _ := m.request()
	var content struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(m.content, &content) // executeOne says what is wrong with it
	one := &record{id: m.header.MsgID, cell: cell, code: content.Code, kept: cell != "", followers: []*message{m}, state: "queued"}
	if !one.kept {
		return one
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(o *record) bool { return o.cell == cell && o.done() })
	over, size := len(r.list)+1-maxRecords, 0
	for _, o := range r.list {
		size += o.bytes()
	}
	r.list = slices.DeleteFunc(r.list, func(o *record) bool {
		drop := (over > 0 || size > maxRecordsSize) && o.done()
		if drop {
			over, size = over-1, size-o.bytes()
		}
		return drop
	})
	r.list = append(r.list, one)
	return one
}

func (r *records) find(id string) *record {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.list {
		if o.id == id {
			return o
		}
	}
	return nil
}

// saved forgets what a page has on disk.
func (r *records) saved(cells []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(o *record) bool { return slices.Contains(cells, o.cell) && o.done() })
}

// all are the records as a page is told of them.
func (r *records) all() []map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := []map[string]any{}
	for _, o := range r.list {
		o.mu.Lock()
		list = append(list, map[string]any{"id": o.id, "cell": o.cell, "code": o.code, "state": o.state})
		o.mu.Unlock()
	}
	return list
}

func (o *record) done() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state == "done"
}

func (o *record) bytes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size
}

// last is the request of the page that came last, which is asked for input.
func (o *record) last() *message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.followers[len(o.followers)-1]
}

// keep adds an output, as a page would: o is locked.
func (o *record) keep(kind string, content map[string]any, metadata json.RawMessage) {
	if !o.kept {
		return
	}
	switch kind {
	case "clear_output":
		if o.cleared, _ = content["wait"].(bool); !o.cleared {
			o.outputs, o.size = nil, 0
		}
		return
	case "update_display_data":
		for i, before := range o.outputs {
			if before.kind == "display_data" && displayID(before.content) == displayID(content) {
				o.outputs[i].content = maps.Clone(content)
				return
			}
		}
	case "stream":
		text, _ := content["text"].(string)
		if n := len(o.outputs) - 1; !o.cleared && n >= 0 && o.outputs[n].kind == "stream" && o.outputs[n].content["name"] == content["name"] {
			before, _ := o.outputs[n].content["text"].([]string)
			o.outputs[n].content["text"] = append(before, text)
		} else {
			o.begin(output{kind, map[string]any{"name": content["name"], "text": []string{text}}, metadata})
		}
		o.size += len(text)
		o.trim()
		return
	}
	o.begin(output{kind, content, metadata})
	o.size += len(encode(content))
	o.trim()
}

func (o *record) begin(out output) {
	if o.cleared {
		o.outputs, o.size, o.cleared = nil, 0, false
	}
	o.outputs = append(o.outputs, out)
}

// trim drops the first outputs of a cell that shows too much.
func (o *record) trim() {
	const note = "… (what came before is not kept)\n"
	for o.size > maxRecord && len(o.outputs) > 0 {
		if texts, ok := o.outputs[0].content["text"].([]string); ok && len(texts) > 3 {
			half := len(texts) / 2
			o.size += len(note)
			for _, t := range texts[:half] {
				o.size -= len(t)
			}
			o.outputs[0].content["text"] = append([]string{note}, texts[half:]...)
			continue
		}
		if len(o.outputs) == 1 {
			return
		}
		o.size -= len(encode(o.outputs[0].joined()))
		o.outputs = o.outputs[1:]
	}
}

// joined is the content with its text in one.
func (o output) joined() map[string]any {
	texts, ok := o.content["text"].([]string)
	if !ok {
		return o.content
	}
	return map[string]any{"name": o.content["name"], "text": strings.Join(texts, "")}
}

func displayID(content map[string]any) any {
	transient, _ := content["transient"].(map[string]any)
	return transient["display_id"]
}

// object is JSON as a map; nil if it is none.
func object(raw json.RawMessage) (m map[string]any) {
	_ = json.Unmarshal(raw, &m)
	return m
}
