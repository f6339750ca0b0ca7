package labextension_test

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// TestAccessible: axe-core finds nothing serious in what cells show, in light and dark.
func TestAccessible(t *testing.T) {
	axe, err := os.ReadFile("../../kernel/book/testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	l := openLab(t, 1100, 1600, chartCells,
		`type Person struct { Name string; Age int }
people := make([]Person, 100)
people`,
		`viz.Show(&widgets.HBox{Children: []widgets.Widget{&widgets.Canvas{}, &widgets.IntSlider{Description: "k"}, &widgets.Label{Initial: "words"}}})`,
		`image.NewGray(image.Rect(0, 0, 28, 28))`, `nosuch(3)`)
	l.runAll()
	l.Wait(t, "the last cell", `document.querySelector(".jp-Notebook").innerText.includes("undefined:")`)
	l.Wait(t, "what the others show", `document.querySelector(".gradbook-chart-box canvas") && document.querySelector(".gradbook-table") && document.querySelector('canvas[aria-label^="A canvas"]')`)
	for _, theme := range []string{"JupyterLab Light", "JupyterLab Dark"} {
		l.command("apputils:change-theme", `{theme: "`+theme+`"}`)
		l.Do(t, chromedp.Sleep(time.Second), chromedp.Evaluate(string(axe), nil))
		found := browser.Eval[string](t, l.Page, `axe.run({ include: [[".jp-OutputArea"]] }, { resultTypes: ["violations"] }).then(r => r.violations
			.filter(v => v.impact === "serious" || v.impact === "critical")
			.map(v => v.id + ": " + v.help + "\n  " + v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + " " + (n.any[0]?.message || "")).join("\n  ")).join("\n"))`)
		if found != "" {
			t.Errorf("%s: axe-core:\n%s", theme, found)
		}
		l.Screenshot(t, theme)
	}
	l.Innocent(t)
}
