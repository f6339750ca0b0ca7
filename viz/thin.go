package viz

import (
	"math"
	"reflect"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// maxPoints is how many points of a series are drawn: twice as many as a wide
// chart has pixels. Of more, those are kept that make the shape.
const maxPoints = 4000

// extremes picks at most about n points of a curve: the ends, and of each of n/2
// stretches of equal length the lowest and the highest, in order. So no peak is
// lost, and what is drawn covers the same pixels. A stretch without a number is a
// gap.
//
// Source: Jugel et al., M4: A Visualization-Oriented Time Series Data
// Aggregation, 2014.
func extremes(y []float64, n int) []int {
	if len(y) <= n {
		all := make([]int, len(y))
		for i := range all {
			all[i] = i
		}
		return all
	}
	bins := max(n/2, 1)
	kept := make([]int, 0, 2*bins+2)
	keep := func(i int) {
		if len(kept) == 0 || kept[len(kept)-1] != i {
			kept = append(kept, i)
		}
	}
	keep(0)
	for b := range bins {
		low, high := ends(y, b*len(y)/bins, (b+1)*len(y)/bins)
		keep(max(min(low, high), kept[len(kept)-1]))
		keep(max(low, high))
	}
	keep(len(y) - 1)
	return kept
}

// ends are the places of the lowest and the highest number of a stretch; the first
// place, if there is none.
func ends(y []float64, first, end int) (low, high int) {
	low, high = -1, -1
	for i := first; i < end; i++ {
		if v := y[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			if low < 0 || v < y[low] {
				low = i
			}
			if high < 0 || v > y[high] {
				high = i
			}
		}
	}
	if low < 0 {
		return first, first
	}
	return low, high
}

// scattered picks points such that no cell of a raster loses all of its own.
func scattered(x, y []float64, n int) []int {
	if len(x) <= n {
		return extremes(y, n)
	}
	type cell struct{ x, y int }
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i := range x {
		for k, v := range [2]float64{x[i], y[i]} {
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				low[k], high[k] = min(low[k], v), max(high[k], v)
			}
		}
	}
	side := int(math.Sqrt(float64(n)))
	place := func(k int, v float64) int {
		return int(float64(side-1) * (v - low[k]) / max(high[k]-low[k], math.SmallestNonzeroFloat64))
	}
	seen := make(map[cell]bool, n)
	var kept []int
	for i := range x {
		if math.IsNaN(x[i]) || math.IsNaN(y[i]) || math.IsInf(x[i], 0) || math.IsInf(y[i], 0) {
			continue
		}
		c := cell{place(0, x[i]), place(1, y[i])}
		if !seen[c] {
			seen[c] = true
			kept = append(kept, i)
		}
	}
	return kept
}

// thinSeries thins the long series of go-echarts' lines, bars and points before
// they are turned into JSON, and with them the categories along their axis.
func thinSeries(raw map[string]any) map[string]any {
	series, ok := raw["series"].(charts.MultiSeries)
	if !ok {
		return raw
	}
	out := make(map[string]any, len(raw))
	for k, v := range raw {
		out[k] = v
	}
	thinned := append(charts.MultiSeries{}, series...)
	axes, _ := raw["xAxis"].([]opts.XAxis)
	axes = append([]opts.XAxis{}, axes...)
	byAxis := make(map[int][]int) // series without an x of their own
	for i, s := range thinned {
		v := reflect.ValueOf(s.Data)
		if v.Kind() != reflect.Slice || v.Len() == 0 || v.Type().Elem().Kind() != reflect.Struct || !thinnable[s.Type] {
			continue
		}
		x, y, pairs := points(v)
		switch {
		case y == nil:
		case !pairs:
			byAxis[s.XAxisIndex] = append(byAxis[s.XAxisIndex], i)
		case s.Type == "scatter" || s.Type == "effectScatter":
			thinned[i].Data = picked(v, scattered(x, y, maxPoints))
		default:
			thinned[i].Data = picked(v, extremes(y, maxPoints))
		}
	}
	yAxes, _ := raw["yAxis"].([]opts.YAxis)
	for i, all := range byAxis {
		longest := 0
		for _, k := range all {
			longest = max(longest, reflect.ValueOf(thinned[k].Data).Len())
		}
		if longest <= maxPoints || len(yAxes) > 0 && yAxes[0].Data != nil { // bars that lie keep theirs
			continue
		}
		for _, k := range all {
			v := reflect.ValueOf(thinned[k].Data)
			_, y, _ := points(v)
			thinned[k].Data = picked(v, pairsOf(y, longest))
		}
		if i < len(axes) {
			if names := reflect.ValueOf(axes[i].Data); names.Kind() == reflect.Slice && names.Len() >= longest {
				axes[i].Data = thinnedNames(names, longest)
			}
		}
	}
	out["series"] = thinned
	if len(axes) > 0 {
		out["xAxis"] = axes
	}
	return out
}

var thinnable = map[string]bool{"line": true, "bar": true, "scatter": true, "effectScatter": true}

func picked(v reflect.Value, keep []int) any {
	data := reflect.MakeSlice(v.Type(), len(keep), len(keep))
	for k, at := range keep {
		data.Index(k).Set(v.Index(at))
	}
	return data.Interface()
}

// pairsOf picks two points of each of the stretches into which n places are
// divided, so that several series and their categories stay side by side. A series
// may have fewer points than there are places.
func pairsOf(y []float64, n int) []int {
	const bins = maxPoints / 2
	var kept []int
	for b := range bins {
		first, end := b*n/bins, min((b+1)*n/bins, len(y))
		if first >= end {
			break
		}
		low, high := ends(y, first, end)
		kept = append(kept, min(low, high), max(low, high))
	}
	return kept
}

func thinnedNames(names reflect.Value, n int) []any {
	const bins = maxPoints / 2
	kept := make([]any, 0, 2*bins)
	for b := range bins {
		first, end := b*n/bins, (b+1)*n/bins
		kept = append(kept, names.Index(first).Interface(), names.Index((first+end)/2).Interface())
	}
	return kept
}

// points reads the values of a series: y, and x if each value is a pair. Without
// a number among them y is nil.
func points(data reflect.Value) (x, y []float64, pairs bool) {
	field, ok := data.Type().Elem().FieldByName("Value")
	if !ok {
		return nil, nil, false
	}
	at := field.Index
	y = make([]float64, data.Len())
	for i := range y {
		v := data.Index(i).FieldByIndex(at)
		if v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if k := v.Kind(); (k == reflect.Slice || k == reflect.Array) && v.Len() >= 2 {
			if !pairs {
				x, pairs = make([]float64, len(y)), true
			}
			x[i], y[i] = float(v.Index(0)), float(v.Index(1))
			continue
		}
		y[i] = float(v)
	}
	return x, y, pairs
}

func float(v reflect.Value) float64 {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
	case v.CanFloat():
		return v.Float()
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	}
	return math.NaN()
}
