package viz

import (
	"fmt"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// ConfusionMatrix counts, for each true class, how often each class was
// predicted. Right predictions are on the diagonal, so what shines beside it is
// what the model mixes up. classes names the classes in order.
func ConfusionMatrix(labels, predicted []int, classes []string) (*Chart, error) {
	counts, err := confusion(labels, predicted, len(classes))
	if err != nil {
		return nil, fmt.Errorf("viz: %w", err)
	}
	most := 0
	var cells []opts.HeatMapData
	for actual, row := range counts {
		for guess, n := range row {
			cells = append(cells, opts.HeatMapData{Value: [3]any{guess, actual, n}})
			if actual != guess {
				most = max(most, n)
			}
		}
	}
	m := charts.NewHeatMap()
	m.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
		charts.WithXAxisOpts(opts.XAxis{Name: "predicted", NameLocation: "middle", NameGap: 28, Type: "category", Data: classes, Position: "bottom"}),
		charts.WithYAxisOpts(opts.YAxis{Name: "true", NameLocation: "middle", NameGap: 36, Type: "category", Data: classes, Inverse: opts.Bool(true)}),
		charts.WithGridOpts(opts.Grid{Left: "64", Right: "16", Top: "16", Bottom: "56"}),
		// The scale ends at the most frequent mistake: with the diagonal in it,
		// all mistakes of a good model would look the same.
		charts.WithVisualMapOpts(opts.VisualMap{
			Show: opts.Bool(false), Type: "continuous", Min: 0, Max: float32(max(most, 1)),
			InRange: &opts.VisualMapInRange{Color: []string{"#f1f5f9", "#fdba74", "#f97316"}},
		}),
	)
	m.SetXAxis(classes)
	m.AddSeries("examples", cells, charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Color: "#1e293b"}))
	c, err := fromECharts(m, confusionText(counts, classes))
	if err != nil {
		return nil, err
	}
	c.height, c.staticWidth, c.fixed = max(240, 80+36*len(classes)), max(320, 100+52*len(classes)), true
	explain(c, classes)
	return c, nil
}

// explain gives the diagonal a colour of its own, and each cell its words.
func explain(c *Chart, classes []string) {
	series := c.option["series"].([]any)[0].(map[string]any)
	for _, d := range series["data"].([]any) {
		cell := d.(map[string]any)
		v := cell["value"].([]any)
		guess, actual := classes[v[0].(int)], classes[v[1].(int)]
		cell["tooltip"] = map[string]any{"formatter": fmt.Sprintf("true %s, predicted %s: %d", actual, guess, v[2])}
		if v[0] == v[1] {
			cell["itemStyle"] = map[string]any{"color": "#bbf7d0"}
			cell["visualMap"] = false
		}
	}
}

func confusion(labels, predicted []int, classes int) ([][]int, error) {
	if len(labels) != len(predicted) {
		return nil, fmt.Errorf("expected as many predictions as labels, got %d and %d", len(predicted), len(labels))
	}
	if classes == 0 {
		return nil, fmt.Errorf("expected at least one class, got none")
	}
	counts := make([][]int, classes)
	for i := range counts {
		counts[i] = make([]int, classes)
	}
	for i, l := range labels {
		p := predicted[i]
		if l < 0 || l >= classes || p < 0 || p >= classes {
			return nil, fmt.Errorf("expected classes from 0 to %d, got label %d and prediction %d at %d", classes-1, l, p, i)
		}
		counts[l][p]++
	}
	return counts, nil
}

func confusionText(counts [][]int, classes []string) string {
	width := 4
	for _, row := range counts {
		for _, n := range row {
			width = max(width, len(fmt.Sprint(n)))
		}
	}
	for _, name := range classes {
		width = max(width, len(name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%*s", width, "")
	for _, name := range classes {
		fmt.Fprintf(&b, "  %*s", width, name)
	}
	for i, row := range counts {
		fmt.Fprintf(&b, "\n%*s", width, classes[i])
		for _, n := range row {
			fmt.Fprintf(&b, "  %*d", width, n)
		}
	}
	return "confusion matrix; a row for each true class, a column for each predicted one\n" + b.String()
}
