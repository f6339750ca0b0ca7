// Package sweepchart draws what a sweep of dl/beam has found.
package sweepchart

import (
	"fmt"
	"maps"
	"math"
	"slices"

	dlbeam "github.com/gradbook/gradbook/dl/beam"
	"github.com/gradbook/gradbook/viz"
)

// Progress shows the value of each trial, in their order, and the least so far. Trials that failed
// are gaps.
func Progress(r dlbeam.Results) (*viz.Chart, error) {
	if len(r) == 0 {
		return nil, fmt.Errorf("dl/beam/sweepchart: expected results of a sweep, got none")
	}
	each, least := viz.Series{Name: "each trial"}, viz.Series{Name: "the best so far"}
	best := math.Inf(1)
	for _, t := range r {
		value := math.NaN()
		if t.Error == "" {
			value = t.Value
			if !t.Stopped {
				best = min(best, value)
			}
		}
		each.Y, least.Y = append(each.Y, value), append(least.Y, best)
	}
	return viz.Lines(viz.LinesConfig{XName: "trial", YName: "value"}, each, least)
}

// Parameter shows the values over one hyperparameter, in its order.
func Parameter(r dlbeam.Results, name string, log bool) (*viz.Chart, error) {
	points := make(map[float64]float64)
	for _, t := range r {
		at, ok := t.Params[name]
		if !ok {
			return nil, fmt.Errorf("dl/beam/sweepchart: trial %d has no parameter %q, but %v", t.Number, name, t.Params)
		}
		if before, twice := points[at]; t.Error == "" && (!twice || t.Value < before) {
			points[at] = t.Value
		}
	}
	s := viz.Series{Name: "the best value there"}
	for _, at := range slices.Sorted(maps.Keys(points)) {
		s.X, s.Y = append(s.X, at), append(s.Y, points[at])
	}
	return viz.Lines(viz.LinesConfig{XName: name, YName: "value", LogX: log}, s)
}
