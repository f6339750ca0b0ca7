package widgets

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/gradbook/gradbook/viz"
)

// IntSlider is a slider of whole numbers.
type IntSlider struct {
	// Description stands before it.
	Description string
	// Min and Max are its ends; without a Max above Min, it is 100 or, if Min is more
	// than 0, the greater of 100 and 100 above Min. Step is the distance
	// between two values; 0 means 1. Initial is where it begins.
	Min, Max, Step, Initial int
	// Disabled makes it grey.
	Disabled bool

	widget
	watched watched[int]
}

func (s *IntSlider) model() *model {
	s.once.Do(func() {
		if s.Max <= s.Min {
			s.Max = max(100, s.Min+100)
		}
		s.m = newModel(controls, controlsVersion, "IntSlider", map[string]any{
			"description": s.Description, "min": s.Min, "max": s.Max, "step": max(s.Step, 1), "value": min(max(s.Initial, s.Min), s.Max),
			"disabled": s.Disabled, "continuous_update": true, "orientation": "horizontal", "readout": true, "readout_format": "d", "behavior": "drag-tap", "style": nil,
		})
		s.m.update = func(map[string]any) { s.watched.announce(s.Value) }
	})
	return s.m
}

// Value is where the slider is.
func (s *IntSlider) Value() int { return int(numberOf(s.model().get("value"))) }

// Set moves the slider.
func (s *IntSlider) Set(v int) {
	s.model() // ends are set
	s.m.set("value", min(max(v, s.Min), s.Max))
}

// OnChange has f called when a reader has moved the slider.
func (s *IntSlider) OnChange(f func(int)) { s.model(); s.watched.add(f) }

// Wait waits until a reader moves the slider, or ctx is done.
func (s *IntSlider) Wait(ctx context.Context) error { return s.model().wait(ctx) }

// Bundle implements viz.Viewable.
func (s *IntSlider) Bundle() (viz.Bundle, error) {
	return s.model().bundle(fmt.Sprintf("%s %d (from %d to %d)", s.Description, s.Value(), s.Min, s.Max))
}

// FloatSlider is a slider of numbers.
type FloatSlider struct {
	// Description stands before it.
	Description string
	// Min and Max are its ends; without a Max above Min, it is Min+1. Step is the distance between
	// two values; 0 means a hundredth of the way. Initial is where it begins.
	Min, Max, Step, Initial float64
	// Disabled makes it grey.
	Disabled bool

	widget
	watched watched[float64]
}

func (s *FloatSlider) model() *model {
	s.once.Do(func() {
		if !(s.Max > s.Min) {
			s.Max = s.Min + 1
		}
		if s.Step <= 0 {
			s.Step = (s.Max - s.Min) / 100
		}
		digits := max(0, int(math.Ceil(-math.Log10(max(s.Step, 1e-9)))))
		s.m = newModel(controls, controlsVersion, "FloatSlider", map[string]any{
			"description": s.Description, "min": s.Min, "max": s.Max, "step": s.Step, "value": min(max(s.Initial, s.Min), s.Max),
			"disabled": s.Disabled, "continuous_update": true, "orientation": "horizontal", "readout": true, "readout_format": fmt.Sprintf(".%df", digits), "behavior": "drag-tap", "style": nil,
		})
		s.m.update = func(map[string]any) { s.watched.announce(s.Value) }
	})
	return s.m
}

// Value is where the slider is.
func (s *FloatSlider) Value() float64 { return numberOf(s.model().get("value")) }

// Set moves the slider. What is no number is left out.
func (s *FloatSlider) Set(v float64) {
	s.model() // ends are set
	if !math.IsNaN(v) {
		s.m.set("value", min(max(v, s.Min), s.Max))
	}
}

// OnChange has f called when a reader has moved the slider.
func (s *FloatSlider) OnChange(f func(float64)) { s.model(); s.watched.add(f) }

// Wait waits until a reader moves the slider, or ctx is done.
func (s *FloatSlider) Wait(ctx context.Context) error { return s.model().wait(ctx) }

// Bundle implements viz.Viewable.
func (s *FloatSlider) Bundle() (viz.Bundle, error) {
	return s.model().bundle(fmt.Sprintf("%s %g (from %g to %g)", s.Description, s.Value(), s.Min, s.Max))
}

// Dropdown is a list of options of which one is chosen.
type Dropdown struct {
	// Description stands before it, Options are what it offers, Initial is the
	// place of the one that is chosen at first.
	Description string
	Options     []string
	Initial     int
	// Disabled makes it grey.
	Disabled bool

	widget
	watched watched[string]
}

func (d *Dropdown) model() *model {
	d.once.Do(func() {
		var index any
		if d.Initial >= 0 && d.Initial < len(d.Options) {
			index = d.Initial
		}
		d.m = newModel(controls, controlsVersion, "Dropdown", map[string]any{
			"description": d.Description, "_options_labels": append([]string{}, d.Options...), "index": index, "disabled": d.Disabled, "style": nil,
		})
		d.m.update = func(map[string]any) { d.watched.announce(d.Value) }
	})
	return d.m
}

// Index is the place of the option that is chosen, −1 if none is.
func (d *Dropdown) Index() int {
	v := d.model().get("index")
	if i := int(numberOf(v)); v != nil && i >= 0 && i < len(d.Options) {
		return i
	}
	return -1
}

// Value is the option that is chosen, "" if none is.
func (d *Dropdown) Value() string {
	if i := d.Index(); i >= 0 {
		return d.Options[i]
	}
	return ""
}

// Set chooses an option by its place. One that does not exist chooses none.
func (d *Dropdown) Set(i int) {
	if i < 0 || i >= len(d.Options) {
		d.model().set("index", nil)
		return
	}
	d.model().set("index", i)
}

// OnChange has f called when a reader has chosen.
func (d *Dropdown) OnChange(f func(string)) { d.model(); d.watched.add(f) }

// Wait waits until a reader chooses, or ctx is done.
func (d *Dropdown) Wait(ctx context.Context) error { return d.model().wait(ctx) }

// Bundle implements viz.Viewable.
func (d *Dropdown) Bundle() (viz.Bundle, error) {
	return d.model().bundle(fmt.Sprintf("%s %s (of %s)", d.Description, d.Value(), strings.Join(d.Options, ", ")))
}

// Button is what one presses.
type Button struct {
	// Description is written on it.
	Description string
	// Tooltip is shown when the pointer is on it.
	Tooltip string
	// Style is "", "primary", "success", "info", "warning" or "danger".
	Style string
	// Disabled makes it grey.
	Disabled bool

	widget
	watched watched[int]
}

func (b *Button) model() *model {
	b.once.Do(func() {
		b.m = newModel(controls, controlsVersion, "Button", map[string]any{
			"description": b.Description, "tooltip": orNil(b.Tooltip), "button_style": b.Style, "disabled": b.Disabled, "icon": "", "style": nil,
		})
		b.m.custom = func(raw json.RawMessage) {
			var e struct{ Event string }
			if json.Unmarshal(raw, &e) != nil || e.Event != "click" {
				return
			}
			b.m.signal()
			b.watched.announce(b.Clicks)
		}
	})
	return b.m
}

// Clicks is how often the button was pressed.
func (b *Button) Clicks() int {
	m := b.model()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// OnClick has f called when the button was pressed. Presses that come while a cell
// runs are one.
func (b *Button) OnClick(f func()) { b.model(); b.watched.add(func(int) { f() }) }

// SetDisabled makes the button grey, or not.
func (b *Button) SetDisabled(disabled bool) { b.model().set("disabled", disabled) }

// Wait waits until the button is pressed, or ctx is done.
func (b *Button) Wait(ctx context.Context) error { return b.model().wait(ctx) }

// Bundle implements viz.Viewable.
func (b *Button) Bundle() (viz.Bundle, error) { return b.model().bundle("[" + b.Description + "]") }

// Checkbox is on or off.
type Checkbox struct {
	// Description stands behind it. Initial is how it begins.
	Description string
	Initial     bool
	// Disabled makes it grey.
	Disabled bool

	widget
	watched watched[bool]
}

func (c *Checkbox) model() *model {
	c.once.Do(func() {
		c.m = newModel(controls, controlsVersion, "Checkbox", map[string]any{"description": c.Description, "value": c.Initial, "indent": false, "disabled": c.Disabled, "style": nil})
		c.m.update = func(map[string]any) { c.watched.announce(c.Value) }
	})
	return c.m
}

// Value says whether it is on.
func (c *Checkbox) Value() bool { v, _ := c.model().get("value").(bool); return v }

// Set turns it on or off.
func (c *Checkbox) Set(on bool) { c.model().set("value", on) }

// OnChange has f called when a reader has turned it on or off.
func (c *Checkbox) OnChange(f func(bool)) { c.model(); c.watched.add(f) }

// Bundle implements viz.Viewable.
func (c *Checkbox) Bundle() (viz.Bundle, error) {
	mark := " "
	if c.Value() {
		mark = "x"
	}
	return c.model().bundle("[" + mark + "] " + c.Description)
}

// Text is a line that one writes.
type Text struct {
	// Description stands before it, Placeholder in it while it is empty.
	Description, Placeholder string
	// Initial is what is in it at first.
	Initial string

	widget
	watched watched[string]
}

func (t *Text) model() *model {
	t.once.Do(func() {
		t.m = newModel(controls, controlsVersion, "Text", map[string]any{
			"description": t.Description, "placeholder": t.Placeholder, "value": t.Initial, "continuous_update": true, "disabled": false, "style": nil,
		})
		t.m.update = func(map[string]any) { t.watched.announce(t.Value) }
	})
	return t.m
}

// Value is what is written.
func (t *Text) Value() string { v, _ := t.model().get("value").(string); return v }

// Set writes something.
func (t *Text) Set(s string) { t.model().set("value", s) }

// OnChange has f called when a reader has written.
func (t *Text) OnChange(f func(string)) { t.model(); t.watched.add(f) }

// Bundle implements viz.Viewable.
func (t *Text) Bundle() (viz.Bundle, error) { return t.model().bundle(t.Description + " " + t.Value()) }

// Label is a line that the program writes. Its text is text: nothing of it is
// markup.
type Label struct {
	// Initial is what it says at first.
	Initial string

	widget
}

func (l *Label) model() *model {
	l.once.Do(func() {
		// The view of Jupyter's own label typesets formulas; this one does not.
		l.m = newModel(own, ownVersion, "Label", map[string]any{"value": l.Initial})
	})
	return l.m
}

// Value is what it says.
func (l *Label) Value() string { v, _ := l.model().get("value").(string); return v }

// Set has it say something else.
func (l *Label) Set(s string) { l.model().set("value", s) }

// Bundle implements viz.Viewable.
func (l *Label) Bundle() (viz.Bundle, error) { return l.model().bundle(l.Value()) }

func numberOf(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
