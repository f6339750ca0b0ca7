package widgets

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/janpfeifer/gonb/gonbui"

	"github.com/gradbook/gradbook/viz"
	_ "github.com/gradbook/gradbook/viz/gonb" // widgets live in notebooks only
)

// mimeView is what shows a widget in a page.
const mimeView = "application/vnd.jupyter.widget-view+json"

// model is a widget's state, which a page and this program share.
type model struct {
	mu     sync.Mutex
	id     string
	state  map[string]any
	opened bool
	// changes is closed, and made anew, at every change by the page. There were
	// count, of which wait has seen some.
	changes     chan struct{}
	count, seen int
	// update takes what the page has changed, custom its other messages.
	update func(state map[string]any)
	custom func(raw json.RawMessage)
}

// controls is the module of Jupyter's own widgets.
const (
	controls        = "@jupyter-widgets/controls"
	controlsVersion = "2.0.0"
	own             = "@gradbook/viz"
	ownVersion      = "0.1.0"
)

// newModel makes the model of a kind of widget of a module.
func newModel(module, version, kind string, state map[string]any) *model {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	all := map[string]any{
		"_model_module": module, "_model_module_version": version, "_model_name": kind + "Model",
		"_view_module": module, "_view_module_version": version, "_view_name": kind + "View",
		"_view_count": nil, "_dom_classes": []string{}, "layout": nil, "tabbable": nil, "tooltip": nil,
	}
	maps.Copy(all, state)
	return &model{id: hex.EncodeToString(b[:]), state: all, changes: make(chan struct{})}
}

func (m *model) snapshot() map[string]any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.state)
}

func (m *model) get(key string) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state[key]
}

// set changes the state here and in the page.
func (m *model) set(key string, value any) {
	m.mu.Lock() // also while it is sent, so that the last that is set is the last that comes
	defer m.mu.Unlock()
	m.state[key] = value
	if m.opened {
		m.send("update", map[string]any{key: value})
	}
}

func (m *model) send(method string, state map[string]any) {
	transmit("comm_msg", content{ID: m.id, Data: data{Method: method, State: state}}, nil)
}

// open tells the page of the model.
func (m *model) open() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opened {
		return
	}
	m.opened = true
	register(m)
	metadata, _ := json.Marshal(map[string]string{"version": protocolVersion}) // it is a constant
	transmit("comm_open", content{ID: m.id, Target: Target, Data: data{State: m.state}}, metadata)
}

func (m *model) close() {
	m.mu.Lock()
	opened := m.opened
	m.opened = false
	m.mu.Unlock()
	if opened {
		unregister(m)
		transmit("comm_close", content{ID: m.id}, nil)
	}
}

// closed is close, by the page.
func (m *model) closed() {
	m.mu.Lock()
	m.opened = false
	m.mu.Unlock()
	unregister(m)
}

// changed takes what the page has changed.
func (m *model) changed(state map[string]any) {
	m.mu.Lock()
	maps.Copy(m.state, state)
	m.mu.Unlock()
	if m.update != nil {
		m.update(state)
	}
	m.signal()
}

func (m *model) signal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count++
	close(m.changes)
	m.changes = make(chan struct{})
}

// wait waits for a change by the page, and returns at once if there was one since it
// last returned.
func (m *model) wait(ctx context.Context) error {
	for {
		m.mu.Lock()
		changes, changed := m.changes, m.count > m.seen
		m.seen = m.count
		m.mu.Unlock()
		if changed {
			return nil
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return fmt.Errorf("widgets: waiting for a change: %w", context.Cause(ctx))
		}
	}
}

// bundle shows a model.
func (m *model) bundle(text string) (viz.Bundle, error) {
	b := viz.Bundle{viz.MIMEPlain: text}
	if gonbui.IsNotebook {
		m.open()
		b[mimeView] = fmt.Sprintf(`{"version_major":2,"version_minor":0,"model_id":%q}`, m.id)
	}
	return b, nil
}

// Widget is what boxes hold.
type Widget interface {
	viz.Viewable
	model() *model
}

// widget is what all widgets have: a model, made when it is first needed.
type widget struct {
	once sync.Once
	m    *model
}

// Close takes the widget from the page.
func (w *widget) Close() {
	if w.m != nil {
		w.m.close()
	}
}

// watched is a value that the page changes: functions to call, and the last value
// that they have not been called with.
type watched[T any] struct {
	mu      sync.Mutex
	calls   []func(T)
	pending bool
}

func (w *watched[T]) add(f func(T)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, f)
}

// announce calls the functions with the latest value when no cell runs. Changes
// that come meanwhile are one.
func (w *watched[T]) announce(latest func() T) {
	w.mu.Lock()
	done := w.pending || len(w.calls) == 0
	w.pending = w.pending || !done
	w.mu.Unlock()
	if done {
		return
	}
	whenIdle(func() {
		w.mu.Lock()
		w.pending = false
		calls := append([]func(T){}, w.calls...)
		w.mu.Unlock()
		v := latest()
		for _, f := range calls {
			f(v)
		}
	})
}
