package labextension_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gradbook/gradbook/viz/browser"
)

// lab is a real JupyterLab with a notebook of the test's, in a browser.
type lab struct {
	*browser.Page
	t       *testing.T
	address string // with the token
	dir     string
}

// openLab starts JupyterLab as a user would, and opens a notebook of some cells.
func openLab(t *testing.T, width, height int, cells ...string) *lab {
	t.Helper()
	program, err := filepath.Abs("../../.gradbook/bin/gradbook")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("gradbook is not set up: make setup")
	}
	p := browser.Open(t, width, height)
	dir := t.TempDir()
	writeNotebook(t, filepath.Join(dir, "test.ipynb"), cells)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "lab", "--no-browser", "--port", "0", dir, "--",
		"--LabApp.expose_app_in_browser=True", "--LabApp.user_settings_dir="+t.TempDir(), "--LabApp.workspaces_dir="+t.TempDir())
	cmd.Dir = "../.."
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was told to end
	})
	address := make(chan string, 1)
	go func() {
		find := regexp.MustCompile(`http://(?:localhost|127\.0\.0\.1):\d+/lab\?token=\w+`)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if a := find.FindString(lines.Text()); a != "" {
				select {
				case address <- a:
				default:
				}
			}
		}
	}()
	l := &lab{Page: p, t: t, dir: dir}
	select {
	case l.address = <-address:
	case <-time.After(browser.Limit):
		t.Fatal("JupyterLab does not say its address")
	}
	awaitServer(t, l.address)
	l.open("lab/tree/test.ipynb")
	l.Wait(t, "a notebook", `document.querySelector(".jp-Notebook .jp-Cell")`)
	l.Wait(t, "a kernel", `[...jupyterapp.shell.widgets("main")][0]?.sessionContext?.session?.kernel?.status === "idle"`)
	return l
}

// awaitServer waits until a server listens: Jupyter says its address a moment before.
func awaitServer(t *testing.T, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(browser.Limit); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.DialTimeout("tcp", u.Host, time.Second)
		if err == nil {
			_ = c.Close() // only a question
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("JupyterLab does not listen at %s: %v", u.Host, err)
		}
	}
}

func (l *lab) open(path string) {
	l.t.Helper()
	l.Do(l.t, chromedp.Navigate(strings.Replace(l.address, "/lab?", "/"+path+"?", 1)))
}

func writeNotebook(t *testing.T, file string, cells []string) {
	t.Helper()
	var all []any
	for i, c := range cells {
		all = append(all, map[string]any{"cell_type": "code", "id": fmt.Sprint("cell", i), "metadata": map[string]any{}, "execution_count": nil, "outputs": []any{}, "source": c})
	}
	raw, err := json.Marshal(map[string]any{
		"cells": all, "nbformat": 4, "nbformat_minor": 5,
		"metadata": map[string]any{"kernelspec": map[string]any{"name": "gradbook", "display_name": "Go (Gradbook)", "language": "go"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// command runs a command of JupyterLab.
func (l *lab) command(id, args string) {
	l.t.Helper()
	browser.Eval[any](l.t, l.Page, fmt.Sprintf(`jupyterapp.commands.execute(%q, %s).then(() => null, e => String(e))`, id, args))
}

// start runs a command of JupyterLab, and does not wait for its end.
func (l *lab) start(id string) {
	l.t.Helper()
	browser.Eval[bool](l.t, l.Page, fmt.Sprintf(`jupyterapp.commands.execute(%q), true`, id))
}

// save saves the notebook.
func (l *lab) save() {
	l.t.Helper()
	browser.Eval[any](l.t, l.Page, `[...jupyterapp.shell.widgets("main")][0].context.save().then(() => null)`)
}

// runAll runs all cells.
func (l *lab) runAll() {
	l.t.Helper()
	l.start("notebook:run-all-cells")
}

// box is where an element is.
func (l *lab) box(element string) (b struct{ X, Y, Width, Height float64 }) {
	l.t.Helper()
	return browser.Eval[struct{ X, Y, Width, Height float64 }](l.t, l.Page, fmt.Sprintf(`(() => { const e = %s; e.scrollIntoView({block: "center"}); const b = e.getBoundingClientRect(); return {X: b.x, Y: b.y, Width: b.width, Height: b.height}; })()`, element))
}

func (l *lab) mouse(kind input.MouseType, x, y float64, pressed bool) {
	l.t.Helper()
	e := input.DispatchMouseEvent(kind, x, y)
	if pressed {
		e = e.WithButton(input.Left).WithButtons(1).WithClickCount(1)
	}
	l.Do(l.t, e)
}

// hover moves the pointer to a place in an element.
func (l *lab) hover(element string, x, y float64) {
	l.t.Helper()
	b := l.box(element)
	l.mouse(input.MouseMoved, b.X+b.Width*x-2, b.Y+b.Height*y, false)
	l.mouse(input.MouseMoved, b.X+b.Width*x, b.Y+b.Height*y, false)
}

func (l *lab) clickOn(element string) {
	l.t.Helper()
	b := l.box(element)
	x, y := b.X+b.Width/2, b.Y+b.Height/2
	l.mouse(input.MouseMoved, x, y, false)
	l.mouse(input.MousePressed, x, y, true)
	l.mouse(input.MouseReleased, x, y, true)
}

// drag draws a line through places in an element.
func (l *lab) drag(element string, places ...[2]float64) {
	l.t.Helper()
	b := l.box(element)
	at := func(p [2]float64) (float64, float64) { return b.X + b.Width*p[0], b.Y + b.Height*p[1] }
	x, y := at(places[0])
	l.mouse(input.MouseMoved, x, y, false)
	l.mouse(input.MousePressed, x, y, true)
	for i := 1; i < len(places); i++ {
		const steps = 6
		for s := 1; s <= steps; s++ {
			x0, y0 := at(places[i-1])
			x1, y1 := at(places[i])
			l.mouse(input.MouseMoved, x0+(x1-x0)*float64(s)/steps, y0+(y1-y0)*float64(s)/steps, true)
		}
	}
	x, y = at(places[len(places)-1])
	l.mouse(input.MouseReleased, x, y, true)
}

// chart is the n-th chart of the notebook, in JavaScript.
func chart(n int) string {
	return fmt.Sprintf(`document.querySelectorAll(".gradbook-chart-box")[%d]`, n)
}

// brightness is the mean of a screenshot.
func brightness(t *testing.T, raw []byte) float64 {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 7 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 7 {
			sum += float64(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
			n++
		}
	}
	return sum / float64(n)
}

const chartCells = `labels, predicted := []int{0, 1, 1, 2, 2, 2}, []int{0, 1, 2, 2, 2, 1}
c, err := viz.ConfusionMatrix(labels, predicted, []string{"cat", "<b>dog</b>", "emu"})
c`

// TestCharts: a chart appears, says what is under the pointer, follows the theme
// and the width, and is the same after the page is loaded anew.
func TestCharts(t *testing.T) {
	l := openLab(t, 1300, 1700, chartCells, `y := make([]float64, 100)
for i := range y { y[i] = math.Sin(float64(i) / 9) }
viz.Lines(viz.LinesConfig{XName: "step"}, viz.Series{Name: "sine", Y: y})`,
		`import "github.com/go-echarts/go-echarts/v2/charts"
bar := charts.NewBar()
bar.SetXAxis([]string{"a", "b"})
bar.AddSeries("count", []opts.BarData{{Value: 1}, {Value: 3}})
bar`)
	l.runAll()
	l.Wait(t, "three charts", `document.querySelectorAll(".gradbook-chart-box canvas").length === 3`)
	l.Do(t, chromedp.Sleep(500*time.Millisecond))
	light := brightness(t, l.Screenshot(t, "light"))
	// 0.42 and 0.5 are within the middle cell.
	l.hover(chart(0), 0.62, 0.45)
	l.Wait(t, "a tooltip", `[...document.querySelectorAll(".gradbook-chart-box")].some(e => e.textContent.includes("true <b>dog</b>, predicted"))`)
	l.Screenshot(t, "tooltip")
	l.hover(chart(1), 0.5, 0.5)
	l.Wait(t, "a tooltip of the curve", chart(1)+`.textContent.includes("sine")`)
	l.command("apputils:change-theme", `{theme: "JupyterLab Dark"}`)
	l.Wait(t, "the dark theme", `document.body.dataset.jpThemeLight === "false"`)
	const inked = `[...document.querySelectorAll(".gradbook-chart-box canvas")].filter(c => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 0)).length === 3`
	l.Wait(t, "three charts on the dark page", inked)
	dark := brightness(t, l.Screenshot(t, "dark"))
	if light < 180 || dark > 90 {
		t.Errorf("expected a light page and then a dark one, got a brightness of %.0f and %.0f", light, dark)
	}
	l.Size(t, 600, 900)
	l.Wait(t, "a chart that fits a narrow page", chart(1)+`.querySelector("canvas").getBoundingClientRect().right <= innerWidth`)
	l.Screenshot(t, "narrow")
	l.Innocent(t)
}

// TestManyCharts: a notebook with two hundred charts holds canvases only for those
// that are in view or near it.
func TestManyCharts(t *testing.T) {
	var cells []string
	for range 10 { // a cell shows 50 outputs at most
		cells = append(cells, `for i := range 20 {
	c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: fmt.Sprint(i), Y: []float64{1, 3, float64(i)}})
	if err != nil { panic(err) }
	viz.Show(c.Height(200))
}`)
	}
	l := openLab(t, 1200, 900, cells...)
	l.runAll()
	l.Wait(t, "all charts", `document.querySelectorAll(".gradbook-chart-box").length === 200`)
	inView := func(when string) {
		t.Helper()
		n := browser.Eval[int](t, l.Page, `(async () => { // the number of canvases, once it stays
			const count = () => document.querySelectorAll(".gradbook-chart-box canvas").length;
			const end = performance.now() + 90000;
			let n = 0;
			for (let same = 0; same < 15 && performance.now() < end; n = count()) {
				await new Promise(r => setTimeout(r, 100));
				same = n > 0 && count() === n ? same + 1 : 0;
			}
			return n;
		})()`)
		if n == 0 || n > 60 {
			l.Screenshot(t, when)
			t.Errorf("%s: expected canvases for the charts in view only, got %d", when, n)
		}
	}
	inView("shown")
	// Scrolling through all of them stays smooth: in no frame are there more.
	frames := browser.Eval[struct{ Slowest, Canvases float64 }](t, l.Page, `(async () => {
		const page = document.querySelector(".jp-WindowedPanel-outer");
		let worst = 0, most = 0, last = performance.now();
		for (let y = 0; y < page.scrollHeight; y += 400) {
			page.scrollTo(0, y);
			await new Promise(requestAnimationFrame);
			worst = Math.max(worst, performance.now() - last);
			most = Math.max(most, document.querySelectorAll(".gradbook-chart-box canvas").length);
			last = performance.now();
		}
		page.scrollTo(0, page.scrollHeight / 2);
		return {Slowest: worst, Canvases: most};
	})()`)
	t.Logf("slowest frame %.0f ms, at most %.0f canvases", frames.Slowest, frames.Canvases)
	if frames.Canvases > 60 {
		t.Errorf("expected canvases for the charts in view only while the page is scrolled, got %.0f", frames.Canvases)
	}
	inView("scrolled")
	l.Innocent(t)
}

// TestNotebook7: plain Jupyter Notebook has charts and widgets as JupyterLab has.
func TestNotebook7(t *testing.T) {
	l := openLab(t, 1100, 900, chartCells, `viz.Show(&widgets.IntSlider{Description: "k"})`)
	l.runAll()
	l.Wait(t, "a chart and a slider", `document.querySelector(".gradbook-chart-box canvas") && document.querySelector(".widget-slider, .noUi-handle")`)
	l.save()
	l.open("notebooks/test.ipynb")
	l.Wait(t, "a chart in Jupyter Notebook", `document.querySelector(".gradbook-chart-box canvas") && /notebooks/.test(location.pathname)`)
	l.Wait(t, "a slider in Jupyter Notebook", `document.querySelector(".widget-slider, .noUi-handle")`)
	l.Screenshot(t, "notebook")
	l.Innocent(t)
}

// TestTraining: the chart of a training is there while Fit runs, changes in its
// place, and stays as it is in the end, in JupyterLab and in the file.
func TestTraining(t *testing.T) {
	l := openLab(t, 1200, 900, `train, test, err := datasets.MNIST()
train, test = train.Map(data.Rescale(1/255.0)), test.Take(2000).Map(data.Rescale(1/255.0))
model, err := dl.Sequential(layers.Input{Shape: layers.Shape{28, 28, 1}}, layers.Flatten{}, layers.Dense{Units: 128, Activation: activations.ReLU}, layers.Dense{Units: 10, Activation: activations.Softmax})
model.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}}})
history, err := model.Fit(context.Background(), train, dl.FitConfig{Epochs: 4, Silent: true, ValidationData: test, Callbacks: []callbacks.Callback{&viz.TrainingPlot{}}})
fmt.Println("trained")`)
	l.runAll()
	title := `(() => { const b = document.querySelector(".gradbook-chart-box"), c = b && window.echarts?.getInstanceByDom(b); return c ? c.getOption().title.at(-1).text : ""; })()`
	l.Wait(t, "a chart while Fit runs", title+`.startsWith("epoch ")`)
	first := browser.Eval[string](t, l.Page, title)
	l.Do(t, chromedp.Evaluate(`document.querySelector(".gradbook-chart-box").dataset.mark = "the same"`, nil))
	l.Wait(t, "a chart that changes", title+" !== "+fmt.Sprintf("%q", first))
	l.Screenshot(t, "running")
	l.Wait(t, "the end", `document.body.innerText.includes("trained")`)
	l.Wait(t, "the final chart", title+`.startsWith("4 of 4 epochs")`)
	if mark := browser.Eval[string](t, l.Page, `document.querySelector(".gradbook-chart-box").dataset.mark || ""`); mark != "the same" {
		t.Error("expected the chart to change in its place, it was made anew")
	}
	l.Do(t, chromedp.Sleep(500*time.Millisecond))
	l.Screenshot(t, "trained")
	l.save()
	raw, err := os.ReadFile(filepath.Join(l.dir, "test.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(raw), "<svg "); n != 1 || len(raw) > 110<<10 {
		t.Errorf("expected one picture, and a file of at most 110 kB, got %d and %d kB", n, len(raw)>>10)
	}
	l.Innocent(t)
}

// TestDigit: the canvas sends what is drawn to the model, which reads it while one
// draws; both are there again when the page is loaded anew.
func TestDigit(t *testing.T) {
	l := openLab(t, 1200, 1000, `train, _, err := datasets.MNIST()
train = train.Take(20000).Map(data.Rescale(1/255.0))
model, err := dl.Sequential(layers.Input{Shape: layers.Shape{28, 28, 1}}, layers.Conv2D{Filters: 16, KernelSize: [2]int{5, 5}, Activation: activations.ReLU}, layers.MaxPooling2D{}, layers.Flatten{}, layers.Dense{Units: 64, Activation: activations.ReLU}, layers.Dense{Units: 10, Activation: activations.Softmax})
dl.SetRandomSeed(1)
model.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}})
_, err = model.Fit(context.Background(), train, dl.FitConfig{Epochs: 2, Silent: true})`,
		`canvas, answer, seen := &widgets.Canvas{}, &widgets.Label{Initial: "draw a digit"}, 0
canvas.OnChange(func() {
	digit, err := data.New(canvas.Digit(), nil)
	if err != nil { panic(err) }
	scores, err := model.Predict(context.Background(), digit.Map(data.Rescale(1/255.0)))
	if err != nil { panic(err) }
	best, err := dl.ArgMax(scores)
	if err != nil { panic(err) }
	seen++
	answer.Set(fmt.Sprint("this is a ", best[0]))
})
viz.Show(&widgets.HBox{Children: []widgets.Widget{canvas, answer}})`)
	l.runAll()
	const canvas = `document.querySelector('canvas[aria-label^="A canvas"]')`
	l.Wait(t, "a canvas", canvas)
	l.drag(canvas, [2]float64{0.25, 0.22}, [2]float64{0.75, 0.22}, [2]float64{0.42, 0.85})
	l.Wait(t, "an answer", `document.querySelector(".gradbook-label").textContent.startsWith("this is a ")`)
	l.Wait(t, "a 7", `document.querySelector(".gradbook-label").textContent === "this is a 7"`)
	l.Screenshot(t, "seven")
	l.save()
	l.Do(t, chromedp.Reload())
	l.Wait(t, "the canvas after loading the page anew", canvas)
	l.Wait(t, "the answer after loading the page anew", `document.querySelector(".gradbook-label")?.textContent === "this is a 7"`)
	l.clickOn(`[...document.querySelectorAll("button")].find(b => b.textContent === "Clear")`)
	l.drag(canvas, [2]float64{0.5, 0.15}, [2]float64{0.5, 0.85})
	l.Wait(t, "a 1", `document.querySelector(".gradbook-label").textContent === "this is a 1"`)
	// The same with the keys: up, the pen down, and down.
	l.clickOn(`[...document.querySelectorAll("button")].find(b => b.textContent === "Clear")`)
	l.Wait(t, "an empty canvas", `document.querySelector(".gradbook-label").textContent !== "this is a 1"`)
	l.Do(t, chromedp.Evaluate(canvas+`.focus()`, nil))
	press := func(key string, n int) {
		for range n {
			l.Do(t, chromedp.KeyEvent(key))
		}
	}
	press(kb.ArrowUp, 9)
	press(" ", 1)
	press(kb.ArrowDown, 18)
	press(" ", 1)
	l.Wait(t, "a 1 by the keys", `document.querySelector(".gradbook-label").textContent === "this is a 1"`)
	l.Innocent(t)
}

// TestExplore: a chart that follows sliders is drawn anew by the kernel when one is
// moved, also one that a page without a kernel would not have.
func TestExplore(t *testing.T) {
	l := openLab(t, 1100, 900, `draws := 0
widgets.Explore(func(v []float64) (*viz.Chart, error) {
	draws++
	return viz.Lines(viz.LinesConfig{}, viz.Series{Name: "line", X: []float64{0, 1}, Y: []float64{v[1], v[0]}})
}, widgets.Range{Name: "end", Min: 0, Max: 5, Initial: 1}, widgets.Range{Name: "begin", Min: 0, Max: 5})`)
	l.runAll()
	l.Wait(t, "sliders and a chart", `document.querySelectorAll(".widget-slider").length === 2 && document.querySelector(".gradbook-chart canvas")`)
	picture := `[...document.querySelectorAll(".gradbook-chart canvas")].map(c => c.toDataURL()).join()`
	before := browser.Eval[string](t, l.Page, picture)
	l.Screenshot(t, "before")
	handle := `document.querySelectorAll(".widget-slider .noUi-handle")[1]`
	l.drag(handle, [2]float64{0.5, 0.5}, [2]float64{12, 0.5})
	l.Wait(t, "another chart", picture+` !== `+fmt.Sprintf("%q", before))
	l.Screenshot(t, "after")
}
