package widgets

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/gradbook/gradbook/viz"
)

// Chart shows a chart that the program replaces, also from OnChange of other
// widgets and after the page was loaded anew.
type Chart struct {
	widget
	mu   sync.Mutex
	text string
}

func (c *Chart) model() *model {
	c.once.Do(func() {
		c.m = newModel(own, ownVersion, "Chart", map[string]any{"chart": nil, "words": ""})
	})
	return c.m
}

// Set shows a chart.
func (c *Chart) Set(chart *viz.Chart) error {
	if chart == nil {
		return fmt.Errorf("widgets: expected a chart, got nil")
	}
	raw, err := chart.Live()
	if err != nil {
		return fmt.Errorf("widgets: %w", err)
	}
	c.mu.Lock()
	c.text = chart.String()
	c.mu.Unlock()
	c.model().set("words", chart.String())
	c.model().set("chart", json.RawMessage(raw))
	return nil
}

// Bundle implements viz.Viewable.
func (c *Chart) Bundle() (viz.Bundle, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.model().bundle(c.text)
}
