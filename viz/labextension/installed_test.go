package labextension_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

var (
	installedAt     = flag.String("at", "", "the address, with its token, of a JupyterLab in which Gradbook is installed")
	installedFolder = flag.String("folder", "", "the folder that it shows")
)

// TestInstalled: somebody's own JupyterLab has the kernel in its launcher, and draws a
// chart. cmd/release/try.sh starts one.
func TestInstalled(t *testing.T) {
	if *installedAt == "" {
		t.Skip("no JupyterLab is named with -at")
	}
	start := time.Now()
	l := &lab{Page: browser.Open(t, 1300, 1000), t: t, address: *installedAt, dir: *installedFolder}
	awaitServer(t, l.address)
	l.open("lab")
	l.Wait(t, "the kernel in the launcher", `[...document.querySelectorAll(".jp-LauncherCard")].some(c => c.textContent.includes("Go (Gradbook)"))`)
	l.Screenshot(t, "launcher")
	file := filepath.Join(l.dir, "test.ipynb")
	writeNotebook(t, file, []string{`fmt.Println("first")`, chartCells})
	if err := os.Chmod(file, 0o666); err != nil { //nolint:gosec // the server may be another user
		t.Fatal(err)
	}
	l.open("lab/tree/test.ipynb")
	l.Wait(t, "a notebook", `document.querySelector(".jp-Notebook .jp-Cell")`)
	l.Wait(t, "a kernel", `document.querySelector(".jp-Notebook-ExecutionIndicator[data-status=idle]")`)
	t.Logf("a kernel after %.1f s", time.Since(start).Seconds())
	l.Do(t, menu("Run", "Run All Cells")...)
	l.Wait(t, "the first cell's output", `document.querySelector(".jp-Notebook").textContent.includes("first\n") || [...document.querySelectorAll(".jp-OutputArea-output")].some(o => o.textContent.includes("first"))`)
	t.Logf("the first output after %.1f s", time.Since(start).Seconds())
	l.Wait(t, "a chart", `document.querySelector(".gradbook-chart-box canvas")`)
	l.Do(t, pause)
	l.Screenshot(t, "installed")
}

var pause = chromedp.Sleep(700 * time.Millisecond)

// menu chooses an item of JupyterLab's menus, as a person does.
func menu(name, item string) []chromedp.Action {
	find := func(selector, text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll(%q)].find(e => e.textContent.trim() === %q)`, selector, text)
	}
	press := func(element string) chromedp.Action {
		return chromedp.Evaluate(fmt.Sprintf(`(() => {
			const e = %s;
			for (const kind of ["mousemove", "mousedown", "mouseup", "click"])
				e.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true, view: window, button: 0, clientX: e.getBoundingClientRect().x + 5, clientY: e.getBoundingClientRect().y + 5}));
		})()`, element), nil)
	}
	return []chromedp.Action{
		press(find(".lm-MenuBar-itemLabel", name)), pause,
		press(find(".lm-Menu-itemLabel", item)),
	}
}
