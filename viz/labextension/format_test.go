package labextension_test

import "testing"

// TestFormat: %fmt puts a cell's Go, formatted, in its place; cells are shown as HTML and LaTeX; and
// a mistake leads on.
func TestFormat(t *testing.T) {
	l := openLab(t, 1000, 900, "%fmt\nx:=1\nfunc f( ){}", "%%html\n<b id=\"bold\">bold</b>", "%%latex\n$$x^2$$", "layers.Conv2D{Filter: 32}")
	l.runAll()
	l.Wait(t, "a formatted cell", `[...jupyterapp.shell.widgets("main")][0].content.widgets[0].model.sharedModel.getSource() === "x := 1\nfunc f() {}"`)
	l.Wait(t, "HTML", `document.querySelector(".jp-OutputArea b")?.textContent === "bold"`)
	l.Wait(t, "a formula", `document.querySelector(".jp-OutputArea mjx-container, .jp-RenderedLatex .MathJax")`)
	l.Wait(t, "a hint", `document.querySelector(".jp-Notebook").textContent.includes("did you mean Filters?")`)
	l.Screenshot(t, "light")
}
