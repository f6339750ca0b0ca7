package viz

import "maps"

// The parts from which charts are put together, in echarts' own words
// (https://echarts.apache.org/en/option.html). go-echarts has types for many of
// them, but neither for several panels nor for what differs from item to item.

// The colours of training and validation, and of a model's mistakes.
const (
	trainColor      = "#3b82f6"
	validationColor = "#f59e0b"
	thirdColor      = "#10b981"
	wrongColor      = "#ef4444"
	softColor       = "#94a3b8"
)

// The ramps of heat maps: of amounts from nothing to much, and of signed values
// around zero (a diverging ramp, white in its middle).
var (
	amountRamp = array{"#f8fafc", "#c7d2fe", "#818cf8", "#4f46e5", "#312e81"}
	signedRamp = array{"#b91c1c", "#f87171", "#f8fafc", "#60a5fa", "#1d4ed8"}
)

// palette is echarts' series colours in chart.js.
var palette = []string{"#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#06b6d4", "#ec4899", "#84cc16", "#f97316", "#64748b"}

// panelled is an option of panels with titles.
func panelled(titles []string) object {
	grids, heads := make(array, len(titles)), make(array, len(titles))
	for i, t := range titles {
		grids[i], heads[i] = object{}, object{"text": visible(t)}
	}
	return object{"grid": grids, "title": heads, "xAxis": array{}, "yAxis": array{}, "series": array{}}
}

// add appends to a list of an option.
func (o optionOf) add(key string, parts ...object) {
	l, _ := o[key].(array)
	for _, p := range parts {
		l = append(l, p)
	}
	o[key] = l
}

// optionOf is an object with the methods by which it grows.
type optionOf object

// axis is a numeric axis of a panel; more holds what differs from that.
func axis(name string, panel int, more object) object {
	a := object{"type": "value", "gridIndex": panel}
	if name != "" {
		a["name"], a["nameLocation"], a["nameGap"] = visible(name), "middle", 24
	}
	maps.Copy(a, more)
	return a
}

// categories is an axis of names.
func categories(name string, names []string, panel int, more object) object {
	labels := make(array, len(names))
	for i, n := range names {
		labels[i] = visible(n)
	}
	a := axis(name, panel, object{"type": "category", "data": labels})
	maps.Copy(a, more)
	return a
}

// line is a curve through points; a long one is thinned to most points.
func line(name string, x, y []float64, panel, most int, more object) object {
	var data array
	roundX, roundY := rounding(x), rounding(y)
	for _, i := range extremes(y, most) {
		data = append(data, array{roundX(x[i]), roundY(y[i])})
	}
	s := object{
		"type": "line", "name": visible(name), "xAxisIndex": panel, "yAxisIndex": panel, "data": data,
		"showSymbol": len(y) <= 40, "symbol": "circle", "lineStyle": object{"width": 2},
	}
	maps.Copy(s, more)
	return s
}

func tooltip(trigger string) object { return object{"show": true, "trigger": trigger} }

// counted is 1, 2, …, n.
func counted(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i + 1)
	}
	return x
}
