package viz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/gradbook/gradbook/viz/internal/svg"
)

// Chart is a picture that lives: JupyterLab draws it with tooltips and in its
// own colours, all else shows it as SVG.
type Chart struct {
	option map[string]any
	text   string
	height int
	// staticWidth is the width of the SVG, and the greatest width if fixed.
	staticWidth int
	fixed       bool
}

// echart is what all charts of go-echarts have.
type echart interface {
	Validate()
	JSON() map[string]any
}

const (
	defaultHeight = 360
	defaultWidth  = 760
)

// FromECharts makes a Chart of any chart of go-echarts. text is what a reader
// gets who sees no picture.
//
// Values that are no numbers become gaps. Functions in JavaScript, which
// go-echarts marks in texts, are refused: a chart is data.
func FromECharts(c interface {
	Validate()
	JSON() map[string]any
}, text string,
) (*Chart, error) {
	return fromECharts(c, text)
}

func fromECharts(c echart, text string) (*Chart, error) {
	c.Validate()
	option, err := plain(reflect.ValueOf(c.JSON()))
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	return &Chart{option: option.(map[string]any), text: text, height: defaultHeight, staticWidth: defaultWidth}, nil
}

// Height sets the height in pixels.
func (c *Chart) Height(pixels int) *Chart {
	d := *c
	d.height = pixels
	return &d
}

// Option returns the echarts option as JSON.
func (c *Chart) Option() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(true) // whoever puts it into a page after all is safe
	if err := e.Encode(c.option); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// SVG draws the chart on white.
func (c *Chart) SVG() (string, error) {
	option, err := c.Option()
	if err != nil {
		return "", err
	}
	return svg.Render(option, c.staticWidth, c.height)
}

// Bundle implements Viewable.
func (c *Chart) Bundle() (Bundle, error) {
	live := map[string]any{"option": c.option, "height": c.height}
	if c.fixed {
		live["width"] = c.staticWidth
	}
	data, err := json.Marshal(live)
	if err != nil {
		return nil, err
	}
	static, err := c.SVG()
	if err != nil {
		return nil, err
	}
	return Bundle{MIMEChart: string(data), MIMESVG: static, MIMEPlain: c.text}, nil
}

// String is the chart in words.
func (c *Chart) String() string { return c.text }

// functionMark is how go-echarts marks JavaScript in texts.
const functionMark = "__f__"

// plain turns go-echarts' structures into what JSON has: it makes nil of NaN and
// the infinities, with which encoding/json would refuse the whole chart.
func plain(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Invalid:
		return nil, nil
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return plain(v.Elem())
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, nil
		}
		return v.Interface(), nil
	case reflect.String:
		if strings.Contains(v.String(), functionMark) {
			return nil, fmt.Errorf("expected a chart without JavaScript, got the text %q", v.String())
		}
		return v.String(), nil
	case reflect.Map:
		return plainMap(v)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return nil, nil
		}
		out := make([]any, v.Len())
		for i := range out {
			var err error
			if out[i], err = plain(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return out, nil
	case reflect.Struct:
		return plainStruct(v)
	}
	return v.Interface(), nil
}

func plainMap(v reflect.Value) (any, error) {
	out := make(map[string]any, v.Len())
	for _, k := range v.MapKeys() {
		value, err := plain(v.MapIndex(k))
		if err != nil {
			return nil, err
		}
		out[fmt.Sprint(k.Interface())] = value
	}
	return out, nil
}

// plainStruct follows encoding/json's rules for the tags that go-echarts uses.
func plainStruct(v reflect.Value) (any, error) {
	if m, ok := v.Interface().(json.Marshaler); ok {
		raw, err := m.MarshalJSON()
		if err != nil {
			return nil, err
		}
		var out any
		return out, json.Unmarshal(raw, &out)
	}
	out := make(map[string]any)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		value := v.Field(i)
		if strings.Contains(rest, "omitempty") && isEmpty(value) {
			continue
		}
		p, err := plain(value)
		if err != nil {
			return nil, err
		}
		if f.Anonymous && name == "" {
			if inner, ok := p.(map[string]any); ok {
				for k, x := range inner {
					if _, taken := out[k]; !taken {
						out[k] = x
					}
				}
				continue
			}
		}
		if name == "" {
			name = f.Name
		}
		out[name] = p
	}
	return out, nil
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
