package widgets_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/janpfeifer/gonb/gonbui"

	"github.com/gradbook/gradbook/viz"
	"github.com/gradbook/gradbook/viz/widgets"
)

// page stands for the one that shows widgets: it keeps what it is sent.
type page struct {
	mu   sync.Mutex
	sent []message
}

type message struct {
	kind string
	ID   string `json:"comm_id"`
	Name string `json:"target_name"`
	Data struct {
		Method string
		State  map[string]any
		States map[string]struct {
			State     map[string]any
			ModelName string `json:"model_name"`
		}
	}
}

// open connects a page. What widgets call runs when the returned function is called.
func open(t *testing.T) (p *page, idle func()) {
	t.Helper()
	p = &page{}
	was := gonbui.IsNotebook
	gonbui.IsNotebook = true
	var mu sync.Mutex
	var later []func()
	widgets.Connect(func(c widgets.Comm) {
		m := message{kind: c.Type}
		if err := json.Unmarshal(c.Content, &m); err != nil {
			t.Errorf("a message that is no JSON: %s", c.Content)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent = append(p.sent, m)
	}, func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		later = append(later, f)
	})
	t.Cleanup(func() {
		widgets.Connect(nil, nil)
		gonbui.IsNotebook = was
	})
	return p, func() {
		mu.Lock()
		calls := later
		later = nil
		mu.Unlock()
		for _, f := range calls {
			f()
		}
	}
}

func (p *page) last() message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[len(p.sent)-1]
}

func (p *page) send(t *testing.T, id string, data any) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"comm_id": id, "data": data})
	if err != nil {
		t.Fatal(err)
	}
	if err := widgets.Receive(widgets.Comm{Type: "comm_msg", Content: raw}); err != nil {
		t.Fatal(err)
	}
}

// show shows a widget, and returns its id.
func show(t *testing.T, v viz.Viewable) string {
	t.Helper()
	b, err := v.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	var view struct {
		ID string `json:"model_id"`
	}
	if err := json.Unmarshal([]byte(b["application/vnd.jupyter.widget-view+json"]), &view); err != nil || view.ID == "" || b[viz.MIMEPlain] == "" {
		t.Fatalf("expected a view and words, got %v, %v", b, err)
	}
	return view.ID
}

func update(state map[string]any) map[string]any {
	return map[string]any{"method": "update", "state": state, "buffer_paths": []any{}}
}

// TestSlider: a value that a reader changes is there at once; what is to be called
// is called when no cell runs, once for all that has changed.
func TestSlider(t *testing.T) {
	p, idle := open(t)
	s := &widgets.IntSlider{Description: "k", Min: 1, Max: 10, Initial: 30}
	var got []int
	s.OnChange(func(v int) { got = append(got, v) })
	id := show(t, s)
	if m := p.last(); m.kind != "comm_open" || m.Name != widgets.Target || m.Data.State["_model_name"] != "IntSliderModel" || m.Data.State["value"] != 10.0 {
		t.Errorf("expected a slider at 10 to be opened, got %+v", m)
	}
	for v := range 5 {
		p.send(t, id, update(map[string]any{"value": v + 2}))
	}
	if s.Value() != 6 || len(got) != 0 {
		t.Errorf("expected 6 and no call yet, got %d and %v", s.Value(), got)
	}
	idle()
	idle()
	if fmt.Sprint(got) != "[6]" {
		t.Errorf("expected one call with 6, got %v", got)
	}
	s.Set(-5)
	if m := p.last(); m.Data.State["value"] != 1.0 || s.Value() != 1 {
		t.Errorf("expected the slider at its end, got %+v and %d", m, s.Value())
	}
	p.send(t, id, update(map[string]any{"value": "no number"}))
	if v := s.Value(); v != 0 {
		t.Errorf("what is no number: expected 0, got %d", v)
	}
	s.Close()
	if m := p.last(); m.kind != "comm_close" {
		t.Errorf("expected it to be closed, got %+v", m)
	}
}

// TestReload: a page that is loaded anew gets all widgets as they are.
func TestReload(t *testing.T) {
	p, _ := open(t)
	d := &widgets.Dropdown{Options: []string{"one", "two"}}
	box := &widgets.VBox{Children: []widgets.Widget{d, &widgets.Button{Description: "press"}, &widgets.Checkbox{Initial: true}, &widgets.Text{Initial: "<b>"}, &widgets.FloatSlider{Initial: 0.5}}}
	show(t, box)
	id := show(t, d)
	p.send(t, id, update(map[string]any{"index": 1}))
	raw := json.RawMessage(`{"comm_id": "control", "target_name": "jupyter.widget.control", "data": {}}`)
	if err := widgets.Receive(widgets.Comm{Type: "comm_open", Content: raw}); err != nil {
		t.Fatal(err)
	}
	p.send(t, "control", map[string]any{"method": "request_states"})
	m := p.last()
	if m.ID != "control" || m.Data.Method != "update_states" || len(m.Data.States) < 6 || m.Data.States[id].State["index"] != 1.0 || m.Data.States[id].ModelName != "DropdownModel" {
		t.Errorf("expected the states of all widgets, got %+v", m)
	}
	p.send(t, id, map[string]any{"method": "request_state"})
	if m := p.last(); m.ID != id || m.Data.State["index"] != 1.0 || d.Value() != "two" || d.Index() != 1 {
		t.Errorf("expected the state of the list, got %+v", m)
	}
	d.Set(7)
	if d.Value() != "" || d.Index() != -1 {
		t.Errorf("an option that does not exist: expected none, got %q", d.Value())
	}
	if err := widgets.Receive(widgets.Comm{Type: "comm_msg", Content: json.RawMessage(`{"comm_id":"nobody","data":{}}`)}); err == nil {
		t.Error("a message to nobody: expected an error, got none")
	}
	if err := widgets.Receive(widgets.Comm{Type: "comm_msg", Content: json.RawMessage(`[`)}); err == nil {
		t.Error("a message that is no JSON: expected an error, got none")
	}
}

// TestButton: presses are counted, and what waits for one goes on.
func TestButton(t *testing.T) {
	p, idle := open(t)
	b := &widgets.Button{Description: "press"}
	calls := 0
	b.OnClick(func() { calls++ })
	id := show(t, b)
	waited := make(chan error)
	go func() { waited <- b.Wait(t.Context()) }()
	for b.Clicks() == 0 {
		p.send(t, id, map[string]any{"method": "custom", "content": map[string]any{"event": "click"}})
		select {
		case err := <-waited:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	idle()
	if calls != 1 {
		t.Errorf("expected one call, got %d", calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: expected that error, got %v", err)
	}
}

// TestCanvas: a drawing becomes a digit as MNIST has it.
func TestCanvas(t *testing.T) {
	p, idle := open(t)
	c := &widgets.Canvas{}
	drawn := 0
	c.OnChange(func() { drawn++ })
	id := show(t, c)
	if !c.Empty() || sum(c.Digit()) != 0 {
		t.Error("expected an empty canvas to be black")
	}
	// A short line in a corner is scaled and centred.
	p.send(t, id, map[string]any{"method": "custom", "content": map[string]any{"event": "drawing", "strokes": [][]float64{{0.1, 0.1, 0.1, 0.3}}}})
	idle()
	p.send(t, id, update(map[string]any{"strokes": [][]float64{{0.1, 0.1, 0.1, 0.4}, {0.2}}}))
	idle()
	if drawn != 2 {
		t.Errorf("expected two calls, got %d", drawn)
	}
	d := tensors.MustCopyFlatData[float32](c.Digit())
	var mass, mx, my float64
	top, bottom := 28, 0
	for i, v := range d {
		mass, mx, my = mass+float64(v), mx+float64(v)*float64(i%28), my+float64(v)*float64(i/28)
		if v > 0 {
			top, bottom = min(top, i/28), max(bottom, i/28)
		}
	}
	if math.Abs(mx/mass-13.5) > 0.6 || math.Abs(my/mass-13.5) > 0.6 || bottom-top+1 != 20 {
		t.Errorf("expected a digit of 20 rows in the middle, got rows %d to %d around (%.1f, %.1f)", top, bottom, mx/mass, my/mass)
	}
	p.send(t, id, update(map[string]any{"strokes": "nonsense"}))
	if !c.Empty() {
		t.Error("expected nonsense to be no drawing")
	}
	c.Clear()
	if m := p.last(); fmt.Sprint(m.Data.State["strokes"]) != "[]" {
		t.Errorf("expected the page to be told, got %+v", m)
	}
}

func sum(t *tensors.Tensor) (s float32) {
	for _, v := range tensors.MustCopyFlatData[float32](t) {
		s += v
	}
	return s
}

// TestChart: a chart is replaced in the page.
func TestChart(t *testing.T) {
	p, _ := open(t)
	c := &widgets.Chart{}
	id := show(t, &widgets.HBox{Children: []widgets.Widget{c, &widgets.Label{Initial: "a label"}}})
	_ = id
	chart, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "s", Y: []float64{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set(chart); err != nil {
		t.Fatal(err)
	}
	if m := p.last(); m.Data.State["chart"].(map[string]any)["option"] == nil {
		t.Errorf("expected the chart in the page, got %+v", m)
	}
}

// Without a notebook, widgets have values and show themselves as text.
func Example() {
	k := &widgets.IntSlider{Description: "k", Min: 1, Max: 10, Initial: 3}
	answer := &widgets.Label{Initial: "?"}
	k.OnChange(func(v int) { answer.Set(fmt.Sprint(v * v)) })
	k.Set(4)
	if err := viz.Show(&widgets.VBox{Children: []widgets.Widget{k, answer}}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// k 4 (from 1 to 10)
	// ?
}

func ExampleDropdown() {
	d := &widgets.Dropdown{Description: "optimizer", Options: []string{"SGD", "Adam"}, Initial: 1}
	fmt.Println(d.Value(), d.Index())
	// Output: Adam 1
}

func ExampleButton() {
	b := &widgets.Button{Description: "train"}
	b.OnClick(func() { fmt.Println("training …") })
	fmt.Println(b.Clicks())
	// Output: 0
}

func ExampleCanvas() {
	canvas := &widgets.Canvas{}
	canvas.OnChange(func() { fmt.Println(canvas.Digit().Shape()) })
	fmt.Println(canvas.Empty(), canvas.Digit().Shape())
	// Output: true (Float32)[1, 28, 28, 1]
}

func ExampleExplore() {
	e := widgets.Explore(func(v []float64) (*viz.Chart, error) {
		s := viz.Series{Name: "tanh(w·x + b)"}
		for x := -2.0; x <= 2; x += 0.1 {
			s.X, s.Y = append(s.X, x), append(s.Y, math.Tanh(v[0]*x+v[1]))
		}
		return viz.Lines(viz.LinesConfig{}, s)
	}, widgets.Range{Name: "w", Min: -3, Max: 3, Step: 0.5, Initial: 1}, widgets.Range{Name: "b", Min: -1, Max: 1})
	b, err := e.Bundle()
	fmt.Println(b[viz.MIMEPlain], err)
	fmt.Println(strings.Count(b[viz.MIMEChart], `"name":"w `), "places on a page")
	// Output:
	// lines; tanh(w·x + b): 40 points from -0.96 to 0.96 <nil>
	// 13 places on a page
}

// TestExploreMistakes: what an explorer cannot show is an error that names it.
func TestExploreMistakes(t *testing.T) {
	lines := func(v []float64) (*viz.Chart, error) {
		return viz.Lines(viz.LinesConfig{}, make([]viz.Series, int(v[0]))...)
	}
	for want, e := range map[string]*widgets.Explorer{
		"a range":                   widgets.Explore(lines),
		"a function that draws":     widgets.Explore(nil, widgets.Range{Max: 1}),
		"a minimum below a maximum": widgets.Explore(lines, widgets.Range{Name: "k", Min: 1, Max: 1}),
		"a beginning between them":  widgets.Explore(lines, widgets.Range{Name: "k", Max: 1, Initial: 2}),
		"an explorer at [0]":        widgets.Explore(lines, widgets.Range{Name: "k", Max: 1}),
		"expected a chart, got nil": widgets.Explore(func([]float64) (*viz.Chart, error) { return nil, nil }, widgets.Range{Max: 1}),
		"expected the same series as": widgets.Explore(func(v []float64) (*viz.Chart, error) {
			s := []viz.Series{{Name: "a", Y: []float64{1, 2}}, {Name: "b", Y: []float64{1, 2}}}
			return viz.Lines(viz.LinesConfig{}, s[:1+int(v[0])]...)
		}, widgets.Range{Max: 1}),
	} {
		if _, err := e.Bundle(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}
