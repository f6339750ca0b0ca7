// Package canvas is a browser's canvas in Go, as far as echarts uses it: what its
// canvas renderer draws becomes an image.
//
// Source: https://html.spec.whatwg.org/multipage/canvas.html#2dcontext
package canvas

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/draw"
	_ "image/jpeg" // images in a chart
	_ "image/png"
	"math"
	"strings"

	"github.com/fogleman/gg"
)

// Canvas stands for the element.
type Canvas struct {
	NodeName      string
	Width, Height float64
	Style         any    // null: it is in no page
	InnerHTML     string // what is emptied at the end
	context       *Context
}

// maxSide bounds a canvas, in pixels.
const maxSide = 20000

// New makes a canvas.
func New(width, height float64) *Canvas {
	clip := func(v float64) float64 { return math.Max(1, math.Min(math.Round(v), maxSide)) }
	return &Canvas{NodeName: "CANVAS", Width: clip(width), Height: clip(height)}
}

// GetContext returns the one context.
func (c *Canvas) GetContext(string) *Context {
	if c.context == nil {
		c.context = newContext(c)
	}
	return c.context
}

// SetAttribute and the like are called, and of no consequence.
func (c *Canvas) SetAttribute(string, any) {}

// Image is what was drawn.
func (c *Canvas) Image() image.Image { return c.GetContext("2d").gg.Image() }

// Snapshot is a copy of what was drawn: a chart that ends wipes its canvas.
func (c *Canvas) Snapshot() image.Image {
	img := c.Image()
	out := image.NewNRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}

// Picture is an image that charts draw.
type Picture struct {
	Width, Height int
	Src           string
	img           image.Image
}

// LoadImage reads an image from a data URL; nil if it is none.
func LoadImage(source string) *Picture {
	_, encoded, ok := strings.Cut(source, ";base64,")
	if !ok || !strings.HasPrefix(source, "data:image/") {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	return &Picture{img.Bounds().Dx(), img.Bounds().Dy(), source, img}
}

// Context is a CanvasRenderingContext2D. Its fields are the properties.
type Context struct {
	Canvas                                             *Canvas
	FillStyle, StrokeStyle                             any
	LineWidth, MiterLimit, GlobalAlpha, LineDashOffset float64
	LineCap, LineJoin, Font, TextAlign, TextBaseline   string
	GlobalCompositeOperation, ShadowColor              string
	ShadowBlur, ShadowOffsetX, ShadowOffsetY           float64
	Dpr                                                float64

	gg    *gg.Context
	m     gg.Matrix
	dash  []float64
	path  []segment
	clips [][]segment
	saved []state
}

// state is what save keeps.
type state struct {
	c     Context
	clips int
}

// segment is a part of a path, in pixels of the image.
type segment struct {
	op byte // M, L, C or Z
	p  [6]float64
}

func newContext(c *Canvas) *Context {
	return &Context{
		Canvas: c, FillStyle: "#000000", StrokeStyle: "#000000", LineWidth: 1, MiterLimit: 10, GlobalAlpha: 1,
		LineCap: "butt", LineJoin: "miter", Font: "10px sans-serif", TextAlign: "start", TextBaseline: "alphabetic",
		gg: gg.NewContext(int(c.Width), int(c.Height)), m: gg.Identity(),
	}
}

// Save keeps the state until Restore.
func (c *Context) Save() { c.saved = append(c.saved, state{*c, len(c.clips)}) }

// Restore goes back to the state of the last Save.
func (c *Context) Restore() {
	if len(c.saved) == 0 {
		return
	}
	s := c.saved[len(c.saved)-1]
	saved, path, clips := c.saved[:len(c.saved)-1], c.path, c.clips
	*c = s.c
	c.saved, c.path = saved, path
	if len(clips) != s.clips {
		c.clips = clips[:s.clips]
		c.reclip()
	}
}

// SetTransform replaces the matrix, Transform multiplies it.
func (c *Context) SetTransform(a, b, cc, d, e, f float64) {
	c.m = gg.Matrix{XX: a, YX: b, XY: cc, YY: d, X0: e, Y0: f}
}

// Transform multiplies the matrix.
func (c *Context) Transform(a, b, cc, d, e, f float64) {
	c.m = gg.Matrix{XX: a, YX: b, XY: cc, YY: d, X0: e, Y0: f}.Multiply(c.m)
}

// Scale enlarges what is drawn.
func (c *Context) Scale(x, y float64) { c.Transform(x, 0, 0, y, 0, 0) }

// Translate moves the origin.
func (c *Context) Translate(x, y float64) { c.Transform(1, 0, 0, 1, x, y) }

// Rotate turns the axes.
func (c *Context) Rotate(a float64) {
	c.Transform(math.Cos(a), math.Sin(a), -math.Sin(a), math.Cos(a), 0, 0)
}

// scale is by how much the matrix enlarges.
func (c *Context) scale() float64 {
	return math.Sqrt(math.Abs(c.m.XX*c.m.YY - c.m.XY*c.m.YX))
}

// SetLineDash sets the lengths of dashes and gaps.
func (c *Context) SetLineDash(dash []float64) { c.dash = dash }

// Fill fills the path.
func (c *Context) Fill() { c.fill(c.path) }

func (c *Context) fill(path []segment) {
	if !c.paint(c.FillStyle, true) {
		return
	}
	c.draw(path)
	c.gg.Fill()
}

// Stroke draws the path's line.
func (c *Context) Stroke() {
	if !c.paint(c.StrokeStyle, false) {
		return
	}
	s := c.scale()
	c.gg.SetLineWidth(c.LineWidth * s)
	switch c.LineCap {
	case "round":
		c.gg.SetLineCapRound()
	case "square":
		c.gg.SetLineCapSquare()
	default:
		c.gg.SetLineCapButt()
	}
	if c.LineJoin == "round" {
		c.gg.SetLineJoinRound()
	} else {
		c.gg.SetLineJoinBevel()
	}
	dash := make([]float64, len(c.dash))
	for i, d := range c.dash {
		dash[i] = d * s
	}
	c.gg.SetDash(dash...)
	c.gg.SetDashOffset(c.LineDashOffset * s)
	c.draw(c.path)
	c.gg.Stroke()
}

// draw hands a path to the rasteriser.
func (c *Context) draw(path []segment) {
	c.gg.ClearPath()
	for _, s := range path {
		switch s.op {
		case 'M':
			c.gg.MoveTo(s.p[0], s.p[1])
		case 'L':
			c.gg.LineTo(s.p[0], s.p[1])
		case 'C':
			c.gg.CubicTo(s.p[0], s.p[1], s.p[2], s.p[3], s.p[4], s.p[5])
		case 'Z':
			c.gg.ClosePath()
		}
	}
}

// Clip cuts what is drawn from now on to the path.
func (c *Context) Clip() {
	c.clips = append(c.clips[:len(c.clips):len(c.clips)], append([]segment{}, c.path...))
	c.reclip()
}

func (c *Context) reclip() {
	c.gg.ResetClip()
	for _, path := range c.clips {
		c.draw(path)
		c.gg.Clip()
	}
}

// ClearRect makes everything transparent: it is only called for the whole.
func (c *Context) ClearRect(_, _, _, _ float64) {
	c.gg.SetRGBA(0, 0, 0, 0)
	c.gg.Clear()
}

// FillRect fills a rectangle.
func (c *Context) FillRect(x, y, w, h float64) {
	path := c.path
	c.path = nil
	c.Rect(x, y, w, h)
	c.Fill()
	c.path = path
}

// DrawImage draws a picture into a rectangle; with nine arguments, a part of it.
func (c *Context) DrawImage(picture any, args ...float64) {
	var img image.Image
	switch p := picture.(type) {
	case map[string]any: // an object of the renderer's, with one of ours
		if own, ok := p["picture"].(*Picture); ok {
			img = own.img
		}
	case *Canvas:
		img = p.Image()
	}
	if img == nil {
		return
	}
	b := img.Bounds()
	from := [4]float64{0, 0, float64(b.Dx()), float64(b.Dy())}
	to := [4]float64{0, 0, from[2], from[3]}
	switch len(args) {
	case 2:
		copy(to[:], args)
	case 4:
		copy(to[:], args)
	case 8:
		copy(from[:], args)
		copy(to[:], args[4:])
	}
	c.drawImage(img, from, to)
}
