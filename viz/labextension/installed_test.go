package labextension_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
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
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	l.open("lab/tree/test.ipynb")
	l.Wait(t, "a notebook", `document.querySelector(".jp-Notebook .jp-Cell")`)
	l.Wait(t, "a kernel", `[...jupyterapp.shell.widgets("main")][0]?.sessionContext?.session?.kernel?.status === "idle"`)
	t.Logf("a kernel after %.1f s", time.Since(start).Seconds())
	run := chromedp.KeyEvent("\r", chromedp.KeyModifiers(input.ModifierShift)) // Shift+Enter, as a person does
	l.Do(t, chromedp.Click(".jp-Notebook .jp-Cell .cm-content"), run)
	l.Wait(t, "the first cell's output", `[...document.querySelectorAll(".jp-OutputArea-output")].some(o => o.textContent.includes("first"))`)
	t.Logf("the first output after %.1f s", time.Since(start).Seconds())
	l.Do(t, run)
	l.Wait(t, "a chart", `document.querySelector(".gradbook-chart-box canvas")`)
	l.Do(t, chromedp.Sleep(700*time.Millisecond))
	l.Screenshot(t, "installed")
}
