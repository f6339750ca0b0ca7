package viz_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/viz"
)

// drawn says whether an SVG shows more than axes: paths or shapes with a colour of
// the series.
func drawn(svg string) bool {
	n := 0
	for _, mark := range []string{"<path", "<circle", "<polyline", "<polygon", "<rect", "<image", "<ellipse", "<line"} {
		n += strings.Count(svg, mark)
	}
	return n > 2
}

// TestEveryKind: all that go-echarts has either is drawn or says why not.
func TestEveryKind(t *testing.T) {
	type kind interface {
		Validate()
		JSON() map[string]any
	}
	x := []string{"a", "b", "c"}
	bar := charts.NewBar()
	bar.SetXAxis(x).AddSeries("s", []opts.BarData{{Value: 1}, {Value: 2}, {Value: 3}})
	line := charts.NewLine()
	line.SetXAxis(x).AddSeries("s", []opts.LineData{{Value: 1}, {Value: 2}, {Value: 3}})
	scatter := charts.NewScatter()
	scatter.SetXAxis(x).AddSeries("s", []opts.ScatterData{{Value: 1}, {Value: 2}})
	effect := charts.NewEffectScatter()
	effect.SetXAxis(x).AddSeries("s", []opts.EffectScatterData{{Value: 1}, {Value: 2}})
	box := charts.NewBoxPlot()
	box.SetXAxis(x).AddSeries("s", []opts.BoxPlotData{{Value: []int{1, 2, 3, 4, 5}}})
	kline := charts.NewKLine()
	kline.SetXAxis(x).AddSeries("s", []opts.KlineData{{Value: [4]float64{1, 2, 0, 3}}, {Value: [4]float64{2, 1, 0, 3}}})
	heat := charts.NewHeatMap()
	heat.SetGlobalOptions(charts.WithVisualMapOpts(opts.VisualMap{Max: 3}), charts.WithXAxisOpts(opts.XAxis{Type: "category"}), charts.WithYAxisOpts(opts.YAxis{Type: "category", Data: x}))
	heat.SetXAxis(x).AddSeries("s", []opts.HeatMapData{{Value: [3]any{0, 0, 1}}, {Value: [3]any{1, 1, 2}}})
	pie := charts.NewPie()
	pie.AddSeries("s", []opts.PieData{{Name: "a", Value: 1}, {Name: "b", Value: 2}})
	funnel := charts.NewFunnel()
	funnel.AddSeries("s", []opts.FunnelData{{Name: "a", Value: 1}, {Name: "b", Value: 2}})
	gauge := charts.NewGauge()
	gauge.AddSeries("s", []opts.GaugeData{{Name: "a", Value: 40}})
	graph := charts.NewGraph()
	graph.AddSeries("s", []opts.GraphNode{{Name: "a"}, {Name: "b"}}, []opts.GraphLink{{Source: "a", Target: "b"}}, charts.WithGraphChartOpts(opts.GraphChart{Layout: "circular"}))
	sankey := charts.NewSankey()
	sankey.AddSeries("s", []opts.SankeyNode{{Name: "a"}, {Name: "b"}}, []opts.SankeyLink{{Source: "a", Target: "b", Value: 3}})
	radar := charts.NewRadar()
	radar.SetGlobalOptions(charts.WithRadarComponentOpts(opts.RadarComponent{Indicator: []*opts.Indicator{{Name: "a", Max: 3}, {Name: "b", Max: 3}, {Name: "c", Max: 3}}}))
	radar.AddSeries("s", []opts.RadarData{{Value: []int{1, 2, 3}}})
	parallel := charts.NewParallel()
	parallel.SetGlobalOptions(charts.WithParallelAxisList([]opts.ParallelAxis{{Dim: 0, Name: "a"}, {Dim: 1, Name: "b"}}))
	parallel.AddSeries("s", []opts.ParallelData{{Value: []int{1, 2}}, {Value: []int{2, 1}}})
	tree := charts.NewTree()
	tree.AddSeries("s", []opts.TreeData{{Name: "a", Children: []*opts.TreeData{{Name: "b"}, {Name: "c"}}}})
	treeMap := charts.NewTreeMap()
	treeMap.AddSeries("s", []opts.TreeMapNode{{Name: "a", Value: 3}, {Name: "b", Value: 2}})
	sunburst := charts.NewSunburst()
	sunburst.AddSeries("s", []opts.SunBurstData{{Name: "a", Value: 3, Children: []*opts.SunBurstData{{Name: "b", Value: 1}}}})
	river := charts.NewThemeRiver()
	river.SetGlobalOptions(charts.WithSingleAxisOpts(opts.SingleAxis{Type: "time", Bottom: "10%"}))
	river.AddSeries("s", []opts.ThemeRiverData{{Date: "2026/01/01", Value: 1, Name: "a"}, {Date: "2026/01/02", Value: 2, Name: "a"}})
	surface := charts.NewSurface3D()
	var points []opts.Chart3DData
	for i := range 5 {
		for j := range 5 {
			points = append(points, opts.Chart3DData{Value: []any{i, j, i * j}})
		}
	}
	surface.AddSeries("s", points)
	scatter3 := charts.NewScatter3D()
	scatter3.AddSeries("s", points)
	line3 := charts.NewLine3D()
	line3.AddSeries("s", points)
	bar3 := charts.NewBar3D()
	bar3.AddSeries("s", points)
	cloud := charts.NewWordCloud()
	cloud.AddSeries("s", []opts.WordCloudData{{Name: "a", Value: 1}})
	liquid := charts.NewLiquid()
	liquid.AddSeries("s", []opts.LiquidData{{Value: 0.5}})
	geo := charts.NewGeo()
	geo.AddSeries("s", "scatter", []opts.GeoData{{Name: "a", Value: []float64{1, 2, 3}}})
	country := charts.NewMap()
	country.RegisterMapType("china")
	country.AddSeries("s", []opts.MapData{{Name: "a", Value: 1}})
	for name, c := range map[string]kind{
		"bar": bar, "line": line, "scatter": scatter, "effectScatter": effect, "boxplot": box, "kline": kline, "heatmap": heat, "pie": pie, "funnel": funnel,
		"gauge": gauge, "graph": graph, "sankey": sankey, "radar": radar, "parallel": parallel, "tree": tree, "treemap": treeMap, "sunburst": sunburst, "themeRiver": river,
		"surface3D": surface, "scatter3D": scatter3, "line3D": line3, "bar3D": bar3,
	} {
		t.Run(name, func(t *testing.T) {
			v, err := viz.FromECharts(c, name)
			if err != nil {
				t.Fatal(err)
			}
			if _, svg, _ := checkBundle(t, v); !drawn(svg) {
				t.Errorf("expected a picture, got %s", svg)
			}
		})
	}
	for name, c := range map[string]kind{"wordCloud": cloud, "liquidFill": liquid, "geo": geo, "map": country} {
		if _, err := viz.FromECharts(c, name); err == nil || !strings.Contains(err.Error(), "expected a chart that echarts draws by itself") {
			t.Errorf("%s: expected an error that says that it cannot be drawn, got %v", name, err)
		}
	}
}

// TestNumbers: what is no number, or too many, or in the wrong place, is drawn in
// a way that can be read or is a clear error; never a blank.
func TestNumbers(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	walk := make([]float64, 1_000_000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := 1; i < len(walk); i++ {
		walk[i] = walk[i-1] + r.NormFloat64()
	}
	spiked := append([]float64{}, walk...)
	spiked[777_777] = 1e6
	lines := func(c viz.LinesConfig, y ...float64) func() (*viz.Chart, error) {
		return func() (*viz.Chart, error) { return viz.Lines(c, viz.Series{Name: "s", Y: y}) }
	}
	heat := func(v [][]float64) func() (*viz.Chart, error) {
		return func() (*viz.Chart, error) { return viz.Heatmap(tensors.FromValue(v), viz.HeatmapConfig{}) }
	}
	for name, c := range map[string]struct {
		make func() (*viz.Chart, error)
		err  string // "" means a picture
	}{
		"NaN among numbers":    {lines(viz.LinesConfig{}, 1, nan, 3, inf, 2), ""},
		"only NaN":             {lines(viz.LinesConfig{}, nan, nan), "at least one finite value"},
		"empty":                {lines(viz.LinesConfig{}), "at least one finite value"},
		"no series":            {func() (*viz.Chart, error) { return viz.Lines(viz.LinesConfig{}) }, "at least one series"},
		"one point":            {lines(viz.LinesConfig{}, 5), ""},
		"one value many times": {lines(viz.LinesConfig{}, 5, 5, 5), ""},
		"negative on log":      {lines(viz.LinesConfig{LogY: true}, -1, 0, 10, 100), ""},
		"only negative on log": {lines(viz.LinesConfig{LogY: true}, -1, -2, 0), "expected positive values on a logarithmic axis"},
		"every second is NaN": {func() (*viz.Chart, error) {
			y := make([]float64, 10_000)
			for i := range y {
				if y[i] = float64(i); i%2 == 1 {
					y[i] = nan
				}
			}
			return viz.Lines(viz.LinesConfig{}, viz.Series{Name: "s", Y: y})
		}, ""},
		"a flat landscape high up": {func() (*viz.Chart, error) {
			return viz.Landscape{Loss: func(_, _ float64) float64 { return 1e20 }}.Contour()
		}, ""},
		"a heat map of huge values": {heat([][]float64{{1.5e308, -1.5e308}}), ""},
		"a scale upside down": {func() (*viz.Chart, error) {
			return viz.Heatmap(tensors.FromValue([][]float64{{1}}), viz.HeatmapConfig{Min: 3, Max: 1})
		}, "greater Max"},
		"huge and tiny":    {lines(viz.LinesConfig{}, 1e300, 1e-300, -1e300), ""},
		"a million points": {lines(viz.LinesConfig{}, spiked...), ""},
		"x of another length": {func() (*viz.Chart, error) {
			return viz.Lines(viz.LinesConfig{}, viz.Series{X: []float64{1}, Y: []float64{1, 2}})
		}, "as many x as y"},
		"heat map with NaN":     {heat([][]float64{{1, nan}, {inf, 2}}), ""},
		"heat map of NaN":       {heat([][]float64{{nan}}), "at least one finite value"},
		"heat map of one value": {heat([][]float64{{7}}), ""},
		"heat map of zeros":     {heat([][]float64{{0, 0}, {0, 0}}), ""},
		"a large heat map": {func() (*viz.Chart, error) {
			return viz.Heatmap(tensors.FromFlatDataAndDimensions(walk[:250_000], 500, 500), viz.HeatmapConfig{})
		}, ""},
		"heat map of rank 1": {func() (*viz.Chart, error) { return viz.Heatmap(tensors.FromValue([]float32{1}), viz.HeatmapConfig{}) }, "[rows, columns]"},
		"heat map of nil":    {func() (*viz.Chart, error) { return viz.Heatmap(nil, viz.HeatmapConfig{}) }, "nil"},
		"200 classes": {func() (*viz.Chart, error) {
			var labels, predicted []int
			names := make([]string, 200)
			for i := range 20000 {
				labels, predicted = append(labels, i%200), append(predicted, (i%200+r.IntN(3))%200)
			}
			for i := range names {
				names[i] = fmt.Sprintf("class %d", i)
			}
			return viz.ConfusionMatrix(labels, predicted, names)
		}, ""},
		"no labels": {func() (*viz.Chart, error) { return viz.ConfusionMatrix(nil, nil, []string{"a"}) }, "at least one label"},
		"history of NaN": {func() (*viz.Chart, error) {
			return viz.TrainingCurves(&dl.History{Names: []string{"loss"}, Metrics: map[string][]float64{"loss": {nan}}})
		}, "at least one finite value"},
		"one class in a ROC": {func() (*viz.Chart, error) { return viz.ROC([]int{1, 1}, []float64{0.1, 0.2}) }, "both classes"},
		"NaN in a ROC":       {func() (*viz.Chart, error) { return viz.ROC([]int{0, 1}, []float64{nan, 0.2}) }, "NaN"},
		"a landscape of NaN": {func() (*viz.Chart, error) {
			return viz.Landscape{Loss: func(_, _ float64) float64 { return nan }}.Contour()
		}, "at least one finite loss"},
		"a flat landscape": {func() (*viz.Chart, error) {
			return viz.Landscape{Loss: func(_, _ float64) float64 { return 3 }}.Contour()
		}, ""},
		"a landscape with holes": {func() (*viz.Chart, error) {
			return viz.Landscape{Loss: func(x, y float64) float64 { return math.Log(x) + y }}.Surface()
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			v, err := c.make()
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("expected an error with %q, got %v", c.err, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, svg, _ := checkBundle(t, v)
			t.Logf("%s, SVG %d kB", time.Since(start).Round(time.Millisecond), len(svg)>>10)
			if !drawn(svg) {
				t.Errorf("expected a picture, got %s", svg)
			}
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Infinity") {
				t.Error("expected no place that is no number")
			}
		})
	}
}

// TestThinning: of a million points of go-echarts' charts too, a few thousand are
// kept, among them the highest and the lowest.
func TestThinning(t *testing.T) {
	const n = 1_000_000
	items, names := make([]opts.LineData, n), make([]int, n)
	for i := range items {
		items[i].Value, names[i] = math.Sin(float64(i)/50000), i
	}
	items[654_321].Value, items[123_456].Value = 9.5, -9.5
	line := charts.NewLine()
	line.SetXAxis(names).AddSeries("s", items)
	dots := make([]opts.ScatterData, n)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range dots {
		dots[i].Value = []float64{r.NormFloat64(), r.NormFloat64()}
	}
	scatter := charts.NewScatter()
	scatter.AddSeries("s", dots)
	start := time.Now()
	c, err := viz.FromECharts(line, "a long line")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a line: %s", time.Since(start))
	option, _, _ := checkBundle(t, c)
	data := option["series"].([]any)[0].(map[string]any)["data"].([]any)
	axis := option["xAxis"].([]any)[0].(map[string]any)["data"].([]any)
	if len(data) > 5000 || len(data) != len(axis) {
		t.Errorf("expected at most 5000 points with a category each, got %d and %d", len(data), len(axis))
	}
	found := map[float64]int{}
	for i, d := range data {
		if v := d.(map[string]any)["value"].(float64); math.Abs(v) == 9.5 {
			found[v] = i
		}
	}
	if len(found) != 2 || math.Abs(float64(found[9.5])/float64(len(data))-0.654) > 0.01 || math.Abs(float64(found[-9.5])/float64(len(data))-0.123) > 0.01 {
		t.Errorf("expected the highest and the lowest point in their places, got %v of %d", found, len(data))
	}
	start = time.Now()
	if c, err = viz.FromECharts(scatter, "many points"); err != nil {
		t.Fatal(err)
	}
	t.Logf("points: %s", time.Since(start))
	option, _, _ = checkBundle(t, c)
	if got := len(option["series"].([]any)[0].(map[string]any)["data"].([]any)); got < 500 || got > 5000 {
		t.Errorf("expected some thousand points, got %d", got)
	}
}

// TestApart: values that differ little beside their size stay apart, and series of
// different lengths stay over their categories.
func TestApart(t *testing.T) {
	c, err := viz.Lines(viz.LinesConfig{}, viz.Series{Y: []float64{1000001, 1000002, 1000003, 1000049}})
	if err != nil {
		t.Fatal(err)
	}
	option, _, _ := checkBundle(t, c)
	data := option["series"].([]any)[0].(map[string]any)["data"].([]any)
	if first, second := data[0].([]any)[1].(float64), data[1].([]any)[1].(float64); first != 1000001 || second != 1000002 {
		t.Errorf("expected the values as they are, got %v", data)
	}
	names, long, short := make([]int, 10_000), make([]opts.LineData, 10_000), make([]opts.LineData, 3000)
	for i := range names {
		names[i], long[i].Value = i, i
		if i < len(short) {
			short[i].Value = i
		}
	}
	line := charts.NewLine()
	line.SetXAxis(names).AddSeries("long", long).AddSeries("short", short)
	if c, err = viz.FromECharts(line, "two lines"); err != nil {
		t.Fatal(err)
	}
	option, _, _ = checkBundle(t, c)
	axis := option["xAxis"].([]any)[0].(map[string]any)["data"].([]any)
	for k, s := range option["series"].([]any) {
		for i, d := range s.(map[string]any)["data"].([]any) {
			if v := d.(map[string]any)["value"].(float64); math.Abs(v-axis[i].(float64)) > 10 {
				t.Fatalf("series %d: expected the value of category %v, got %v", k, axis[i], v)
			}
		}
	}
	titled := c.Titled("first").Titled("second")
	if got := titled.String(); got != "second\ntwo lines" {
		t.Errorf("expected the second title only, got %q", got)
	}
}
