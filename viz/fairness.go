package viz

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/gradbook/gradbook/dl/fairness"
)

// Fairness draws a report on groups: for each metric the rates of all groups with their
// intervals, and how far they are apart. As the last value of a cell a report is a table.
func Fairness(r *fairness.Report) (*Chart, error) {
	if r == nil || len(r.Groups) == 0 {
		return nil, fmt.Errorf("viz: fairness: expected a report on groups, got none")
	}
	var names, titles []string
	longest := 0
	for _, g := range r.Groups {
		names = append(names, g.Name)
		longest = max(longest, min(len([]rune(g.Name)), 16))
	}
	metrics := fairnessMetrics(r)
	for _, m := range metrics {
		titles = append(titles, m.title(r, "%s: %.0f points (%.0f to %.0f)"))
	}
	option := optionOf(panelled(titles))
	option["tooltip"] = tooltip("item")
	for panel, m := range metrics {
		option.add("xAxis", axis(say(m.of), panel, object{"min": 0, "max": 1}))
		option.add("yAxis", categories("", names, panel, object{"inverse": true, "axisTick": object{"show": false}, "axisLabel": object{"width": 110, "overflow": "truncate", "interval": 0}}))
		var points array
		for i, g := range r.Groups {
			rate := m.rate(g)
			if rate.N == 0 {
				continue
			}
			words := fmt.Sprintf("%s\n%v\n%.1f %% – %.1f %%", g.Name, rate, 100*rate.Low, 100*rate.High)
			points = append(points, object{"value": array{rounded(rate.Value()), i}, "words": visible(words), "itemStyle": object{"color": palette[i%len(palette)]}})
			option.add("series", object{
				"type": "line", "xAxisIndex": panel, "yAxisIndex": panel, "color": palette[i%len(palette)], "silent": true,
				"data": array{array{rounded(rate.Low), i}, array{rounded(rate.High), i}}, "showSymbol": false, "lineStyle": object{"width": 8, "opacity": 0.5},
			})
		}
		option.add("series", object{
			"type": "scatter", "xAxisIndex": panel, "yAxisIndex": panel, "data": points, "symbolSize": 12,
			"itemStyle": object{"borderColor": "#ffffff", "borderWidth": 1},
		})
	}
	c, err := newChart(object(option), r.String())
	if err != nil {
		return nil, err
	}
	c.panels = &panels{Columns: 2, Height: 30*len(names) + 20, Least: 300, Left: 24 + 7*longest, Right: 24, Above: 8, Bottom: 44}
	return c, nil
}

// fairnessMetric is one of a report's, and what it is a rate of.
type fairnessMetric struct {
	name, of string
	rate     func(g fairness.Group) fairness.Rate
	d        fairness.Difference
}

func fairnessMetrics(r *fairness.Report) []fairnessMetric {
	return []fairnessMetric{
		{"demographic parity", "selected, of all", func(g fairness.Group) fairness.Rate { return g.Selection }, r.DemographicParity},
		{"equal opportunity", "selected, of those whose label is 1", func(g fairness.Group) fairness.Rate { return g.TruePositive }, r.EqualOpportunity},
		{"false positives", "selected, of those whose label is 0", func(g fairness.Group) fairness.Rate { return g.FalsePositive }, r.FalsePositives},
		{"predictive parity", "label 1, of those selected", func(g fairness.Group) fairness.Rate { return g.Precision }, r.PredictiveParity},
		{"accuracy", "decided rightly, of all", func(g fairness.Group) fairness.Rate { return g.Accuracy }, r.Accuracy},
	}
}

// title is a metric with its difference, and that one's interval.
func (m fairnessMetric) title(r *fairness.Report, format string) string {
	if r.Missing[m.name] != nil {
		return say(m.name) + ": " + say("a group has no cases")
	}
	return say(format, say(m.name), 100*m.d.Value(), 100*m.d.Low, 100*m.d.High)
}

// fairnessView is a report as a table.
type fairnessView struct{ r *fairness.Report }

var fairnessTemplate = template.Must(template.New("fairness").Parse(
	`<div><table><tr>{{range .Head}}<th>{{.}}</th>{{end}}</tr>{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>{{end}}</table>` +
		`<ul>{{range .Differences}}<li>{{.}}</li>{{end}}</ul><p>{{.Together}}</p></div>`))

// Bundle implements Viewable.
func (v fairnessView) Bundle() (Bundle, error) {
	page := struct {
		Head        []string
		Rows        [][]string
		Differences []string
		Together    string
	}{Head: []string{say("group"), say("cases"), say("label 1")}, Together: v.r.Together()}
	metrics := fairnessMetrics(v.r)
	for _, m := range metrics {
		page.Head = append(page.Head, say(m.of))
		words := m.title(v.r, "%s: %.1f points (%.1f to %.1f)")
		if v.r.Missing[m.name] == nil && m.d.Chance() {
			words += say(", maybe chance")
		}
		page.Differences = append(page.Differences, words)
	}
	for _, g := range v.r.Groups {
		row := []string{g.Name, fmt.Sprint(g.Cases), g.Base.String()}
		for _, m := range metrics {
			row = append(row, m.rate(g).String())
		}
		page.Rows = append(page.Rows, row)
	}
	var b strings.Builder
	if err := fairnessTemplate.Execute(&b, page); err != nil {
		return nil, err
	}
	return Bundle{MIMEHTML: b.String(), MIMEPlain: v.r.String()}, nil
}
