package labextension_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/viz/browser"
)

// TestExport: JupyterLab's menu has Go, and what it gives is a program; PDF needs no TeX.
func TestExport(t *testing.T) {
	l := openLab(t, 1200, 900, `x := 20`, `func twice(n int) int { return 2 * n }
twice(x) + 2`)
	l.start("notebook:run-all-cells")
	l.Wait(t, "a result", output(1)+`.includes("42")`)
	l.save()
	fetch := func(format string) string {
		t.Helper()
		return browser.Eval[string](t, l.Page, fmt.Sprintf(`fetch("/nbconvert/%s/test.ipynb?download=true").then(async r => r.status + " " + r.headers.get("content-disposition") + " " + (await r.text()).replace(/<style[^]*?<.style>|<link[^>]*>/g, "").slice(0, 3000))`, format))
	}
	for _, format := range []string{"go", "script"} {
		if got := fetch(format); !strings.HasPrefix(got, "200 ") || !strings.Contains(got, "test.go") || !strings.Contains(got, "func main() {") || !strings.Contains(got, "fmt.Println(twice(x) + 2)") {
			t.Errorf("%s: got %s", format, got)
		}
	}
	if got := fetch("pdf"); !strings.HasPrefix(got, "200 ") || !strings.Contains(got, "%PDF-") {
		t.Errorf("pdf: got %s", got)
	}
	l.clickOn(`[...document.querySelectorAll(".lm-MenuBar-item")].find(e => e.textContent.startsWith("File"))`)
	const item = `[...document.querySelectorAll(".lm-Menu-item")].find(e => e.textContent.startsWith("Save and Export"))`
	l.Wait(t, "the menu", item)
	l.clickOn(item)
	l.Wait(t, "Go in the menu", `[...document.querySelectorAll(".lm-Menu-item")].some(e => e.querySelector(".lm-Menu-itemLabel")?.textContent === "Go")`)
	l.Screenshot(t, "menu")
}
