package book_test

import (
	_ "embed"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/kernel/book"
	"github.com/gradbook/gradbook/viz/browser"
)

// With -site, the pages of a site that is there are looked at, not those of a small one:
//
//	go test ./kernel/book -run TestPages -args -site $PWD/.gradbook/book
var siteDir = flag.String("site", "", "a site to look at")

// axe is npm's axe-core 4.10.3, which finds what keeps people from reading a page.
//
//go:embed testdata/axe.min.js
var axe string

// TestPages: opened as files, without a network, pages have charts that move, words for
// their pictures, and room on narrow screens; without scripts they have pictures.
func TestPages(t *testing.T) {
	p := browser.Open(t, 1280, 900)
	dir := *siteDir
	if dir == "" {
		dir = smallSite(t)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	twins, err2 := filepath.Glob(filepath.Join(dir, "*", "*.html"))
	if err != nil || err2 != nil || len(files) < 2 {
		t.Fatal(files, twins, err, err2)
	}
	sliders := 0
	for _, file := range append(files, twins...) {
		name := strings.ReplaceAll(strings.TrimPrefix(file, dir+string(filepath.Separator)), string(filepath.Separator), "-")
		t.Run(name, func(t *testing.T) {
			p.Size(t, 1280, 900)
			p.Dark(t, false)
			address := (&url.URL{Scheme: "file", Path: file}).String()
			p.Do(t, emulation.SetScriptExecutionDisabled(false), chromedp.Navigate(address))
			p.Wait(t, "a page", `document.readyState === "complete"`)
			if missing := browser.Eval[string](t, p, `[...document.images].filter(i => !i.alt.trim() && i.getAttribute("role") !== "presentation" && !i.closest("a.card")).map(i => i.outerHTML.slice(0, 120)).join("\n")`); missing != "" {
				t.Errorf("expected words for every picture, got\n%s", missing)
			}
			sliders += moves(t, p)
			accessible(t, p)
			for _, dark := range []bool{false, true} {
				p.Dark(t, dark)
				for _, width := range []int{1280, 390} {
					p.Size(t, width, 900)
					if over := browser.Eval[float64](t, p, `document.documentElement.scrollWidth - window.innerWidth`); over > 1 {
						t.Errorf("%d wide: expected no page wider than the window, it is by %v", width, over)
					}
					p.Screenshot(t, fmt.Sprintf("%d-%v", width, dark))
				}
			}
			withoutScripts(t, p, address)
		})
	}
	if sliders == 0 {
		t.Error("expected sliders on the site")
	}
	p.Innocent(t)
	if errs := p.Errors(); len(errs) > 0 {
		t.Errorf("expected no errors of scripts, got %q", errs)
	}
}

// moves moves each slider of a page, and looks whether its picture changes.
func moves(t *testing.T, p *browser.Page) (sliders int) {
	t.Helper()
	stills := browser.Eval[int](t, p, `document.querySelectorAll(".gradbook-still").length`)
	for i := range stills {
		still := fmt.Sprintf(`document.querySelectorAll(".gradbook-still")[%d]`, i)
		p.Do(t, chromedp.Evaluate(still+`.scrollIntoView({block: "center"})`, nil))
		p.Wait(t, fmt.Sprintf("chart %d", i), still+`.querySelector("canvas")`)
		if hidden := browser.Eval[bool](t, p, still+`.querySelector("img").hidden`); !hidden {
			p.Wait(t, "the picture to give way", still+`.querySelector("img").hidden`)
		}
		if !browser.Eval[bool](t, p, `Boolean(`+still+`.querySelector("input[type=range]"))`) {
			continue
		}
		sliders++
		// Any place of the slider but the one it is at shows something else; in three tries
		// one of them must.
		changed := browser.Eval[bool](t, p, `(async () => {
			const still = `+still+`, slider = still.querySelector("input[type=range]");
			const picture = () => [...still.querySelectorAll("canvas")].map(c => c.toDataURL()).join();
			const wait = ms => new Promise(r => setTimeout(r, ms));
			await wait(100);
			const before = picture();
			for (const place of [slider.min, slider.max, Math.floor(slider.max / 2)]) {
				slider.value = place;
				slider.dispatchEvent(new Event("input", { bubbles: true }));
				for (let k = 0; k < 20; k++) { await wait(40); if (picture() !== before) return true; }
			}
			return false;
		})()`)
		if !changed {
			t.Errorf("slider %d: expected its picture to move", i)
		}
	}
	return sliders
}

// accessible fails the test if axe finds something serious.
func accessible(t *testing.T, p *browser.Page) {
	t.Helper()
	p.Do(t, chromedp.Evaluate(axe, nil))
	found := browser.Eval[string](t, p, `axe.run(document, { resultTypes: ["violations"] }).then(r => r.violations
		.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => v.id + " (" + v.nodes.length + "): " + v.help + "\n    " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " | " + (n.any[0]?.message || "")).join("\n    ")).join("\n"))`)
	if found != "" {
		t.Errorf("axe-core:\n%s", found)
	}
}

func withoutScripts(t *testing.T, p *browser.Page, address string) {
	t.Helper()
	p.Dark(t, false)
	p.Do(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(address))
	n := browser.Eval[int](t, p, `[...document.querySelectorAll(".gradbook-still > img")].filter(i => i.hidden || i.naturalWidth === 0).length`)
	if n > 0 {
		t.Errorf("without scripts: expected pictures in the place of charts, %d are missing", n)
	}
	p.Do(t, emulation.SetScriptExecutionDisabled(false))
}

// smallSite is a site of two notebooks, with charts of several kinds.
func smallSite(t *testing.T) string {
	t.Helper()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "site")
	write(t, filepath.Join(dir, "1.ipynb"), "# Charts\n\nThat move: $x^2$.",
		`a, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "a", Y: []float64{1, 2, 3}})
b, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "a", Y: []float64{3, 1, 2}})
viz.Frames([]string{"first", "second"}, 0, a, b)`,
		`viz.Heatmap(tensors.FromFlatDataAndDimensions([]float32{1, 2, 3, 4}, 2, 2), viz.HeatmapConfig{})`,
		`widgets.Explore(func(v []float64) (*viz.Chart, error) {
	return viz.Lines(viz.LinesConfig{}, viz.Series{Name: "k", Y: []float64{0, v[0], 1}})
}, widgets.Range{Name: "k", Max: 2, Initial: 1})`,
		`viz.ImageGrid([]image.Image{image.NewGray(image.Rect(0, 0, 8, 8))}, viz.ImageGridConfig{})`)
	write(t, filepath.Join(dir, "2.ipynb"), "# Words\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", `fmt.Println(strings.Repeat("long ", 60))`)
	if _, err := book.Build(t.Context(), dir, options(t, out)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, "charts", "echarts.min.js")); err != nil {
		t.Error(err)
	}
	return out
}
