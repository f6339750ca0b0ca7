package viz

import "maps"

// The parts from which charts are put together, in echarts' own words
// (https://echarts.apache.org/en/option.html). go-echarts has types for many of
// them, but neither for several panels nor for what differs from item to item.

// The colours of training and validation, and of a model's mistakes.
const (
	trainColor      = "#2563eb"
	validationColor = "#f06a02"
	thirdColor      = "#167238"
	wrongColor      = "#ef4444"
	softColor       = "#7b8794"
)

// The ramps of heat maps: of amounts from nothing to much, and of signed values
// around zero (a diverging ramp, white in its middle).
var (
	amountRamp = array{"#f8fafc", "#c7d2fe", "#818cf8", "#4f46e5", "#312e81"}
	signedRamp = array{"#b91c1c", "#f87171", "#f8fafc", "#60a5fa", "#1d4ed8"}
)

// palette is echarts' series colours in chart.js. All have a contrast of 3 at least with white
// and with JupyterLab's dark page, and no two are alike to the colour-blind; TestPalette says
// how far. Where there are more series than a few, marks or dashes tell them apart as well.
var palette = []string{"#2563eb", "#f06a02", "#167238", "#c92006", "#8b4a84", "#3d95fa", "#c70cbd", "#ad86a5", "#789d61", "#817673"}

// dash is how the line of a series is drawn, if there are so many: the first four by colour
// alone.
func dash(i, of int) object {
	if of <= 4 {
		return object{"width": 2}
	}
	return object{"width": 2, "type": []string{"solid", "dashed", "dotted"}[i%3]}
}

// mark is the shape of a series' points, if there are so many.
func mark(i, of int) string {
	if of <= 4 {
		return "circle"
	}
	return []string{"circle", "triangle", "rect", "diamond"}[i%4]
}

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
