package viz_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/viz"
	"github.com/gradbook/gradbook/viz/browser"
)

// openChart opens a chart's page.
func openChart(t *testing.T, p *browser.Page, c *viz.Chart) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "chart.html")
	if err := c.Save(file); err != nil {
		t.Fatal(err)
	}
	p.Do(t, chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String()))
	p.Wait(t, "a chart", `document.querySelector(".gradbook-chart canvas")`)
}

// hostile are texts that are taken for something else where they are put into
// markup, a script, a template or a regular expression.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<img src=x onerror=alert(2)>`, `"><svg onload=alert(3)>`, `' onmouseover='alert(4)`,
	`<iframe srcdoc="<script>alert(5)</script>">`, `]]><script>alert(6)</script>`, `<!--`, `--><script>alert(7)</script>`,
	`javascript:alert(8)`, `{{alert(9)}}`, `${alert(10)}`, `<%= alert(11) %>`, `{a} {b} {c} {@value}`, `{style|rich}`, `{b|bold}`,
	`&lt;b&gt;`, `&amp;`, `&#x3c;script&#x3e;`, `a & b < c > d`, `"quotes" and 'apostrophes'`, "back`ticks`", `back\slash\u003c`, `%3Cscript%3E`,
	"new\nline", "tab\tstop", "null\x00byte", "escape\x1b[31m", "bell\a and delete\x7f", "not\xffutf8", "\u202eright to left\u202c", "שלום עולם", "مرحبا", "你好，世界", "👩‍👩‍👧‍👦 🏳️‍🌈", "e\u0301\u0323\u0308", "\u200bzero\u200bwidth", "__proto__", "constructor", "null", "NaN", "-", " ", "0",
	strings.Repeat("long ", 2000), strings.Repeat("字", 10000),
}

// seen is a text as it is shown: what has no picture by its symbol.
func seen(s string) string {
	return strings.NewReplacer("\x00", "␀", "\x1b", "␛", "\a", "␇", "\x7f", "␡", "\xff", "�").Replace(s)
}

// hostileChart has a text wherever a chart may have one.
func hostileChart(t *testing.T, s string) *viz.Chart {
	t.Helper()
	bar := charts.NewBar()
	bar.SetGlobalOptions(
		charts.WithTitleOpts(opts.Title{Title: s, Subtitle: s, Link: "javascript:alert(20)"}), charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{Name: s}), charts.WithYAxisOpts(opts.YAxis{Name: s}), charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "60"}),
	)
	bar.SetXAxis([]string{s, "b"}).AddSeries(s, []opts.BarData{{Value: 1, Name: s}, {Value: 2}})
	c, err := viz.FromECharts(bar, s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// xmlText is all text of an SVG, which must be well formed.
func xmlText(t *testing.T, svg string) string {
	t.Helper()
	var b strings.Builder
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("the SVG is not well formed: %v", err)
		}
		if text, ok := token.(xml.CharData); ok {
			b.Write(text)
		}
		if e, ok := token.(xml.StartElement); ok {
			if name := strings.ToLower(e.Name.Local); name == "script" || name == "foreignobject" || name == "a" || name == "iframe" {
				t.Errorf("the SVG has an element %q", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") {
					t.Errorf("the SVG has an attribute %q", a.Name.Local)
				}
			}
		}
	}
}

// TestTextIsText: whatever a text looks like, it is shown as itself: in SVG, in
// saved pages with their tooltips, and as HTML tables; nothing of it is run.
func TestTextIsText(t *testing.T) {
	for i, s := range hostile {
		c := hostileChart(t, s)
		b, err := c.Bundle()
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		text := xmlText(t, b[viz.MIMESVG])
		want := strings.TrimSpace(strings.Split(seen(s), "\n")[0])
		if r := []rune(want); len(r) > 900 {
			want = string(r[:900])
		}
		if !strings.Contains(text, want) {
			t.Errorf("%d: expected the SVG to show %q", i, s)
		}
		if strings.Contains(b[viz.MIMEChart], "</") {
			t.Errorf("%d: expected the option to be safe in a page", i)
		}
	}
	p := browser.Open(t, 900, 700)
	for i, s := range hostile {
		c := hostileChart(t, s)
		openChart(t, p, c)
		svg, err := c.SVG()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(svg)
		if err != nil {
			t.Fatal(err)
		}
		got := browser.Eval[string](t, p, fmt.Sprintf(`(async () => {
			document.body.appendChild(document.createElement("div")).innerHTML = %s;
			const chart = echarts.getInstanceByDom(document.querySelector(".gradbook-chart-box"));
			chart.dispatchAction({type: "showTip", seriesIndex: 0, dataIndex: 0});
			await new Promise(done => setTimeout(done, 60));
			return document.querySelector(".gradbook-chart-box").textContent;
		})()`, raw))
		want := seen(s)
		if r := []rune(want); len(r) > 1900 {
			want = string(r[:1900])
		}
		if !strings.Contains(got, want) {
			t.Errorf("%d: expected the tooltip to say %q, got %q", i, want, got)
		}
	}
	p.Innocent(t)
	if errs := p.Errors(); len(errs) > 0 {
		t.Errorf("expected no errors of scripts, got %q", errs)
	}
}

// TestTensorNames: the names of rows and columns, and the steps of a slider, are
// texts too.
func TestTensorNames(t *testing.T) {
	p := browser.Open(t, 900, 700)
	for _, s := range hostile[:20] {
		c, err := viz.AttentionMap(tensors.FromValue([][][]float32{{{0.5, 0.5}, {1, 0}}, {{0.1, 0.9}, {0.2, 0.8}}}), []string{s, "b"}, []string{"a", s})
		if err != nil {
			t.Fatal(err)
		}
		openChart(t, p, c.Titled(s))
	}
	p.Innocent(t)
}

// TestSameInBrowser: the SVG of a chart is, to the eye, what a browser draws.
func TestSameInBrowser(t *testing.T) {
	p := browser.Open(t, 1200, 1000)
	for _, s := range galleryOnce(t) {
		if s.name == "many-series" {
			continue // its legend turns pages, which a picture cannot
		}
		v, err := s.make()
		if err != nil {
			t.Fatal(err)
		}
		c, ok := v.(*viz.Chart)
		if !ok {
			continue
		}
		openChart(t, p, c)
		svg, err := c.SVG()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(svg)
		if err != nil {
			t.Fatal(err)
		}
		// Both are drawn at a quarter of their size, where letters are grey and what
		// differs by a pixel is the same; ink is what is not white.
		got := browser.Eval[[]float64](t, p, fmt.Sprintf(`(async () => {
			const svg = %s, size = /width="([\d.]+)" height="([\d.]+)"/.exec(svg), width = +size[1], height = +size[2];
			const node = document.getElementById("chart");
			node.style.width = width + "px";
			await new Promise(done => setTimeout(done, 150));
			const chart = echarts.getInstanceByDom(document.querySelector(".gradbook-chart-box"));
			const small = source => new Promise((done, fail) => {
				const image = new Image();
				image.onerror = () => fail(new Error("cannot be loaded"));
				image.onload = () => {
					const draw = (from, w, h) => {
						const c = document.createElement("canvas");
						c.width = Math.round(w); c.height = Math.round(h);
						const g = c.getContext("2d", {willReadFrequently: true});
						g.imageSmoothingQuality = "high";
						g.fillStyle = "#fff"; g.fillRect(0, 0, c.width, c.height);
						g.drawImage(from, 0, 0, c.width, c.height);
						return [c, g];
					};
					const [whole] = draw(image, width, height), [c, g] = draw(whole, width / 4, height / 4);
					done(g.getImageData(0, 0, c.width, c.height).data);
				};
				image.src = source;
			});
			const a = await small(chart.getDataURL({type: "png", backgroundColor: "#fff"}));
			const b = await small("data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg));
			let off = 0, ink = 0;
			for (let i = 0; i < a.length; i += 4) {
				for (let k = 0; k < 3; k++) { off += Math.abs(a[i + k] - b[i + k]); ink += 255 - Math.min(a[i + k], b[i + k]); }
			}
			return [off / (a.length * 0.75 * 255), off / Math.max(ink, 1), chart.getHeight() - height];
		})()`, raw))
		t.Logf("%-18s differs by %.4f of all, %.3f of the ink", s.name, got[0], got[1])
		// Of a chart that is mostly letters, these are most of the ink.
		if got[0] > 0.012 || got[1] > 0.2 && got[0] > 0.005 || math.Abs(got[2]) > 1 {
			t.Errorf("%s: expected the SVG to look as in a browser, it differs by %.4f of all, %.3f of the ink and %v pixels in height", s.name, got[0], got[1], got[2])
			p.Screenshot(t, s.name)
		}
	}
	p.Innocent(t)
}

// canvasInk is how many pixels of a chart's canvas are drawn on, and how bright the
// text of its axes is.
const canvasInk = `(() => {
	const c = document.querySelector(".gradbook-chart canvas");
	if (!c) return 0;
	const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 3; i < d.length; i += 4) if (d[i] > 0) n++;
	return n;
})()`

// TestRestyle: a chart is drawn anew when the page becomes dark, or narrow.
func TestRestyle(t *testing.T) {
	p := browser.Open(t, 900, 600)
	c, err := viz.TrainingCurves(history())
	if err != nil {
		t.Fatal(err)
	}
	p.Dark(t, false)
	openChart(t, p, c)
	p.Wait(t, "a drawn chart", canvasInk+" > 1000")
	const ink = `echarts.getInstanceByDom(document.querySelector(".gradbook-chart-box"))._theme.textStyle.color`
	light := browser.Eval[string](t, p, ink)
	p.Dark(t, true)
	p.Wait(t, "another colour of the texts", ink+fmt.Sprintf(" !== %q", light))
	p.Wait(t, "a drawn chart on a dark page", canvasInk+" > 1000")
	high := browser.Eval[float64](t, p, `document.querySelector(".gradbook-chart-box").clientHeight`)
	p.Size(t, 420, 900)
	p.Wait(t, "panels one below the other", fmt.Sprintf(`document.querySelector(".gradbook-chart-box").clientHeight > %v`, high))
	p.Wait(t, "a drawn chart on a narrow page", canvasInk+" > 1000")
	p.Innocent(t)
}

// TestTooltips: what a chart in a notebook says of tooltips is neither HTML nor a
// style, whatever form it has; such a chart need not come from this package.
func TestTooltips(t *testing.T) {
	p := browser.Open(t, 700, 500)
	c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Name: "s", Y: []float64{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	const evil = `<img src=x onerror=alert(1)>`
	for i, option := range []string{
		`{"tooltip":{"show":true},"xAxis":{"data":["a"]},"yAxis":{},"series":[{"type":"bar","data":[{"value":1,"tooltip":EVIL}]}]}`,
		`{"tooltip":{"show":true},"xAxis":{"data":["a"]},"yAxis":{},"series":[{"type":"bar","tooltip":EVIL,"data":[1]}]}`,
		`{"tooltip":{"show":true},"xAxis":{"data":["a"]},"yAxis":{},"series":[{"type":"bar","tooltip":{"formatter":EVIL},"data":[1]}]}`,
		`{"tooltip":[{"show":true,"formatter":EVIL}],"xAxis":{"data":["a"]},"yAxis":{},"series":[{"type":"bar","data":[1]}]}`,
		`{"tooltip":{"formatter":EVIL},"xAxis":{"data":["a"]},"yAxis":{},"series":[{"type":"bar","data":[1]}]}`,
		`{"tooltip":{"show":true,"trigger":"axis","backgroundColor":"red;background-image:url(http://192.0.2.1/x)","borderColor":"red;background-image:url(http://192.0.2.1/y)","extraCssText":"background-image:url(http://192.0.2.1/z)"},"xAxis":{"data":["a"]},"yAxis":{},"series":[{"type":"bar","data":[1]}]}`,
		`{"tooltip":{"show":true,"formatter":["<b>",EVIL],"valueFormatter":"x"},"xAxis":{"data":["a"]},"yAxis":{},"series":[{"type":"bar","name":EVIL,"data":[1]}]}`,
	} {
		openChart(t, p, c)
		raw, err := json.Marshal(evil)
		if err != nil {
			t.Fatal(err)
		}
		html := browser.Eval[string](t, p, fmt.Sprintf(`(async () => {
			const node = document.body.appendChild(document.createElement("div"));
			await gradbookChart.mount(node, {load: async () => echarts, dark: () => false}).set({option: %s, height: 300}, "");
			for (let i = 0; i < 100 && !node.querySelector("canvas"); i++) await new Promise(done => setTimeout(done, 20));
			const chart = echarts.getInstanceByDom(node.querySelector(".gradbook-chart-box"));
			chart.dispatchAction({type: "showTip", seriesIndex: 0, dataIndex: 0});
			await new Promise(done => setTimeout(done, 80));
			return node.querySelector(".gradbook-chart-box").innerHTML;
		})()`, strings.ReplaceAll(option, "EVIL", string(raw))))
		if strings.Contains(html, "<img") || strings.Contains(html, "url(") {
			t.Errorf("%d: expected no HTML and no style of the data's, got %s", i, html)
		}
	}
	p.Innocent(t)
}
