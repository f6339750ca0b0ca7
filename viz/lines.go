package viz

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/gradbook/gradbook/dl/schedules"
)

// Series is a curve: Y over X, or over 0, 1, 2, … if X is nil. What is no number
// is a gap.
type Series struct {
	Name string
	X, Y []float64
}

// LinesConfig says how Lines draws.
type LinesConfig struct {
	// XName and YName name the axes.
	XName, YName string
	// LogX and LogY make an axis logarithmic; what is not positive is a gap there.
	LogX, LogY bool
}

// Lines draws curves into one chart. Of curves with more than 4,000 points those
// are kept that make the shape.
func Lines(c LinesConfig, series ...Series) (*Chart, error) {
	if len(series) == 0 {
		return nil, fmt.Errorf("viz: lines: expected at least one series, got none")
	}
	bare := true // of given x
	for _, s := range series {
		bare = bare && s.X == nil
	}
	kind := func(log bool) object {
		if log {
			return object{"type": "log", "scale": true}
		}
		return object{"scale": true}
	}
	option := optionOf{
		"tooltip": tooltip("axis"), "legend": object{"show": len(series) > 1, "top": 0},
		"xAxis": axis(c.XName, 0, kind(c.LogX)), "yAxis": axis(c.YName, 0, kind(c.LogY)),
		"grid": object{"left": 78, "right": 36, "top": 36, "bottom": 48},
	}
	option["yAxis"].(object)["nameGap"] = 56
	if bare && !c.LogX { // steps, which end where they end
		option["xAxis"].(object)["max"] = "dataMax"
	}
	text := say("lines")
	for i, s := range series {
		x, err := s.x()
		if err != nil {
			return nil, fmt.Errorf("viz: lines: %w", err)
		}
		option.add("series", line(s.Name, x, s.Y, 0, maxPoints/max(1, len(series)/2), object{"color": palette[i%len(palette)], "lineStyle": dash(i, len(series)), "symbol": mark(i, len(series))}))
		text += "; " + s.words()
	}
	return newChart(object(option), text)
}

func (s Series) x() ([]float64, error) {
	if s.X == nil {
		x := make([]float64, len(s.Y))
		for i := range x {
			x[i] = float64(i)
		}
		return x, nil
	}
	if len(s.X) != len(s.Y) {
		return nil, fmt.Errorf("series %q: expected as many x as y, got %d and %d", s.Name, len(s.X), len(s.Y))
	}
	return s.X, nil
}

func (s Series) words() string {
	low, high, found := span(s.Y)
	if !found {
		return say("%s: no finite value", s.Name)
	}
	return say("%s: %d points from %s to %s", s.Name, len(s.Y), shortNumber(low), shortNumber(high))
}

// Forecast draws a series, what was forecast of it, and the interval in which it
// was expected with some confidence. low and high belong to forecast's points;
// nil means no interval.
func Forecast(series, forecast Series, low, high []float64) (*Chart, error) {
	c, err := Lines(LinesConfig{}, series, forecast)
	if err != nil {
		return nil, err
	}
	if low == nil && high == nil {
		return c, nil
	}
	if len(low) != len(forecast.Y) || len(high) != len(forecast.Y) {
		return nil, fmt.Errorf("viz: forecast: expected both ends of the interval for each of %d points, got %d and %d", len(forecast.Y), len(low), len(high))
	}
	x, err := forecast.x()
	if err != nil {
		return nil, fmt.Errorf("viz: forecast: %w", err)
	}
	var band array
	for i := range low {
		if high[i] < low[i] {
			return nil, fmt.Errorf("viz: forecast: expected an interval whose high end is above its low end, got %v and %v at %d", low[i], high[i], i)
		}
	}
	for _, i := range extremes(high, maxPoints) {
		band = append(band, array{rounded(x[i]), rounded(low[i]), rounded(high[i])})
	}
	option := optionOf(c.option)
	option.add("series", object{"type": "band", "name": say("interval"), "data": band, "color": validationColor, "opacity": 0.2, "z": 1})
	option["legend"] = object{"show": true, "top": 0, "data": array{visible(series.Name), visible(forecast.Name), say("interval")}}
	return c, nil
}

// LearningRate draws learning-rate schedules over the first steps of training.
func LearningRate(steps int, all map[string]schedules.Schedule) (*Chart, error) {
	if steps < 1 || len(all) == 0 {
		return nil, fmt.Errorf("viz: learning rate: expected at least one step and one schedule, got %d and %d", steps, len(all))
	}
	var series []Series
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] == nil {
			return nil, fmt.Errorf("viz: learning rate: expected a schedule for %q, got nil", name)
		}
		if err := all[name].Check(); err != nil {
			return nil, fmt.Errorf("viz: learning rate: %q: %w", name, err)
		}
		s := Series{Name: name}
		n := min(steps, 1000)
		for i := range n {
			step := i
			if n > 1 {
				step = int(math.Round(float64(i) * float64(steps-1) / float64(n-1)))
			}
			s.X, s.Y = append(s.X, float64(step)), append(s.Y, all[name].Rate(step))
		}
		series = append(series, s)
	}
	return Lines(LinesConfig{XName: say("step"), YName: say("learning rate")}, series...)
}
