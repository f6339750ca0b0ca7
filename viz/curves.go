package viz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/gradbook/gradbook/dl"
)

// The colours of lines: of the training, and of the validation.
const (
	trainColor      = "#3b82f6"
	validationColor = "#f59e0b"
)

// TrainingCurves draws how the loss and the metrics of a Fit went, a panel for
// each, with the validation's beside the training's.
func TrainingCurves(h *dl.History) (*Chart, error) {
	if h == nil || h.Epochs() == 0 {
		return nil, fmt.Errorf("viz: expected a history of at least one epoch, got none")
	}
	names := panels(h)
	epochs := make([]int, h.Epochs())
	for i := range epochs {
		epochs[i] = i + 1
	}
	line := charts.NewLine()
	line.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "0"}),
	)
	line.SetXAxis(epochs)
	for i, name := range names {
		addPanel(line, h, name, i, len(names), epochs)
	}
	c, err := fromECharts(line, h.String())
	if err != nil {
		return nil, err
	}
	c.option["media"] = stacked(len(names))
	return c, nil
}

// panels lists what gets a panel: the loss, then the metrics.
func panels(h *dl.History) []string {
	names := []string{"loss"}
	for _, n := range h.Names {
		if n != "loss" && !strings.HasPrefix(n, "val_") {
			names = append(names, n)
		}
	}
	return names
}

// addPanel draws one measure in the i-th of n panels, side by side.
func addPanel(line *charts.Line, h *dl.History, name string, i, n int, epochs []int) {
	x := opts.XAxis{Name: "epoch", NameLocation: "middle", NameGap: 28, GridIndex: i, Type: "category", Data: epochs}
	y := opts.YAxis{Name: name, GridIndex: i, Type: "value", Scale: opts.Bool(name != "loss")}
	if i == 0 {
		line.SetGlobalOptions(charts.WithXAxisOpts(x), charts.WithYAxisOpts(y))
	} else {
		line.ExtendXAxis(x)
		line.ExtendYAxis(y)
	}
	line.SetGlobalOptions(charts.WithGridOpts(opts.Grid{
		Left: percent(i, n, 7), Right: percent(n-1-i, n, 3), Top: "64", Bottom: "48",
	}))
	for _, s := range []struct{ name, color string }{{name, trainColor}, {"val_" + name, validationColor}} {
		if !slices.Contains(h.Names, s.name) {
			continue
		}
		var points []opts.LineData
		for _, v := range h.Metrics[s.name] {
			points = append(points, opts.LineData{Value: v})
		}
		line.AddSeries(s.name, points,
			charts.WithLineChartOpts(opts.LineChart{XAxisIndex: i, YAxisIndex: i, ShowSymbol: opts.Bool(true), Symbol: "circle", SymbolSize: 6}),
			charts.WithLineStyleOpts(opts.LineStyle{Width: 2, Type: map[bool]string{true: "solid", false: "dashed"}[s.name == name]}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: s.color}),
		)
	}
}

// percent is the margin beside the i-th of n panels.
func percent(i, n, gap int) string {
	return fmt.Sprintf("%d%%", 100*i/n+gap)
}

// stacked puts the panels one below the other where the cell is narrow.
func stacked(n int) []any {
	var grids []any
	for i := range n {
		grids = append(grids, map[string]any{
			"left": "16%", "right": "5%",
			"top": fmt.Sprintf("%d%%", 18+80*i/n), "height": fmt.Sprintf("%d%%", 80/n-20),
		})
	}
	return []any{map[string]any{"query": map[string]any{"maxWidth": 480}, "option": map[string]any{"grid": grids}}}
}
