package widgets

import (
	"fmt"
	"math"

	"github.com/gradbook/gradbook/viz"
)

// Range is a number that a reader moves: its name, its ends, the distance between two
// values (0 means a twentieth of the way), and where it begins.
type Range struct {
	Name                    string
	Min, Max, Step, Initial float64
}

// places is how many values of its first range an explorer has on a page without a
// program.
const places = 13

// Explorer is a chart that follows sliders, one for each range. Draw gets their values,
// in the order of the ranges, and draws the chart; it must always draw the same series.
//
// In a notebook Draw is called at each move. On a page without a program, such as those
// that gradbook book makes, the first range has a slider, at whose places the charts
// have been drawn before; the others stay where they begin.
type Explorer struct {
	Ranges []Range
	Draw   func(values []float64) (*viz.Chart, error)

	widget
	chart Chart
}

// Explore is an Explorer of some ranges.
func Explore(draw func(values []float64) (*viz.Chart, error), ranges ...Range) *Explorer {
	return &Explorer{Ranges: ranges, Draw: draw}
}

// Bundle implements viz.Viewable.
func (e *Explorer) Bundle() (viz.Bundle, error) {
	if e.Draw == nil || len(e.Ranges) == 0 {
		return nil, fmt.Errorf("widgets: an explorer: expected a function that draws, and a range")
	}
	still, err := e.frames()
	if err != nil {
		return nil, err
	}
	b, err := still.Bundle()
	if err != nil {
		return nil, err
	}
	view, err := e.view(still)
	if err != nil {
		return nil, err
	}
	if v, ok := view[mimeView]; ok {
		b[mimeView] = v
	}
	return b, nil
}

// view is the explorer in a notebook.
func (e *Explorer) view(still *viz.Chart) (viz.Bundle, error) {
	first, err := e.draw(e.initial())
	if err != nil {
		return nil, err
	}
	if err := e.chart.Set(first); err != nil {
		return nil, err
	}
	box, sliders := &VBox{}, make([]*FloatSlider, len(e.Ranges))
	for i, r := range e.Ranges {
		sliders[i] = &FloatSlider{Description: r.Name, Min: r.Min, Max: r.Max, Step: r.step(), Initial: r.Initial}
		sliders[i].OnChange(func(float64) {
			values := make([]float64, len(sliders))
			for k, s := range sliders {
				values[k] = s.Value()
			}
			c, err := e.draw(values)
			if err == nil {
				err = e.chart.Set(c)
			}
			if err != nil {
				panic(err)
			}
		})
		box.Children = append(box.Children, sliders[i])
	}
	box.Children = append(box.Children, &e.chart)
	b, err := box.Bundle()
	if err != nil {
		return nil, err
	}
	b[viz.MIMEPlain] = still.String()
	return b, nil
}

func (e *Explorer) draw(values []float64) (*viz.Chart, error) {
	c, err := e.Draw(values)
	if err == nil && c == nil {
		err = fmt.Errorf("expected a chart, got nil")
	}
	if err != nil {
		return nil, fmt.Errorf("widgets: an explorer at %v: %w", values, err)
	}
	return c, nil
}

func (e *Explorer) initial() (values []float64) {
	for _, r := range e.Ranges {
		values = append(values, r.Initial)
	}
	return values
}

// frames is the explorer on a page: the chart at places of the first range, of which
// where it begins is one.
func (e *Explorer) frames() (*viz.Chart, error) {
	for _, r := range e.Ranges {
		if !(r.Max > r.Min) || r.Initial < r.Min || r.Initial > r.Max {
			return nil, fmt.Errorf("widgets: range %q: expected a minimum below a maximum and a beginning between them, got %g, %g and %g", r.Name, r.Min, r.Max, r.Initial)
		}
	}
	r := e.Ranges[0]
	steps := int(math.Floor((r.Max-r.Min)/r.step() + 1e-9))
	every := max(1, (steps+places-2)/(places-1))
	begin := min(steps, int(math.Round((r.Initial-r.Min)/r.step())))
	var names []string
	var charts []*viz.Chart
	start := 0
	for k := begin % every; k <= steps; k += every {
		values := e.initial()
		if values[0] = r.Min + float64(k)*r.step(); k == begin {
			start, values[0] = len(charts), r.Initial
		}
		c, err := e.draw(values)
		if err != nil {
			return nil, err
		}
		names, charts = append(names, fmt.Sprintf("%s %.4g", r.Name, values[0])), append(charts, c)
	}
	return viz.Frames(names, start, charts...)
}

func (r Range) step() float64 {
	if r.Step > 0 {
		return r.Step
	}
	return (r.Max - r.Min) / 20
}
