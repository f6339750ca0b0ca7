package export

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// strokes are digits as they are drawn, in parts of the canvas.
var strokes = map[string][][2]float64{
	"0": {{.5, .15}, {.33, .25}, {.27, .5}, {.33, .75}, {.5, .85}, {.67, .75}, {.73, .5}, {.67, .25}, {.5, .15}},
	"1": {{.52, .12}, {.5, .4}, {.48, .88}},
	"2": {{.28, .3}, {.38, .16}, {.6, .16}, {.7, .3}, {.62, .48}, {.42, .66}, {.26, .84}, {.5, .83}, {.76, .82}},
	"3": {{.3, .18}, {.52, .13}, {.68, .26}, {.6, .42}, {.45, .47}, {.62, .53}, {.7, .7}, {.55, .85}, {.3, .82}},
	"7": {{.25, .18}, {.5, .18}, {.75, .17}, {.62, .45}, {.5, .65}, {.44, .88}},
}

// TestPage draws digits on the page of MNIST's network, as a file and without a network.
func TestPage(t *testing.T) {
	p := browser.Open(t, 900, 700)
	d, err := digits()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "digits")
	if err := Save(d.model, dir, Config{Format: WebAssembly}); err != nil {
		t.Fatal(err)
	}
	p.Do(t, chromedp.Navigate("file://"+filepath.Join(dir, "index.html")))
	p.Wait(t, "ten classes", `document.querySelectorAll("#outputs tr").length === 10`)
	for digit, places := range strokes {
		p.Do(t, chromedp.Evaluate(`document.querySelector("button").click()`, nil))
		draw(t, p, places)
		p.Wait(t, "a drawn "+digit+" told", fmt.Sprintf(`document.querySelector("tr.best th").textContent === %q`, digit))
	}
	p.Screenshot(t, "export-page")
	p.Dark(t, true)
	p.Size(t, 380, 800)
	p.Screenshot(t, "export-page-narrow-dark")
	p.Innocent(t)
	if e := p.Errors(); len(e) > 0 {
		t.Errorf("expected no errors of scripts, got %q", e)
	}
}

func draw(t *testing.T, p *browser.Page, places [][2]float64) {
	t.Helper()
	b := browser.Eval[struct{ X, Y, Width, Height float64 }](t, p, `(() => { const b = document.querySelector("canvas").getBoundingClientRect(); return {X: b.x, Y: b.y, Width: b.width, Height: b.height}; })()`)
	mouse := func(kind input.MouseType, at [2]float64) {
		p.Do(t, input.DispatchMouseEvent(kind, b.X+b.Width*at[0], b.Y+b.Height*at[1]).WithButton(input.Left).WithButtons(1).WithClickCount(1))
	}
	mouse(input.MousePressed, places[0])
	for _, at := range places {
		mouse(input.MouseMoved, at)
	}
	mouse(input.MouseReleased, places[len(places)-1])
}
