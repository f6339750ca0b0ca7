package viz

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"reflect"
	"strings"

	"github.com/gradbook/gradbook/viz/internal/render"
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
	panels      *panels
	frames      []frame
	still       int // the frame of a picture
	titled      bool
}

// frame is what differs from the chart at one place of its slider.
type frame struct {
	Name   string `json:"name"`
	Option object `json:"option"`
}

// panels says how a chart's grids are placed, each with a title: as many as fit
// stand side by side. Sizes are in pixels.
type panels struct {
	Columns int     `json:"columns,omitempty"` // at most; 0 means all
	Height  int     `json:"height,omitempty"`  // of a grid; 0 means 200
	Least   int     `json:"least,omitempty"`   // width of a column; 0 means 240
	Aspect  float64 `json:"aspect,omitempty"`  // width by height; 0 means what fits
	Above   int     `json:"above,omitempty"`   // room for the legend; 0 means 28
	Below   int     `json:"below,omitempty"`
	Left    int     `json:"left,omitempty"` // room for the axis; 0 means 52
	Right   int     `json:"right,omitempty"`
	Bottom  int     `json:"bottom,omitempty"` // room for the axis; 0 means 40
}

// payload is a chart as the extension takes it.
type payload struct {
	Option map[string]any `json:"option"`
	Height int            `json:"height"`
	Width  int            `json:"width,omitempty"`
	Panels *panels        `json:"panels,omitempty"`
	Frames []frame        `json:"frames,omitempty"`
	Still  *int           `json:"still,omitempty"`
}

// object and array are JSON's, for options in echarts' own words.
type (
	object = map[string]any
	array  = []any
)

const (
	defaultHeight = 360
	defaultWidth  = 760
)

// FromECharts makes a Chart of any chart of go-echarts that echarts draws by
// itself, and of those in space (surface, scatter, line and bar). text is what a
// reader gets who sees no picture.
//
// Values that are no numbers become gaps, as do values that are not positive on a
// logarithmic axis. Of more points than a screen has, those are kept that make
// the shape. Control characters are shown by their symbols. Functions in
// JavaScript, which go-echarts marks in texts, are refused: a chart is data. So
// is a chart without a single value, and one that needs maps or extensions of
// echarts (Geo, Map, Liquid, WordCloud).
func FromECharts(c interface {
	Validate()
	JSON() map[string]any
}, text string,
) (*Chart, error) {
	c.Validate()
	raw := c.JSON()
	if err := drawable(raw); err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	option, err := plain(reflect.ValueOf(thinSeries(raw)))
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	return newChart(option.(map[string]any), text)
}

// newChart makes a chart of an option of plain values.
func newChart(option object, text string) (*Chart, error) {
	if err := check(option); err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	return &Chart{option: option, text: visible(text), height: defaultHeight, staticWidth: defaultWidth}, nil
}

// Height sets the height in pixels.
func (c *Chart) Height(pixels int) *Chart {
	d := *c
	d.height = pixels
	if d.panels != nil {
		p := *d.panels
		p.Height = pixels
		d.panels = &p
	}
	return &d
}

// Titled returns the chart with a title above it.
func (c *Chart) Titled(title string) *Chart {
	d := *c
	_, words, _ := strings.Cut(c.text, "\n")
	if !c.titled {
		words = c.text
	}
	d.text = visible(title) + "\n" + words
	d.option = make(object, len(c.option)+1)
	for k, v := range c.option {
		d.option[k] = v
	}
	main := object{"text": visible(title), "left": "center", "top": 2}
	const room = 26
	switch {
	case c.titled && c.panels != nil:
		heads := append(array{}, c.option["title"].(array)...)
		heads[len(heads)-1] = main
		d.option["title"] = heads
		return &d
	case c.titled:
		d.option["title"] = main
		return &d
	}
	d.titled = true
	if grid, ok := c.option["grid"].(object); ok && c.panels == nil {
		moved := object{}
		for k, v := range grid {
			moved[k] = v
		}
		if top, ok := toFloat(grid["top"]); ok {
			moved["top"] = top + room
		}
		d.option["grid"] = moved
	}
	if c.panels != nil {
		p := *c.panels
		if p.Above == 0 {
			p.Above = 28
		}
		p.Above += room
		d.panels = &p
		d.option["title"] = append(append(array{}, c.option["title"].(array)...), main)
	} else {
		d.option["title"] = main
		d.height += room
	}
	if legend, ok := c.option["legend"].(object); ok {
		moved := object{}
		for k, v := range legend {
			moved[k] = v
		}
		moved["top"] = room
		d.option["legend"] = moved
	}
	return &d
}

// Option returns the echarts option as JSON.
func (c *Chart) Option() ([]byte, error) { return encode(c.option) }

// encode is JSON that is safe in a page, too.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(true)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// Live is the chart as JupyterLab's extension takes it, under MIMEChart: JSON with
// the option, the height and the like.
func (c *Chart) Live() ([]byte, error) {
	d := payload{Option: c.option, Height: c.height, Panels: c.panels, Frames: c.frames}
	if c.fixed {
		d.Width = c.staticWidth
	}
	if c.frames != nil && c.still != len(c.frames)-1 {
		d.Still = &c.still
	}
	return encode(d)
}

// maxSpoken is how much of a chart's words goes into its SVG, for who listens.
const maxSpoken = 1000

// SVG draws the chart on white.
func (c *Chart) SVG() (string, error) {
	data, err := c.Live()
	if err != nil {
		return "", err
	}
	return c.svg(data)
}

func (c *Chart) svg(data []byte) (string, error) {
	s, err := render.SVG(data, c.staticWidth)
	if err != nil {
		return "", fmt.Errorf("viz: %w", err)
	}
	head, rest, found := strings.Cut(s, ">")
	if !found || !strings.HasPrefix(head, "<svg") {
		return "", errors.New("viz: the renderer made no SVG")
	}
	words := []rune(c.text)
	if len(words) > maxSpoken {
		words = append(words[:maxSpoken], '…')
	}
	return head + ` role="img"><title>` + html.EscapeString(string(words)) + "</title>" + rest, nil
}

// Bundle implements Viewable.
func (c *Chart) Bundle() (Bundle, error) {
	data, err := c.Live()
	if err != nil {
		return nil, err
	}
	static, err := c.svg(data)
	if err != nil {
		return nil, err
	}
	return Bundle{MIMEChart: string(data), MIMESVG: static, MIMEPlain: c.text}, nil
}

// String is the chart in words.
func (c *Chart) String() string { return c.text }
