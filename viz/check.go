package viz

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
)

// foreign are series of extensions that echarts itself does not draw, and of maps
// that it does not carry.
var foreign = map[string]string{
	"wordCloud": "an extension of echarts", "liquidFill": "an extension of echarts", "globe": "an extension of echarts",
	"map": "a map that echarts does not carry", "map3D": "a map that echarts does not carry", "lines3D": "an extension of echarts",
	"custom": "a function in JavaScript", "scatterGL": "an extension of echarts", "graphGL": "an extension of echarts",
}

// drawable finds what echarts cannot draw by itself in a chart of go-echarts. Some
// of it has functions in JavaScript, which is not what is wrong with it.
func drawable(raw map[string]any) error {
	if _, ok := raw["geo"]; ok {
		return errors.New("expected a chart that echarts draws by itself, got one that needs a map (geo)")
	}
	series, _ := raw["series"].(charts.MultiSeries)
	for _, s := range series {
		if why, ok := foreign[s.Type]; ok {
			return fmt.Errorf("expected a chart that echarts draws by itself, got a %s, which needs %s", s.Type, why)
		}
	}
	return nil
}

// check finds what would be drawn as a blank: no series, series without a value, and
// values at which a logarithmic axis has no place, of which it makes gaps.
func check(option object) error {
	series := list(option["series"])
	if len(series) == 0 {
		return errors.New("expected at least one series, got none")
	}
	_, hasDataset := option["dataset"]
	values, negative := 0, 0
	for i, s := range series {
		s, _ := s.(object)
		kind, _ := s["type"].(string)
		negative += gapsOnLog(option, s)
		n := countValues(s["data"]) + countValues(s["nodes"])
		if kind == "gauge" || kind == "raster" || kind == "window" || kind == "band" || hasDataset {
			n = max(n, 1)
		}
		values += n
		if n == 0 {
			name, _ := s["name"].(string)
			if len(series) == 1 || i == len(series)-1 && values == 0 {
				if negative > 0 {
					return fmt.Errorf("expected positive values on a logarithmic axis, got none in series %q", name)
				}
				return fmt.Errorf("expected at least one finite value, got none in series %q", name)
			}
		}
	}
	return nil
}

func list(v any) array {
	switch v := v.(type) {
	case nil:
		return nil
	case array:
		return v
	}
	return array{v}
}

// countValues counts what there is to draw in a series' data.
func countValues(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case array:
		n := 0
		for _, item := range v {
			if tuple, ok := item.(array); ok && !whole(tuple) {
				continue
			}
			n += min(countValues(item), 1)
		}
		return n
	case object:
		if value, ok := v["value"]; ok && value != nil {
			if tuple, ok := value.(array); ok && !whole(tuple) {
				return 0
			}
			return countValues(value)
		}
		if _, ok := v["children"]; ok {
			return 1
		}
		name, _ := v["name"].(string)
		return min(len(name), 1)
	case string:
		if strings.TrimSpace(v) == "" || v == "-" {
			return 0
		}
	}
	return 1
}

// whole says whether no part of a value is a gap.
func whole(tuple array) bool {
	for _, part := range tuple {
		if part == nil {
			return false
		}
	}
	return true
}

// gapsOnLog makes gaps of values that are not positive on a logarithmic axis, and
// counts them.
func gapsOnLog(option, s object) int {
	gaps := 0
	for dimension, name := range []string{"xAxis", "yAxis"} {
		axes := list(option[name])
		at := index(s[name+"Index"])
		if at >= len(axes) {
			continue
		}
		if axis, _ := axes[at].(object); axis["type"] != "log" {
			continue
		}
		data, _ := s["data"].(array)
		for i, item := range data {
			holder, _ := item.(object)
			value := item
			if holder != nil {
				value = holder["value"]
			}
			pair, isPair := value.(array)
			switch {
			case isPair && dimension < len(pair):
				if f, ok := toFloat(pair[dimension]); ok && f <= 0 {
					changed := append(array{}, pair...)
					changed[dimension] = nil
					value = changed
					gaps++
				}
			case !isPair && dimension == 1:
				if f, ok := toFloat(value); ok && f <= 0 {
					value = nil
					gaps++
				}
			}
			if holder != nil {
				holder["value"] = value
			} else {
				data[i] = value
			}
		}
	}
	return gaps
}

func index(v any) int {
	f, _ := toFloat(v)
	return int(f)
}

func toFloat(v any) (float64, bool) {
	if v == nil {
		return 0, false
	}
	f := float(reflect.ValueOf(v))
	return f, !math.IsNaN(f)
}
