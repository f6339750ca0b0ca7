package labextension_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// output is what a cell of the notebook shows, as text.
func output(n int) string {
	return fmt.Sprintf(`(document.querySelectorAll(".jp-CodeCell")[%d].querySelector(".jp-OutputArea")?.innerText || "")`, n)
}

func prompt(n int) string {
	return fmt.Sprintf(`document.querySelectorAll(".jp-CodeCell")[%d].querySelector(".jp-InputPrompt").textContent`, n)
}

const status = `[...jupyterapp.shell.widgets("main")][0].sessionContext.kernelDisplayStatus`

// TestReload: a page that is loaded anew while a cell runs shows that it runs, all that it
// has shown, and what it shows from then on; one that was closed too.
func TestReload(t *testing.T) {
	l := openLab(t, 1200, 1000, `fmt.Println("begins")
train, _, err := datasets.MNIST()
model, err := dl.Sequential(layers.Input{Shape: layers.Shape{28, 28, 1}}, layers.Flatten{}, layers.Dense{Units: 256, Activation: activations.ReLU}, layers.Dense{Units: 10, Activation: activations.Softmax})
err = model.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}})
_, err = model.Fit(context.Background(), train.Map(data.Rescale(1/255.0)), dl.FitConfig{Epochs: 12, Silent: true, Callbacks: []callbacks.Callback{&viz.TrainingPlot{}}})
for i := range 8 {
	fmt.Println("after", i)
	time.Sleep(time.Second)
}
fmt.Println("ends")`,
		`fmt.Println("the second")
"its value"`)
	l.save()
	l.runAll()
	l.Wait(t, "the chart of a training", `document.querySelector(".gradbook-chart-box canvas")`)
	reload := func(when string) {
		t.Helper()
		l.open("lab/tree/test.ipynb")
		start := time.Now()
		l.Wait(t, "the notebook "+when, `document.querySelectorAll(".jp-CodeCell").length === 2 && `+prompt(0)+` === "[*]:" && `+output(0)+`.includes("begins")`)
		l.Wait(t, "a busy kernel "+when, status+` === "busy"`)
		l.Wait(t, "the chart "+when, `document.querySelectorAll(".gradbook-chart-box canvas").length === 1`)
		t.Logf("%s: after %.1f s", when, time.Since(start).Seconds())
	}
	reload("after a reload")
	l.Screenshot(t, "reloaded")
	l.Do(t, chromedp.Navigate("about:blank"), chromedp.Sleep(5*time.Second))
	reload("after some seconds without a page")
	l.Wait(t, "the output of the rest", output(0)+`.includes("after 1")`)
	l.Wait(t, "the end", output(0)+`.includes("ends") && `+prompt(0)+` === "[1]:" && `+prompt(1)+` === "[2]:" && `+output(1)+`.includes("its value")`)
	l.Screenshot(t, "ended")
	if text := browser.Eval[string](t, l.Page, output(0)); strings.Count(text, "begins") != 1 || strings.Count(text, "after ") != 8 {
		t.Errorf("expected each line once, got %s", text)
	}
	l.Wait(t, "an idle kernel", status+` === "idle"`)
	l.save()
	raw, err := os.ReadFile(filepath.Join(l.dir, "test.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(raw), "application/vnd.gradbook.echarts"); n != 1 || !strings.Contains(string(raw), "the second") {
		t.Errorf("expected the outputs in the file, with one chart, got %d", n)
	}
	l.Innocent(t)
}

// TestReloadEnded: what cells have shown after the page was closed is there when it is
// opened again, an error too, and what is on disk is left as it is.
func TestReloadEnded(t *testing.T) {
	l := openLab(t, 1200, 900, `fmt.Println("saved")`, `for i := range 5 {
	time.Sleep(time.Second)
	fmt.Println("step", i)
}
panic("at the end")`, `name := ""
fmt.Scanln(&name)
fmt.Println("hello", name)`)
	l.start("notebook:run-cell")
	l.Wait(t, "the first cell", output(0)+`.includes("saved")`)
	l.save()
	l.command("notebook:move-cursor-down", `{}`)
	l.start("notebook:run-cell")
	l.Wait(t, "the second cell", output(1)+`.includes("step 0")`)
	l.Do(t, chromedp.Navigate("about:blank"), chromedp.Sleep(7*time.Second))
	l.open("lab/tree/test.ipynb")
	l.Wait(t, "what came meanwhile", `document.querySelectorAll(".jp-CodeCell").length === 3 && `+output(1)+`.includes("step 4") && `+output(1)+`.includes("at the end")`)
	l.Wait(t, "the counts", prompt(0)+` === "[1]:" && `+prompt(1)+` === "[2]:"`)
	if text := browser.Eval[string](t, l.Page, output(0)); strings.TrimSpace(text) != "saved" {
		t.Errorf("the first cell shows %q", text)
	}
	// A question that a page left without an answer is asked by the next.
	l.clickOn(`document.querySelectorAll(".jp-CodeCell")[2].querySelector(".cm-content")`)
	l.start("notebook:run-cell")
	l.Wait(t, "a question", `document.querySelector(".jp-Stdin-input")`)
	l.save() // or the browser asks whether to leave
	l.open("lab/tree/test.ipynb")
	l.Wait(t, "the question again", `document.querySelectorAll(".jp-CodeCell").length === 3 && document.querySelector(".jp-Stdin-input")`)
	l.clickOn(`document.querySelector(".jp-Stdin-input")`)
	l.Do(t, chromedp.KeyEvent("Ann\r"))
	l.Wait(t, "the answer", output(2)+`.includes("hello Ann") && `+prompt(2)+` === "[3]:"`)
	l.Innocent(t)
}

// TestUnchanged: a notebook that is opened, and nothing else, is as it is on disk.
func TestUnchanged(t *testing.T) {
	l := openLab(t, 900, 600, `x := 1`)
	l.Do(t, chromedp.Sleep(time.Second))
	const dirty = `[...jupyterapp.shell.widgets("main")][0].context.model.dirty`
	l.Wait(t, "an unchanged notebook", "!"+dirty)
	l.clickOn(`document.querySelector(".jp-Cell .cm-content")`)
	l.Do(t, chromedp.KeyEvent("y"))
	l.Wait(t, "a changed one", dirty)
}
