package canvas

import (
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"github.com/fogleman/gg"
	"golang.org/x/image/colornames"
	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

// Gradient is a canvas's gradient. It is in the coordinates of the image.
type Gradient struct{ pattern gg.Gradient }

// CreateLinearGradient makes a gradient along a line.
func (c *Context) CreateLinearGradient(x0, y0, x1, y1 float64) *Gradient {
	x0, y0 = c.at(x0, y0)
	x1, y1 = c.at(x1, y1)
	return &Gradient{gg.NewLinearGradient(x0, y0, x1, y1)}
}

// CreateRadialGradient makes a gradient between two circles.
func (c *Context) CreateRadialGradient(x0, y0, r0, x1, y1, r1 float64) *Gradient {
	x0, y0 = c.at(x0, y0)
	x1, y1 = c.at(x1, y1)
	s := c.scale()
	return &Gradient{gg.NewRadialGradient(x0, y0, r0*s, x1, y1, r1*s)}
}

// AddColorStop adds a colour at a place from 0 to 1.
func (g *Gradient) AddColorStop(at float64, s string) {
	if c, ok := parseColor(s); ok {
		g.pattern.AddColorStop(at, c)
	}
}

// paint sets what is filled or stroked with, and says whether there is anything.
func (c *Context) paint(style any, fill bool) bool {
	var pattern gg.Pattern
	switch s := style.(type) {
	case string:
		col, ok := parseColor(s)
		if !ok || s == "none" {
			return false
		}
		col.A = uint8(math.Round(float64(col.A) * min(max(c.GlobalAlpha, 0), 1)))
		if col.A == 0 {
			return false
		}
		pattern = gg.NewSolidPattern(col)
	case *Gradient:
		pattern = s.pattern
	default:
		return false
	}
	if fill {
		c.gg.SetFillStyle(pattern)
	} else {
		c.gg.SetStrokeStyle(pattern)
	}
	return true
}

// parseColor reads #rgb, #rrggbb, #rrggbbaa, rgb(), rgba() and names.
func parseColor(s string) (color.NRGBA, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if hex, ok := strings.CutPrefix(s, "#"); ok {
		if len(hex) == 3 {
			hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
		}
		if len(hex) == 6 {
			hex += "ff"
		}
		v, err := strconv.ParseUint(hex, 16, 32)
		return color.NRGBA{uint8(v >> 24), uint8(v >> 16), uint8(v >> 8), uint8(v)}, err == nil && len(hex) == 8
	}
	if open := strings.IndexByte(s, '('); open > 0 && strings.HasSuffix(s, ")") && strings.HasPrefix(s, "rgb") {
		parts := strings.FieldsFunc(s[open+1:len(s)-1], func(r rune) bool { return r == ',' || r == ' ' || r == '/' })
		v := [4]float64{0, 0, 0, 1}
		for i, p := range parts {
			if i < 4 {
				v[i], _ = strconv.ParseFloat(p, 64) // what is no number is 0
			}
		}
		b := func(x float64) uint8 { return uint8(math.Round(min(max(x, 0), 255))) }
		return color.NRGBA{b(v[0]), b(v[1]), b(v[2]), b(v[3] * 255)}, len(parts) >= 3
	}
	if s == "transparent" {
		return color.NRGBA{}, true
	}
	c, ok := colornames.Map[s]
	return color.NRGBA(c), ok
}

// drawImage draws a part of an image into a rectangle.
func (c *Context) drawImage(img image.Image, from, to [4]float64) {
	if from[2] <= 0 || from[3] <= 0 || c.GlobalAlpha <= 0 {
		return
	}
	sx, sy := to[2]/from[2], to[3]/from[3]
	b := img.Bounds()
	m := gg.Matrix{XX: sx, YY: sy, X0: to[0] - from[0]*sx, Y0: to[1] - from[1]*sy}.Multiply(c.m)
	layer := image.NewRGBA(c.gg.Image().Bounds())
	part := image.Rect(int(from[0]), int(from[1]), int(math.Ceil(from[0]+from[2])), int(math.Ceil(from[1]+from[3]))).Add(b.Min).Intersect(b)
	draw.BiLinear.Transform(layer, f64.Aff3{m.XX, m.XY, m.X0 - m.XX*float64(b.Min.X), m.YX, m.YY, m.Y0 - m.YY*float64(b.Min.Y)}, img, part, draw.Src, nil)
	if alpha := c.GlobalAlpha; alpha < 1 {
		for i, v := range layer.Pix {
			layer.Pix[i] = uint8(math.Round(float64(v) * alpha))
		}
	}
	c.gg.DrawImage(layer, 0, 0)
}
