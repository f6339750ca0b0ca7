package viz

import (
	"fmt"
	"reflect"
)

// Frames makes one chart of several that differ in their values only: a slider moves
// from one to the next, also on a page that no program stands behind. There is a name
// for each; start is the place that is shown first, and in a picture.
func Frames(names []string, start int, list ...*Chart) (*Chart, error) {
	if len(list) == 0 || len(names) != len(list) {
		return nil, fmt.Errorf("viz: expected frames, and a name for each, got %d and %d names", len(list), len(names))
	}
	if start < 0 || start >= len(list) {
		return nil, fmt.Errorf("viz: expected a frame among 0 to %d to begin with, got %d", len(list)-1, start)
	}
	for i, c := range list {
		if c == nil || len(c.frames) > 0 {
			return nil, fmt.Errorf("viz: frame %d: expected a chart without frames of its own", i)
		}
		for _, axis := range []string{"xAxis", "yAxis"} {
			if !reflect.DeepEqual(c.option[axis], list[start].option[axis]) {
				return nil, fmt.Errorf("viz: frame %d: expected the axes of frame %d, got others", i, start)
			}
		}
		if want, got := kinds(list[start]), kinds(c); want != got {
			return nil, fmt.Errorf("viz: frame %d: expected the same series as in frame %d, %s, got %s", i, start, want, got)
		}
	}
	all := *list[start]
	all.frames, all.still = nil, start
	for i, c := range list {
		differs := object{"series": c.option["series"]}
		for _, key := range []string{"title", "visualMap"} {
			if c.option[key] != nil {
				differs[key] = c.option[key]
			}
		}
		all.frames = append(all.frames, frame{visible(names[i]), differs})
	}
	return &all, nil
}

// kinds are the types of a chart's series.
func kinds(c *Chart) (s string) {
	list, _ := c.option["series"].(array)
	for _, e := range list {
		o, _ := e.(object)
		s += fmt.Sprint(o["type"], " ")
	}
	return s
}
