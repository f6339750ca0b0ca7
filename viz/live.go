package viz

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/viz/internal/frontend"
)

// TrainingPlot is a callback that draws the loss and the metrics below the cell
// while Fit runs, by batches and by epochs, with the validation's, the learning
// rate, the time left, the device and the throughput. When Fit ends, the chart
// stays. In a program that is not a notebook it draws nothing.
//
//	model.Fit(ctx, train, dl.FitConfig{
//		Epochs: 5, Silent: true,
//		Callbacks: []callbacks.Callback{&viz.TrainingPlot{}},
//	})
type TrainingPlot struct {
	callbacks.Base
	// Every is the least time between two drawings; 0 means a quarter of a second.
	// It is never more often than that a batch ends.
	Every time.Duration

	display  *Display
	measures []string
	batches  map[string]*curve // as the epoch goes
	epochs   map[string]*curve // by name, "val_…" for the validation's
	rates    curve
	device   string
	drawn    time.Time
	first    time.Time // end of the first batch, which may have compiled
	steps    int       // since then
	began    time.Time
	last     progress
}

// progress is how far an epoch had come when the loss was last read.
type progress struct {
	batch int
	loss  float64
}

// curve collects points; when there are too many, neighbours become one.
type curve struct {
	x, y   []float64
	stride int // points that one stands for
	sumX   float64
	sumY   float64
	n      int
}

// livePoints is how many points a curve has at most.
const livePoints = 160

func (c *curve) add(x, y float64) {
	c.stride = max(c.stride, 1)
	c.sumX, c.sumY, c.n = c.sumX+x, c.sumY+y, c.n+1
	if c.n < c.stride {
		return
	}
	c.x, c.y = append(c.x, c.sumX/float64(c.n)), append(c.y, c.sumY/float64(c.n))
	c.sumX, c.sumY, c.n = 0, 0, 0
	if len(c.x) < 2*livePoints {
		return
	}
	for i := range livePoints {
		c.x[i], c.y[i] = (c.x[2*i]+c.x[2*i+1])/2, (c.y[2*i]+c.y[2*i+1])/2
	}
	c.x, c.y, c.stride = c.x[:livePoints], c.y[:livePoints], 2*c.stride
}

// OnTrainBegin implements callbacks.Callback.
func (p *TrainingPlot) OnTrainBegin(t *callbacks.Training) error {
	p.display = NewDisplay()
	p.measures = []string{"loss"}
	for _, m := range t.Metrics {
		if m != "loss" {
			p.measures = append(p.measures, m)
		}
	}
	p.batches, p.epochs, p.rates = make(map[string]*curve), make(map[string]*curve), curve{}
	for _, m := range p.measures {
		p.batches[m], p.epochs[m], p.epochs["val_"+m] = &curve{}, &curve{}, &curve{}
	}
	p.began, p.drawn, p.first, p.steps, p.device = time.Now(), time.Now(), time.Time{}, 0, ""
	if d, err := dl.Device(); err == nil {
		p.device = map[string]string{"cuda": "GPU (XLA)", "cpu": "CPU (XLA)", "go": "CPU (pure Go)"}[d.Kind]
	}
	if !frontend.Live() {
		return nil
	}
	// It takes its place before the progress bar begins a line, or it would come
	// into the middle of it.
	return Bundle{MIMEPlain: "training …"}.send(p.display.id)
}

// OnEpochBegin implements callbacks.Callback.
func (p *TrainingPlot) OnEpochBegin(*callbacks.Training) error {
	p.last = progress{}
	return nil
}

// OnTrainBatchEnd implements callbacks.Callback.
func (p *TrainingPlot) OnTrainBatchEnd(t *callbacks.Training) error {
	now := time.Now()
	if p.first.IsZero() {
		p.first = now
	} else {
		p.steps++
	}
	if !p.due(now) {
		return nil
	}
	logs, err := t.Logs()
	if err != nil {
		return err
	}
	p.take(t, logs)
	return p.draw(t, false)
}

// take adds what was measured since the last time: of the loss its mean since
// then, of other measures, which need not be means, the epoch's so far.
func (p *TrainingPlot) take(t *callbacks.Training, logs callbacks.Logs) {
	done := t.Batch + 1
	if t.Steps <= 0 || done <= p.last.batch {
		return
	}
	x := func(batch float64) float64 { return float64(t.Epoch) + batch/float64(t.Steps) }
	for _, m := range p.measures {
		v, ok := logs[m]
		if !ok {
			continue
		}
		at := x(float64(done))
		if m == "loss" {
			at = x(float64(done+p.last.batch) / 2)
			v = (v*float64(done) - p.last.loss*float64(p.last.batch)) / float64(done-p.last.batch)
		}
		p.batches[m].add(at, v)
	}
	p.last = progress{done, logs["loss"]}
}

// OnEpochEnd implements callbacks.Callback.
func (p *TrainingPlot) OnEpochEnd(t *callbacks.Training, logs callbacks.Logs) error {
	p.take(t, logs)
	for name, v := range logs {
		if c, ok := p.epochs[name]; ok {
			c.add(float64(t.Epoch+1), v)
		}
	}
	p.rates.add(float64(t.Epoch+1), t.LearningRate())
	if p.due(time.Now()) {
		return p.draw(t, false)
	}
	return nil
}

// due says whether it is time for a drawing, which then is taken to be made.
func (p *TrainingPlot) due(now time.Time) bool {
	every := p.Every
	if every <= 0 {
		every = 250 * time.Millisecond
	}
	if now.Sub(p.drawn) < every {
		return false
	}
	p.drawn = now
	return true
}

// OnTrainEnd implements callbacks.Callback.
func (p *TrainingPlot) OnTrainEnd(t *callbacks.Training) error { return p.draw(t, true) }

// draw shows the chart as it is now. While Fit runs it has no SVG, which would
// take longer than the steps.
func (p *TrainingPlot) draw(t *callbacks.Training, final bool) error {
	if !frontend.Live() {
		return nil
	}
	c, err := p.chart(p.status(t, final))
	if err != nil || c == nil {
		return err
	}
	if final {
		return p.display.Show(c)
	}
	data, err := c.Live()
	if err != nil {
		return err
	}
	return Bundle{MIMEChart: string(data), MIMEPlain: c.text}.send(p.display.id)
}

// Chart returns the chart as it is now: after Fit, as it stays.
func (p *TrainingPlot) Chart() (*Chart, error) {
	c, err := p.chart("")
	if err == nil && c == nil {
		err = fmt.Errorf("viz: training plot: expected one that was a callback of Fit; nothing is recorded")
	}
	return c, err
}

func (p *TrainingPlot) chart(status string) (*Chart, error) {
	panels := slices.Clone(p.measures)
	rate := p.rates.changes()
	if rate {
		panels = append(panels, "learning rate")
	}
	option := optionOf(panelled(said(panels)))
	words := []string{status}
	for i, m := range p.measures {
		option.add("xAxis", axis(say("epoch"), i, object{"min": 0, "minInterval": 1}))
		option.add("yAxis", axis("", i, p.worth(m)))
		for _, s := range []struct {
			name string
			c    *curve
			look object
		}{
			{"batches", p.batches[m], object{"color": softColor, "showSymbol": false, "lineStyle": object{"width": 1}}},
			{"training", p.epochs[m], object{"color": trainColor}},
			{"validation", p.epochs["val_"+m], object{"color": validationColor}},
		} {
			if len(s.c.x) > 0 {
				option.add("series", line(say(s.name), s.c.x, s.c.y, i, 2*livePoints, s.look))
				words = append(words, fmt.Sprintf("%s, %s: %s", named(m), say(s.name), shortNumber(s.c.y[len(s.c.y)-1])))
			}
		}
	}
	if rate {
		i := len(p.measures)
		option.add("xAxis", axis(say("epoch"), i, object{"min": 0, "minInterval": 1}))
		option.add("yAxis", axis("", i, nil))
		option.add("series", line(say("learning rate"), p.rates.x, p.rates.y, i, 2*livePoints, object{"color": thirdColor}))
	}
	if len(option["series"].(array)) == 0 || check(object(option)) != nil {
		return nil, nil //nolint:nilerr // nothing to see yet
	}
	option["tooltip"], option["legend"] = tooltip("axis"), object{"show": true, "top": 22, "data": array{say("batches"), say("training"), say("validation")}}
	above := 46
	if status == "" {
		words, above = words[1:], 28
		option["legend"].(object)["top"] = 0
	} else {
		option.add("title", object{"text": status, "left": "center", "top": 0, "textStyle": object{"fontSize": 12, "fontWeight": 400}})
	}
	c, err := curves(option, strings.Join(words, "\n"))
	if err != nil {
		return nil, err
	}
	c.panels.Above = above
	return c, nil
}

// worth is the range of a measure's axis. The first batches of a training are far
// from all that comes, which would be a level line beside them, so they may leave
// the chart.
func (p *TrainingPlot) worth(measure string) object {
	batches := slices.Sorted(slices.Values(p.batches[measure].y))
	limits := object{"scale": measure != "loss"}
	if len(batches) < 20 || len(p.epochs[measure].y) == 0 {
		return limits
	}
	few := len(batches) / 16
	low, high, _ := span(append(append(batches[few:len(batches)-few:len(batches)-few], p.epochs[measure].y...), p.epochs["val_"+measure].y...))
	if margin := (high - low) / 10; margin > 0 {
		limits["max"] = rounded(high + margin)
		if measure != "loss" {
			limits["min"] = rounded(low - margin)
		}
		limits["axisLabel"] = object{"showMinLabel": measure == "loss", "showMaxLabel": false}
	}
	return limits
}

// changes says whether a curve is more than a level line.
func (c *curve) changes() bool {
	low, high, found := span(c.y)
	return found && low != high
}

// status is a line with how far training is, and how fast.
func (p *TrainingPlot) status(t *callbacks.Training, final bool) string {
	now := time.Now()
	var parts []string
	switch {
	case final:
		parts = append(parts, say("%d of %d epochs in %s", count(p.epochs["loss"]), t.Epochs, took(now.Sub(p.began))))
	case t.Steps > 0:
		parts = append(parts, say("epoch %d of %d, batch %d of %d", t.Epoch+1, t.Epochs, t.Batch+1, t.Steps))
	default:
		parts = append(parts, say("epoch %d of %d, batch %d", t.Epoch+1, t.Epochs, t.Batch+1))
	}
	if p.steps > 0 {
		step := now.Sub(p.first) / time.Duration(p.steps)
		parts = append(parts, say("%s a step", took(step)), say("%.0f examples a second", float64(t.BatchSize)/max(step.Seconds(), 1e-9)))
		if left := (t.Epochs-t.Epoch)*t.Steps - t.Batch - 1; !final && t.Steps > 0 && left > 0 {
			parts = append(parts, say("%s left", took(time.Duration(left)*step)))
		}
	}
	parts = append(parts, say("rate %s", shortNumber(t.LearningRate())), p.device)
	return strings.Join(parts, " · ")
}

// count is how many points a curve has been given.
func count(c *curve) int { return len(c.x)*max(c.stride, 1) + c.n }

// took is a duration as one says it.
func took(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%d µs", d.Microseconds())
}
