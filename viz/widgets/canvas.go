package widgets

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/fogleman/gg"
	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/image/draw"

	"github.com/gradbook/gradbook/viz"
)

// Canvas is a square on which one draws with the pointer: a digit, say.
//
//	canvas := &widgets.Canvas{}
//	canvas.OnChange(func() { … model.Predict(ctx, canvas.Digit()) … })
//	viz.Show(canvas)
type Canvas struct {
	// Size is the square's side in pixels; 0 means 224.
	Size int
	// Pen is the width of the pen's line, of a side that is 28 wide; 0 means 2.2.
	Pen float64

	widget
	watched watched[int]
}

// maxPoints bounds what a page can send of a drawing.
const maxPoints = 20000

func (c *Canvas) model() *model {
	c.once.Do(func() {
		if c.Size <= 0 {
			c.Size = 224
		}
		if c.Pen <= 0 {
			c.Pen = 2.2
		}
		c.m = newModel(own, ownVersion, "Canvas", map[string]any{"size": c.Size, "pen": c.Pen, "strokes": [][]float64{}})
		// While one draws, the page tells of the stroke under way in messages of
		// its own: as a change of state it would be drawn anew here and there.
		c.m.custom = func(raw json.RawMessage) {
			var e struct {
				Event   string
				Strokes any
			}
			if json.Unmarshal(raw, &e) == nil && e.Event == "drawing" {
				c.m.changed(map[string]any{"strokes": e.Strokes})
			}
		}
		c.m.update = func(map[string]any) { c.watched.announce(func() int { return 0 }) }
	})
	return c.m
}

// Strokes are the lines that were drawn: x, y, x, y, … from 0 to 1.
func (c *Canvas) Strokes() [][]float64 {
	raw, err := json.Marshal(c.model().get("strokes"))
	if err != nil {
		return nil
	}
	var strokes [][]float64
	if err := json.Unmarshal(raw, &strokes); err != nil {
		return nil // the page has sent something else
	}
	points := 0
	for i := range strokes {
		strokes[i] = strokes[i][:len(strokes[i])/2*2]
		for k, v := range strokes[i] {
			strokes[i][k] = min(max(v, 0), 1)
		}
		if points += len(strokes[i]); points > maxPoints {
			return strokes[:i]
		}
	}
	return strokes
}

// Clear wipes the canvas.
func (c *Canvas) Clear() { c.model().set("strokes", [][]float64{}) }

// Empty says whether nothing is drawn.
func (c *Canvas) Empty() bool { return len(c.Strokes()) == 0 }

// OnChange has f called when a reader has drawn, also while he draws on.
func (c *Canvas) OnChange(f func()) { c.model(); c.watched.add(func(int) { f() }) }

// Image is the drawing, white on black, size pixels wide and high.
func (c *Canvas) Image(size int) *image.Gray {
	c.model() // the pen is set
	dc := gg.NewContext(size, size)
	dc.SetRGB(0, 0, 0)
	dc.Clear()
	dc.SetRGB(1, 1, 1)
	dc.SetLineWidth(c.Pen / 28 * float64(size))
	dc.SetLineCapRound()
	dc.SetLineJoinRound()
	for _, s := range c.Strokes() {
		for i := 0; i+1 < len(s); i += 2 {
			x, y := s[i]*float64(size), s[i+1]*float64(size)
			if i == 0 {
				dc.MoveTo(x, y)
				dc.LineTo(x+0.01, y) // a point is a stroke, too
			} else {
				dc.LineTo(x, y)
			}
		}
		dc.Stroke()
	}
	grey := image.NewGray(image.Rect(0, 0, size, size))
	draw.Draw(grey, grey.Rect, dc.Image(), image.Point{}, draw.Src)
	return grey
}

// Digit is the drawing as MNIST would have it, [1, 28, 28, 1] with values from 0
// to 255: scaled to fit a square of 20 pixels, with its centre of mass in the
// middle.
//
// Source: https://yann.lecun.org/exdb/mnist/index.html
func (c *Canvas) Digit() *tensors.Tensor {
	flat := make([]float32, 28*28)
	for i, v := range digit(c.Image(224)).Pix {
		flat[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(flat, 1, 28, 28, 1)
}

func digit(big *image.Gray) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, 28, 28))
	box := inked(big)
	if box.Empty() {
		return out
	}
	const inner = 20
	scale := inner / float64(max(box.Dx(), box.Dy()))
	w, h := max(1, int(math.Round(float64(box.Dx())*scale))), max(1, int(math.Round(float64(box.Dy())*scale)))
	small := image.NewGray(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(small, small.Rect, big, box, draw.Src, nil)
	var mass, mx, my float64
	for y := range h {
		for x := range w {
			v := float64(small.GrayAt(x, y).Y)
			mass, mx, my = mass+v, mx+v*float64(x), my+v*float64(y)
		}
	}
	if mass == 0 {
		return out
	}
	at := image.Pt(int(math.Round(13.5-mx/mass)), int(math.Round(13.5-my/mass)))
	draw.Draw(out, small.Rect.Add(at), small, image.Point{}, draw.Src)
	return out
}

// inked is the smallest rectangle with all that is drawn.
func inked(img *image.Gray) image.Rectangle {
	var box image.Rectangle
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.GrayAt(x, y) != (color.Gray{}) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// Bundle implements viz.Viewable.
func (c *Canvas) Bundle() (viz.Bundle, error) {
	return c.model().bundle(fmt.Sprintf("a canvas with %d strokes", len(c.Strokes())))
}
