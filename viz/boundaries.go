package viz

import (
	"fmt"
	"slices"
	"strings"
)

// CompareBoundaries draws what several recorders have kept side by side, a panel
// for each with its Name, and one slider for the epoch of all. They must have
// recorded the same epochs.
func CompareBoundaries(recorders ...*BoundaryRecorder) (*Chart, error) {
	if len(recorders) == 0 {
		return nil, fmt.Errorf("viz: compare boundaries: expected recorders, got none")
	}
	var titles, words []string
	for _, r := range recorders {
		if len(r.images) == 0 {
			return nil, fmt.Errorf("viz: compare boundaries: expected recorders that were callbacks of Fit; in %q nothing is recorded", r.Name)
		}
		if !slices.Equal(r.epochs, recorders[0].epochs) {
			return nil, fmt.Errorf("viz: compare boundaries: expected the same epochs in all recorders, got %v in %q and %v in %q", recorders[0].epochs, recorders[0].Name, r.epochs, r.Name)
		}
		titles = append(titles, r.Name)
	}
	option := optionOf(panelled(titles))
	option["tooltip"], option["legend"] = tooltip("item"), object{"show": true, "top": 0}
	for i, r := range recorders {
		series, text, err := classPoints(r.plane.points, r.plane.labels, r.plane.classes)
		if err != nil {
			return nil, fmt.Errorf("viz: compare boundaries: %w", err)
		}
		words = append(words, r.Name+": "+text)
		option.add("xAxis", planeAxis(r.plane.x, i))
		option.add("yAxis", planeAxis(r.plane.y, i))
		option.add("series", r.plane.background(r.images[len(r.images)-1], i))
		for _, s := range series {
			s["xAxisIndex"], s["yAxisIndex"], s["symbolSize"] = i, i, 4
			option.add("series", s)
		}
	}
	var frames []frame
	for at, epoch := range recorders[0].epochs {
		var series array
		for i, r := range recorders {
			series = append(series, r.plane.background(r.images[at], i))
		}
		frames = append(frames, frame{say("epoch %d", epoch), object{"series": series}})
	}
	c, err := newChart(object(option), say("decision boundaries: ")+strings.Join(words, " | "))
	if err != nil {
		return nil, err
	}
	c.panels = &panels{Columns: 4, Height: 200, Least: 180, Aspect: 1, Left: 30, Bottom: 24}
	c.frames, c.still = frames, len(frames)-1
	return c, nil
}
