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

// extremes picks at most about n points of a curve: of each of n/2 stretches of
// equal length the lowest and the highest, in order, and a gap if there is one.
// So no peak is lost, and what is drawn covers the same pixels.
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
	kept := make([]int, 0, 2*bins)
	for b := range bins {
		first, end := b*len(y)/bins, (b+1)*len(y)/bins
		low, high := first, first
		for i := first; i < end; i++ {
			switch v := y[i]; {
			case math.IsNaN(v) || math.IsInf(v, 0):
				low, high = i, i // the gap is the shape
				i = end
			case v < y[low]:
				low = i
			case v > y[high]:
				high = i
			}
		}
		kept = append(kept, min(low, high))
		if low != high {
			kept = append(kept, max(low, high))
		}
	}
	return kept
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
	longest := make(map[int]int) // by axis, of the series without x
	for i, s := range thinned {
		v := reflect.ValueOf(s.Data)
		if v.Kind() != reflect.Slice || v.Len() <= maxPoints || v.Type().Elem().Kind() != reflect.Struct || !thinnable[s.Type] {
			continue
		}
		x, y, pairs := points(v)
		if y == nil {
			continue
		}
		var keep []int
		switch {
		case pairs && (s.Type == "scatter" || s.Type == "effectScatter"):
			keep = scattered(x, y, maxPoints)
		case pairs:
			keep = extremes(y, maxPoints)
		default:
			longest[s.XAxisIndex] = max(longest[s.XAxisIndex], v.Len())
			keep = bothOfEach(y, maxPoints)
		}
		data := reflect.MakeSlice(v.Type(), len(keep), len(keep))
		for k, at := range keep {
			data.Index(k).Set(v.Index(at))
		}
		thinned[i].Data = data.Interface()
	}
	for i, n := range longest {
		if i >= len(axes) {
			continue
		}
		categories := reflect.ValueOf(axes[i].Data)
		if categories.Kind() != reflect.Slice || categories.Len() < n {
			continue
		}
		bins := maxPoints / 2
		kept := make([]any, 0, 2*bins)
		for b := range bins {
			first, end := b*n/bins, (b+1)*n/bins
			kept = append(kept, categories.Index(first).Interface(), categories.Index((first+end)/2).Interface())
		}
		axes[i].Data = kept
	}
	out["series"] = thinned
	if len(axes) > 0 {
		out["xAxis"] = axes
	}
	return out
}

var thinnable = map[string]bool{"line": true, "bar": true, "scatter": true, "effectScatter": true}

// bothOfEach is extremes, with two of each stretch also where they are the same,
// so that several series and their categories stay side by side.
func bothOfEach(y []float64, n int) []int {
	bins := n / 2
	kept := make([]int, 0, 2*bins)
	for b := range bins {
		first, end := b*len(y)/bins, (b+1)*len(y)/bins
		pair := extremes(y[first:end], 2)
		kept = append(kept, first+pair[0], first+pair[len(pair)-1])
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
