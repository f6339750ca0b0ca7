package labextension_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gradbook/gradbook/viz/browser"
)

// TestEditing: Enter indents with a tab, a command formats the cell, a mistake is marked at
// its word, its place is a link, and a long traceback is folded.
func TestEditing(t *testing.T) {
	l := openLab(t, 1200, 1000, `first := 1`, "x := 2\ny := layers.Conv2D{Filter: 32}", `func down(n int) { if n == 0 { panic("deep") }; down(n - 1) }
down(40)`, `func f( ) int{return 3}`, `for i := range 3 {`)
	source := func(n int) string {
		return `[...jupyterapp.shell.widgets("main")][0].content.widgets[` + string(rune('0'+n)) + `].model.sharedModel.getSource()`
	}
	cell := func(n int) string {
		return `document.querySelectorAll(".jp-CodeCell")[` + string(rune('0'+n)) + `]`
	}
	write := func(n int) { // no click: the page may still be scrolling
		l.Wait(t, "a cell to write in", fmt.Sprintf(`(() => {
			const content = [...jupyterapp.shell.widgets("main")][0].content;
			content.activeCellIndex = %d;
			content.mode = "edit";
			content.activeCell.editor.focus();
			return content.activeCell.node.contains(document.activeElement);
		})()`, n))
	}
	l.clickOn(cell(0) + `.querySelector(".cm-content")`)
	for n := range 3 {
		write(n)
		l.start("notebook:run-cell")
		l.Wait(t, "the cell's end", `/\d/.test(`+prompt(n)+`)`)
	}
	l.Wait(t, "the mark of the mistake", cell(1)+`.querySelector(".gradbook-mistake")?.textContent === "Filter"`)
	l.Wait(t, "the mark of a panic", cell(2)+`.querySelector(".gradbook-mistake")?.textContent === "down(40)"`)
	l.Wait(t, "a folded traceback", cell(2)+`.querySelector("pre.gradbook-folded") && `+cell(2)+`.querySelector(".gradbook-unfold")`)
	l.Screenshot(t, "light")
	l.clickOn(cell(2) + `.querySelector(".gradbook-unfold")`)
	l.Wait(t, "the whole traceback", `!`+cell(2)+`.querySelector("pre.gradbook-folded")`)
	l.clickOn(cell(1) + `.querySelector(".gradbook-place")`)
	l.Wait(t, "the place", `[...jupyterapp.shell.widgets("main")][0].content.activeCellIndex === 1 && [...jupyterapp.shell.widgets("main")][0].content.activeCell.editor.getCursorPosition().line === 1`)
	write(3)
	l.start("gradbook:format")
	l.Wait(t, "a formatted cell", source(3)+` === "func f() int { return 3 }"`)
	write(4)
	l.Do(t, chromedp.KeyEvent(kb.End), chromedp.KeyEvent("\r"), chromedp.KeyEvent("x"), chromedp.Sleep(300*time.Millisecond))
	if got := browser.Eval[string](t, l.Page, source(4)); got != "for i := range 3 {\n\tx" {
		t.Errorf("after Enter: got %q", got)
	}
	l.command("apputils:change-theme", `{theme: "JupyterLab Dark"}`)
	l.Do(t, chromedp.Sleep(500*time.Millisecond))
	l.Screenshot(t, "dark")
	l.Innocent(t)
}
