package viz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl"
)

// curvePoints is how many points of a curve a chart holds. A notebook stores
// them, so there are no more than can be told apart.
const curvePoints = 300

// TrainingCurves draws how the loss and the metrics of a Fit went, a panel for
// each, with the validation's beside the training's.
func TrainingCurves(h *dl.History) (*Chart, error) {
	if h == nil || h.Epochs() == 0 {
		return nil, fmt.Errorf("viz: expected a history of at least one epoch, got none")
	}
	names := measures(h)
	option := optionOf(panelled(said(names)))
	epochs := counted(h.Epochs())
	for i, name := range names {
		option.add("xAxis", epochAxis(i))
		option.add("yAxis", axis("", i, object{"scale": name != "loss"}))
		option.add("series", line(say("training"), epochs, h.Metrics[name], i, curvePoints, object{"color": trainColor}))
		if slices.Contains(h.Names, "val_"+name) {
			option.add("series", line(say("validation"), epochs, h.Metrics["val_"+name], i, curvePoints, object{"color": validationColor}))
		}
	}
	option["tooltip"], option["legend"] = tooltip("axis"), object{"show": true, "top": 0}
	return curves(option, shortened(h.String()))
}

func epochAxis(panel int) object {
	return axis(say("epoch"), panel, object{"min": "dataMin", "max": "dataMax", "minInterval": 1})
}

// curves makes a chart of panels with curves.
func curves(option optionOf, text string) (*Chart, error) {
	c, err := newChart(object(option), text)
	if err != nil {
		return nil, err
	}
	c.panels = &panels{Columns: 3, Height: 200}
	return c, nil
}

// measures lists what gets a panel: the loss, then the metrics.
func measures(h *dl.History) []string {
	names := []string{"loss"}
	for _, n := range h.Names {
		if n != "loss" && !strings.HasPrefix(n, "val_") {
			names = append(names, n)
		}
	}
	return names
}

// maxLines is how many lines of text a chart's words have.
const maxLines = 60

// shortened leaves out the middle of a long text.
func shortened(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) <= maxLines {
		return text
	}
	left := len(lines) - maxLines + 1
	head := append([]string{}, lines[:maxLines/2]...)
	head = append(head, fmt.Sprintf("… (%d more)", left))
	return strings.Join(append(head, lines[maxLines/2+left:]...), "\n")
}

// Run is a training to compare with others.
type Run struct {
	Name    string
	History *dl.History
}

// CompareRuns draws several trainings into the same panels: a colour for each
// run, the validation as a solid and the training as a dashed line.
func CompareRuns(runs ...Run) (*Chart, error) {
	if len(runs) == 0 {
		return nil, fmt.Errorf("viz: expected at least one run, got none")
	}
	var names []string
	var text strings.Builder
	for i, r := range runs {
		if r.History == nil || r.History.Epochs() == 0 {
			return nil, fmt.Errorf("viz: run %d (%q): expected a history of at least one epoch, got none", i, r.Name)
		}
		for _, n := range measures(r.History) {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		fmt.Fprintf(&text, "%s\n%s\n", r.Name, shortened(r.History.String()))
	}
	option := optionOf(panelled(said(names)))
	for i, name := range names {
		option.add("xAxis", epochAxis(i))
		option.add("yAxis", axis("", i, object{"scale": name != "loss"}))
		for k, r := range runs {
			epochs, look := counted(r.History.Epochs()), object{"color": palette[k%len(palette)]}
			validated := slices.Contains(r.History.Names, "val_"+name)
			if validated {
				option.add("series", line(r.Name, epochs, r.History.Metrics["val_"+name], i, curvePoints, look))
				look = object{"color": look["color"], "lineStyle": object{"width": 1.5, "type": "dashed", "opacity": 0.7}, "showSymbol": false}
			}
			if values, ok := r.History.Metrics[name]; ok {
				option.add("series", line(r.Name, epochs, values, i, curvePoints, look))
			}
		}
	}
	option["tooltip"], option["legend"] = tooltip("axis"), object{"show": true, "top": 0}
	return curves(option, strings.TrimRight(text.String(), "\n"))
}
