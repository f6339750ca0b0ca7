package viz_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/viz"
	"github.com/gradbook/gradbook/viz/labextension"
)

func history() *dl.History {
	return &dl.History{
		Names: []string{"accuracy", "loss", "val_accuracy", "val_loss"},
		Metrics: map[string][]float64{
			"accuracy": {0.9, 0.95, 0.97}, "loss": {0.3, 0.2, 0.1},
			"val_accuracy": {0.92, 0.94, math.NaN()}, "val_loss": {0.25, math.Inf(1), 0.18},
		},
	}
}

// checkBundle fails the test unless a chart has all its forms: an option that is
// JSON, an SVG that is XML, and words.
func checkBundle(t *testing.T, v viz.Viewable) (option map[string]any, svg, text string) {
	t.Helper()
	b, err := v.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	var live struct {
		Option map[string]any
		Height int
	}
	if err := json.Unmarshal([]byte(b[viz.MIMEChart]), &live); err != nil {
		t.Fatal(err)
	}
	if len(live.Option) == 0 || live.Height < 100 {
		t.Errorf("expected an option and a height, got %v", live)
	}
	d := xml.NewDecoder(strings.NewReader(b[viz.MIMESVG]))
	paths := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the SVG is not XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			if e.Name.Local == "script" || e.Name.Local == "foreignObject" {
				t.Errorf("the SVG holds a <%s>", e.Name.Local)
			}
			if n := e.Name.Local; n == "path" || n == "polygon" || n == "image" {
				paths++
			}
		}
	}
	if paths == 0 {
		t.Error("the SVG is empty")
	}
	if b[viz.MIMEPlain] == "" {
		t.Error("expected words for those who see no picture")
	}
	return live.Option, b[viz.MIMESVG], b[viz.MIMEPlain]
}

func TestTrainingCurves(t *testing.T) {
	c, err := viz.TrainingCurves(history())
	if err != nil {
		t.Fatal(err)
	}
	option, svg, text := checkBundle(t, c)
	series := option["series"].([]any)
	if len(series) != 4 || len(option["grid"].([]any)) != 2 {
		t.Errorf("expected 4 lines in 2 panels, got %d in %v", len(series), option["grid"])
	}
	// NaN and infinity are gaps; the points beside them stay.
	points, err := json.Marshal(series[1].(map[string]any)["data"])
	if err != nil {
		t.Fatal(err)
	}
	if want := `[[1,0.25],[2,null],[3,0.18]]`; string(points) != want {
		t.Errorf("expected %s, got %s", want, points)
	}
	for _, word := range []string{"loss", "accuracy", "validation", "epoch"} {
		if !strings.Contains(svg, word) {
			t.Errorf("expected the SVG to say %q", word)
		}
	}
	if !strings.Contains(text, "0.9700") {
		t.Errorf("expected the words to have the last accuracy, got\n%s", text)
	}
	for _, h := range []*dl.History{nil, {}, {Names: []string{"loss"}}} {
		if _, err := viz.TrainingCurves(h); err == nil {
			t.Error("no epochs: expected an error, got none")
		}
	}
}

func TestConfusionMatrix(t *testing.T) {
	c, err := viz.ConfusionMatrix([]int{0, 1, 2, 2, 2}, []int{0, 2, 2, 2, 1}, []string{"cat", "dog", "emu"})
	if err != nil {
		t.Fatal(err)
	}
	option, svg, text := checkBundle(t, c)
	cells := option["series"].([]any)[0].(map[string]any)["data"].([]any)
	if len(cells) != 9 {
		t.Errorf("expected 9 cells, got %d", len(cells))
	}
	if raw, _ := json.Marshal(cells); !bytes.Contains(raw, []byte("true emu, predicted emu: 2")) || !bytes.Contains(raw, []byte("true dog, predicted emu: 1")) {
		t.Errorf("expected the cells to say what they count, got %s", raw)
	}
	if !strings.Contains(svg, "emu") || !strings.Contains(text, "emu") {
		t.Error("expected the names of the classes")
	}
	for name, args := range map[string][3][]int{
		"lengths":    {{0}, {0, 1}, {2}},
		"label":      {{5}, {0}, {2}},
		"prediction": {{0}, {-1}, {2}},
		"no classes": {{}, {}, {0}},
	} {
		if _, err := viz.ConfusionMatrix(args[0], args[1], make([]string, args[2][0])); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
}

// TestHostileText: texts that would end a script or open a tag stay texts in
// every form of a chart.
func TestHostileText(t *testing.T) {
	const evil = `</script><script>alert(1)</script><img src=x onerror=alert(2)>`
	c, err := viz.ConfusionMatrix([]int{0}, []int{0}, []string{evil})
	if err != nil {
		t.Fatal(err)
	}
	_, svg, _ := checkBundle(t, c)
	option, err := c.Option()
	if err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string]string{"SVG": svg, "option": string(option)} {
		if strings.Contains(s, "<script") || strings.Contains(s, "</script") || strings.Contains(s, "<img") {
			t.Errorf("the %s holds the text as a tag", what)
		}
	}
}

// TestFunctions: JavaScript, which go-echarts smuggles into texts, is refused.
func TestFunctions(t *testing.T) {
	bar := charts.NewBar()
	bar.SetXAxis([]string{"a"}).AddSeries("s", []opts.BarData{{Value: 1}})
	bar.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Formatter: opts.FuncOpts("function () { return 1 }")}))
	if _, err := viz.FromECharts(bar, "a bar"); err == nil || !strings.Contains(err.Error(), "JavaScript") {
		t.Errorf("expected an error about JavaScript, got %v", err)
	}
}

func TestFromECharts(t *testing.T) {
	bar := charts.NewBar()
	bar.SetXAxis([]string{"a", "b"}).AddSeries("s", []opts.BarData{{Value: 1}, {Value: math.NaN()}})
	c, err := viz.FromECharts(bar, "two bars")
	if err != nil {
		t.Fatal(err)
	}
	option, _, text := checkBundle(t, c.Height(200))
	// What go-echarts makes of the same chart, where it can.
	bar2 := charts.NewBar()
	bar2.SetXAxis([]string{"a", "b"}).AddSeries("s", []opts.BarData{{Value: 1}, {Value: nil}})
	bar2.Validate()
	raw, err := json.Marshal(bar2.JSON())
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(option["xAxis"])
	if exp, _ := json.Marshal(want["xAxis"]); string(got) != string(exp) {
		t.Errorf("expected the axis %s, got %s", exp, got)
	}
	if text != "two bars" || c.String() != text {
		t.Errorf("expected the words, got %q", text)
	}
}

func TestImageGrid(t *testing.T) {
	small := image.NewGray(image.Rect(0, 0, 2, 2))
	small.SetGray(0, 0, color.Gray{255})
	wide := image.NewGray(image.Rect(0, 0, 4, 2))
	grid, err := viz.ImageGrid([]image.Image{small, wide, small}, viz.ImageGridConfig{
		Captions: []string{"one", "a caption that is far too long", "three"}, Wrong: []bool{false, true, false}, Columns: 2, Size: 40,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := grid.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(b[viz.MIMEPNG])
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got != image.Pt(2*48+8, 2*66+8) {
		t.Errorf("expected a picture of 104 × 140, got %v", got)
	}
	grey := func(x, y int) uint8 { return color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y }
	// The white pixel of the first image is a square of 20, with sharp edges.
	if grey(8, 8) != 255 || grey(27, 27) != 255 || grey(28, 8) != 0 || grey(8, 28) != 0 {
		t.Error("expected the first image's pixels as squares of 20")
	}
	if b[viz.MIMEPlain] != "3 images: one, a caption that is far too long, three" {
		t.Errorf("got the words %q", b[viz.MIMEPlain])
	}
	for name, f := range map[string]func() (*viz.Picture, error){
		"no images": func() (*viz.Picture, error) { return viz.ImageGrid(nil, viz.ImageGridConfig{}) },
		"too few captions": func() (*viz.Picture, error) {
			return viz.ImageGrid([]image.Image{small}, viz.ImageGridConfig{Captions: []string{}})
		},
		"too many marks": func() (*viz.Picture, error) {
			return viz.ImageGrid([]image.Image{small}, viz.ImageGridConfig{Wrong: []bool{true, true}})
		},
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
}

// TestECharts: the library that is carried is the one that was published.
func TestECharts(t *testing.T) {
	sum := sha256.Sum256([]byte(labextension.ECharts))
	if got := hex.EncodeToString(sum[:]); got != labextension.EChartsSHA256 {
		t.Errorf("echarts.min.js: expected SHA-256 %s, got %s", labextension.EChartsSHA256, got)
	}
}

func ExampleTrainingCurves() {
	h := &dl.History{Names: []string{"loss"}, Metrics: map[string][]float64{"loss": {0.5, 0.25}}}
	curves, err := viz.TrainingCurves(h)
	if err != nil {
		panic(err)
	}
	if err := viz.Show(curves); err != nil {
		panic(err)
	}
	// Output:
	// epoch          loss
	//     1        0.5000
	//     2        0.2500
}

func ExampleConfusionMatrix() {
	m, err := viz.ConfusionMatrix([]int{0, 0, 1}, []int{0, 1, 1}, []string{"cat", "dog"})
	if err != nil {
		panic(err)
	}
	fmt.Println(m)
	// Output:
	// confusion matrix; a row for each true class, a column for each predicted one
	//        cat   dog
	//  cat     1     1
	//  dog     0     1
}

func ExampleImageGrid() {
	grid, err := viz.ImageGrid([]image.Image{image.NewGray(image.Rect(0, 0, 28, 28))}, viz.ImageGridConfig{Captions: []string{"nothing"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(grid, grid.Image().Bounds().Size())
	// Output: 1 images: nothing (100,118)
}
