package labextension_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// TestVariables: JupyterLab's own panel shows the session's variables, and what is in them,
// anew after each cell.
func TestVariables(t *testing.T) {
	l := openLab(t, 1400, 900, `type Point struct { X, Y float64; label string }
points := []Point{{1, 2, "a"}, {3, 4, "b"}}
ages := map[string]int{"ann": 31, "bob": 27}
train, test, err := datasets.MNIST()
model, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 3})
wide := tensors.FromValue([][]float32{{1, 2, 3}, {4, 5, 6}})`,
		`later := time.Minute`)
	l.command("notebook:run-cell", `{}`)
	l.Wait(t, "the first cell's end", `document.querySelector(".jp-InputPrompt").textContent === "[1]:"`)
	l.clickOn(`document.querySelector(".jp-Cell .cm-content")`)
	l.Wait(t, "the button of the panel", `document.querySelector(".jp-DebuggerBugButton")?.getAttribute("aria-disabled") !== "true" && document.querySelector(".jp-DebuggerBugButton")`)
	l.Do(t, chromedp.Sleep(time.Second))
	l.clickOn(`document.querySelector(".jp-DebuggerBugButton")`)
	const panel = `document.querySelector(".jp-DebuggerVariables")`
	l.Wait(t, "the panel of variables", panel+`?.textContent.includes("points")`)
	l.command("debugger:show-panel", `{}`)
	l.Size(t, 1400, 1400)
	open := func(name string) string {
		return fmt.Sprintf(`(() => {
			const items = [...document.querySelectorAll(".jp-DebuggerVariables jp-tree-item")];
			const item = items.find(e => e.querySelector(":scope > .jp-DebuggerVariables-name")?.textContent === %q);
			if (!item) return false;
			if (item.getAttribute("aria-expanded") !== "true") item.click();
			item.scrollIntoView();
			return true;
		})()`, name)
	}
	for _, step := range []struct{ name, want string }{
		{"points", "[]Point · 2 · "},
		{"[1]", `labelstring = b`},
		{"ages", "[ann]int = 31"},
		{"model", "dense"},
		{"dense", "config"},
		{"config", "Unitsint = 3"},
		{"wide", "[]float32 · 3"},
		{"train", "examples[]data.Example · 20"},
	} {
		l.Wait(t, step.name, open(step.name))
		l.Wait(t, step.want+" in "+step.name, panel+".textContent.includes(`"+step.want+"`)")
	}
	l.Screenshot(t, "variables")
	l.command("notebook:run-all-cells", `{}`)
	l.Wait(t, "a variable of the second cell", panel+`.textContent.includes("later") && `+panel+`.textContent.includes("1m0s")`)
	l.command("apputils:change-theme", `{theme: "JupyterLab Dark"}`)
	l.Do(t, chromedp.Sleep(time.Second/2))
	l.Screenshot(t, "dark")
	if html := browser.Eval[string](t, l.Page, panel+`.innerText`); html == "" {
		t.Error("the panel is empty")
	}
	l.Innocent(t)
}
