package widgets

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

// Comm is a message to or from the widgets in a page.
type Comm struct {
	// Type is "comm_open", "comm_msg" or "comm_close".
	Type string `json:"type"`
	// Content and Metadata are the message's.
	Content  json.RawMessage `json:"content"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// Targets are the names under which pages and kernels open comms for widgets.
const (
	Target        = "jupyter.widget"
	ControlTarget = "jupyter.widget.control"
)

// protocolVersion is that of the widgets' messages.
const protocolVersion = "2.1.0"

// page is who shows the widgets.
var page = struct {
	sync.Mutex
	send   func(Comm)        // nil if there is no page
	later  func(func())      // calls a function when no cell runs
	models map[string]*model // that are open, by id
	order  []string          // of their opening
}{models: map[string]*model{}}

// Connect connects the widgets of this program with a page: send sends a message,
// and later calls a function when no cell runs. It is the kernel's to call.
func Connect(send func(Comm), later func(func())) {
	page.Lock()
	defer page.Unlock()
	page.send, page.later = send, later
}

// content is what is in comms' messages.
type content struct {
	ID     string `json:"comm_id"`
	Target string `json:"target_name,omitempty"`
	Data   data   `json:"data"`
}

type data struct {
	Method      string          `json:"method,omitempty"`
	State       map[string]any  `json:"state,omitempty"`
	States      map[string]any  `json:"states,omitempty"`
	BufferPaths [][]string      `json:"buffer_paths"`
	Content     json.RawMessage `json:"content,omitempty"`
}

// Receive takes a message from the page. It is the kernel's to call.
func Receive(c Comm) error {
	var in content
	if err := json.Unmarshal(c.Content, &in); err != nil {
		return fmt.Errorf("widgets: %s: %w", c.Type, err)
	}
	if c.Type == "comm_open" && in.Target == ControlTarget {
		return nil // it asks in a message of its own
	}
	if in.Data.Method == "request_states" {
		sendStates(in.ID)
		return nil
	}
	page.Lock()
	m := page.models[in.ID]
	page.Unlock()
	if m == nil && c.Type == "comm_close" {
		return nil // of the control channel, or of one that is closed already
	}
	if m == nil {
		return fmt.Errorf("widgets: %s: no widget has the id %q", c.Type, in.ID)
	}
	switch {
	case c.Type == "comm_close":
		m.closed()
	case in.Data.Method == "request_state":
		m.send("update", m.snapshot())
	case in.Data.Method == "update":
		m.changed(in.Data.State)
	case in.Data.Method == "custom":
		if m.custom != nil {
			m.custom(in.Data.Content)
		}
	}
	return nil
}

// sendStates answers a page that was loaded anew and asks for all widgets.
func sendStates(comm string) {
	page.Lock()
	var all []*model
	for _, id := range page.order {
		all = append(all, page.models[id])
	}
	page.Unlock()
	states := make(map[string]any)
	for _, m := range all {
		s := m.snapshot()
		states[m.id] = map[string]any{
			"model_name": s["_model_name"], "model_module": s["_model_module"], "model_module_version": s["_model_module_version"], "state": s,
		}
	}
	transmit("comm_msg", content{ID: comm, Data: data{Method: "update_states", States: states, BufferPaths: [][]string{}}}, nil)
}

// transmit sends a message, if there is a page.
func transmit(kind string, c content, metadata json.RawMessage) {
	page.Lock()
	send := page.send
	page.Unlock()
	if send == nil {
		return
	}
	if c.Data.BufferPaths == nil {
		c.Data.BufferPaths = [][]string{}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		raw, _ = json.Marshal(content{ID: c.ID}) // NaN, say: better nothing than a broken channel
	}
	send(Comm{Type: kind, Content: raw, Metadata: metadata})
}

func register(m *model) {
	page.Lock()
	defer page.Unlock()
	page.models[m.id] = m
	page.order = append(page.order, m.id)
}

func unregister(m *model) {
	page.Lock()
	defer page.Unlock()
	delete(page.models, m.id)
	page.order = slices.DeleteFunc(page.order, func(id string) bool { return id == m.id })
}

// whenIdle calls a function when no cell runs.
func whenIdle(f func()) {
	page.Lock()
	later := page.later
	page.Unlock()
	if later == nil {
		f()
		return
	}
	later(f)
}
