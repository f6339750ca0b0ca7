package widgets

import (
	"strings"

	"github.com/gradbook/gradbook/viz"
)

// HBox holds widgets side by side.
type HBox struct {
	Children []Widget
	widget
}

func (b *HBox) model() *model {
	b.once.Do(func() { b.m = boxModel("HBox", b.Children) })
	return b.m
}

// Bundle implements viz.Viewable.
func (b *HBox) Bundle() (viz.Bundle, error) { return boxBundle(b.model(), b.Children, "  ") }

// VBox holds widgets one below the other.
type VBox struct {
	Children []Widget
	widget
}

func (b *VBox) model() *model {
	b.once.Do(func() { b.m = boxModel("VBox", b.Children) })
	return b.m
}

// Bundle implements viz.Viewable.
func (b *VBox) Bundle() (viz.Bundle, error) { return boxBundle(b.model(), b.Children, "\n") }

func boxModel(kind string, children []Widget) *model {
	ids := make([]string, len(children))
	for i, c := range children {
		ids[i] = "IPY_MODEL_" + c.model().id
	}
	return newModel(controls, controlsVersion, kind, map[string]any{"children": ids, "box_style": ""})
}

// boxBundle opens what is in a box before the box.
func boxBundle(m *model, children []Widget, between string) (viz.Bundle, error) {
	var texts []string
	for _, c := range children {
		b, err := c.Bundle()
		if err != nil {
			return nil, err
		}
		texts = append(texts, b[viz.MIMEPlain])
	}
	return m.bundle(strings.Join(texts, between))
}
