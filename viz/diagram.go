package viz

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/gradbook/gradbook/dl"
)

// The distance of two layers, and the size of a box, in pixels.
const (
	diagramStep   = 68
	diagramWidth  = 280
	diagramHeight = 40
)

// ModelDiagram draws a model's layers as boxes, from the inputs down, and what each takes
// its input from as arrows. A model that is a layer is one box.
//
//	d, err := model.Diagram()
//	chart, err := viz.ModelDiagram(d)
func ModelDiagram(d *dl.Diagram) (*Chart, error) {
	if d == nil || len(d.Nodes) == 0 {
		return nil, errors.New("viz: expected a diagram with at least one layer, got none")
	}
	perDepth, widest, deepest := make(map[int]int), 1, 0
	for _, n := range d.Nodes {
		perDepth[n.Depth]++
		widest, deepest = max(widest, perDepth[n.Depth]), max(deepest, n.Depth)
	}
	placed := make(map[int]int)
	var nodes []opts.GraphNode
	for _, n := range d.Nodes {
		left := float64(widest-perDepth[n.Depth])/2 + float64(placed[n.Depth])
		placed[n.Depth]++
		nodes = append(nodes, opts.GraphNode{
			Name: boxText(n), Value: float32(left), // and the depth, below
			// The box is the label's. Arrows end where the symbol does, which is
			// round for them, so it is invisible and as high as the box.
			Symbol: "circle", SymbolSize: diagramHeight, ItemStyle: &opts.ItemStyle{Color: "transparent"},
		})
	}
	var links []opts.GraphLink
	for _, e := range d.Edges {
		links = append(links, opts.GraphLink{Source: boxText(d.Nodes[e.From]), Target: boxText(d.Nodes[e.To])})
	}
	g := charts.NewGraph()
	g.SetGlobalOptions(charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}))
	g.AddSeries(d.Name, nodes, links,
		charts.WithGraphChartOpts(opts.GraphChart{Layout: "none", EdgeSymbol: []string{"none", "arrow"}}),
		charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Position: "inside", Color: "#0c4a6e"}),
		charts.WithLineStyleOpts(opts.LineStyle{Color: "#64748b", Width: 1.5}),
	)
	c, err := FromECharts(g, diagramText(d, ""))
	if err != nil {
		return nil, err
	}
	place(c, d, widest, deepest)
	c.height, c.staticWidth, c.fixed = max(240, (deepest+1)*diagramStep+60), widest*(diagramWidth+40)+120, true
	return c, nil
}

// place puts the boxes into a plane of columns and depths, which go-echarts has no options
// for, and bends the arrows that pass a box by.
func place(c *Chart, d *dl.Diagram, widest, deepest int) {
	series := c.option["series"].([]any)[0].(map[string]any)
	series["coordinateSystem"] = "cartesian2d"
	label := series["label"].(map[string]any)
	for key, v := range map[string]any{
		"backgroundColor": "#e0f2fe", "borderColor": "#0284c7", "borderWidth": 1, "borderRadius": 6,
		"width": diagramWidth - 16, "height": diagramHeight - 12, "padding": []any{6, 8}, "align": "center", "overflow": "truncate", "lineHeight": 14,
	} {
		label[key] = v
	}
	for i, node := range series["data"].([]any) {
		box := node.(map[string]any)
		left, _ := box["value"].(float32)
		box["value"] = []any{left, d.Nodes[i].Depth}
	}
	for i, link := range series["links"].([]any) {
		if e := d.Edges[i]; d.Nodes[e.To].Depth-d.Nodes[e.From].Depth > 1 {
			steps := d.Nodes[e.To].Depth - d.Nodes[e.From].Depth
			bend := 1.1 * diagramWidth / float64(steps*diagramStep)
			link.(map[string]any)["lineStyle"] = map[string]any{"curveness": -bend}
		}
	}
	axis := func(most int, inverse bool) map[string]any {
		return map[string]any{"type": "value", "show": false, "min": -0.7, "max": float64(most) + 0.7, "inverse": inverse}
	}
	c.option["xAxis"], c.option["yAxis"] = axis(widest-1, false), axis(deepest, true)
	c.option["grid"] = map[string]any{"left": 8, "right": 8, "top": 8, "bottom": 8}
}

func boxText(n dl.DiagramNode) string {
	text := fmt.Sprintf("%s · %s\n%s", n.Layer, n.Type, n.OutputShape)
	if n.Params > 0 {
		text += fmt.Sprintf(" · %d", n.Params)
	}
	return text
}

// diagramText is the diagram in words.
func diagramText(d *dl.Diagram, indent string) string {
	var lines []string
	for i, n := range d.Nodes {
		line := fmt.Sprintf("%s%s (%s) %s", indent, n.Layer, n.Type, n.OutputShape)
		var from []string
		for _, e := range d.Edges {
			if e.To == i {
				from = append(from, d.Nodes[e.From].Layer)
			}
		}
		if from != nil {
			line += " ← " + strings.Join(from, ", ")
		}
		lines = append(lines, line)
		if n.Model != nil {
			lines = append(lines, diagramText(n.Model, indent+"  "))
		}
	}
	return strings.Join(lines, "\n")
}
