package labextension_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gradbook/gradbook/viz/browser"
)

// hardCells are charts of which there is much: series, classes, keys, words.
var hardCells = []string{
	`series := func(n int) (all []viz.Series) {
	for i := range n {
		y := make([]float64, 40)
		for j := range y { y[j] = math.Sin(float64(j)/8 + float64(i)/3) + float64(i)/4 }
		all = append(all, viz.Series{Name: fmt.Sprintf("layer %d with a name that is long", i), Y: y})
	}
	return all
}
viz.Lines(viz.LinesConfig{XName: "step"}, series(12)...)`,
	`viz.Lines(viz.LinesConfig{XName: "step"}, series(50)...)`,
	`var classes []string
var truth, said []int
for i := range 200 {
	classes = append(classes, fmt.Sprintf("class %03d", i))
	for j := range 5 { truth = append(truth, i); said = append(said, (i + j*j/9) % 200) }
}
viz.ConfusionMatrix(truth, said, classes)`,
	`q, k := []string{"a", "warm", "film"}, []string{"the", "audience", "applauded"}
viz.AttentionMap(tensors.FromValue([][]float32{{0.7, 0.2, 0.1}, {0.1, 0.8, 0.1}, {0.3, 0.3, 0.4}}), q, k)`,
	`viz.Convolution(tensors.FromValue([][]float32{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 1, 2, 3}, {4, 5, 6, 7}}), tensors.FromValue([][]float32{{0.25, -1.5, 0.75}, {1, 0.125, -2}, {0.5, 0.625, 3}}), viz.ConvolutionConfig{})`,
}

// TestHardCharts: with many series, classes and long names, what is drawn stays within its
// place, and legends do not lie on what they explain.
func TestHardCharts(t *testing.T) {
	l := openLab(t, 1400, 2600, hardCells...)
	l.runAll()
	l.Wait(t, "five charts", `document.querySelectorAll(".gradbook-chart-box canvas").length >= 5`)
	for _, size := range []struct {
		name          string
		width, height int
	}{{"wide", 1400, 2600}, {"narrow", 600, 2600}} {
		l.Size(t, size.width, size.height)
		l.Do(t, chromedp.Sleep(1500*time.Millisecond))
		l.Screenshot(t, size.name)
		if cut := browser.Eval[int](t, l.Page, `[...document.querySelectorAll(".gradbook-chart-frames output")].filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1 || e.textContent === "").length`); cut > 0 {
			t.Errorf("%s: the captions of %d charts are cut", size.name, cut)
		}
		// The legend is above what is drawn: echarts tells where both are.
		for n := range 2 {
			over := browser.Eval[float64](t, l.Page, `(() => {
				const c = window.echarts.getInstanceByDom(`+chart(n)+`);
				const legend = c._componentsViews.find(v => v.type.startsWith("legend"));
				const grid = c.getModel().getComponent("grid").coordinateSystem.getRect();
				const box = legend.group.getBoundingRect().clone();
				box.applyTransform(legend.group.transform || legend.group.getLocalTransform());
				const vertical = Math.min(box.y + box.height, grid.y + grid.height) - Math.max(box.y, grid.y);
				const horizontal = Math.min(box.x + box.width, grid.x + grid.width) - Math.max(box.x, grid.x);
				return Math.min(vertical, horizontal);
			})()`)
			if over > 1 {
				t.Errorf("%s: the legend of chart %d lies on the curves by %.0f pixels", size.name, n, over)
			}
		}
	}
	l.Innocent(t)
}

// TestMalformed: a chart that cannot be drawn shows its words, and why.
func TestMalformed(t *testing.T) {
	l := openLab(t, 1000, 700, `type broken string
func (b broken) Bundle() (viz.Bundle, error) {
	return viz.Bundle{"text/plain": "the words of a chart", "application/vnd.gradbook.echarts.v1+json": string(b)}, nil
}
`+"viz.Show(broken(`{\"option\": {\"series\": [{\"type\": \"line\", \"data\": [1, 2]}]}}`), broken(`{\"nothing\": 1}`), broken(`[]`))",
		`viz.Lines(viz.LinesConfig{}, viz.Series{Name: "good", Y: []float64{1, 2}})`)
	l.runAll()
	l.Wait(t, "a good chart", `document.querySelector(".gradbook-chart-box canvas")`)
	l.Wait(t, "the words of the others", `[...document.querySelectorAll(".gradbook-chart-box")].filter(e => e.innerText.startsWith("the words of a chart\n(")).length === 3`)
	l.Screenshot(t, "malformed")
	if text := browser.Eval[string](t, l.Page, `document.querySelector(".jp-Notebook").innerText`); strings.Contains(text, "Javascript Error") {
		t.Errorf("got %s", text)
	}
}
