package viz

import (
	"math"
	"testing"

	"github.com/gradbook/gradbook/dl/callbacks"
)

// longPlot is a plot after many steps and epochs of several metrics.
func longPlot(tb testing.TB, epochs, steps int) (*TrainingPlot, *callbacks.Training) {
	tb.Helper()
	t := &callbacks.Training{Epochs: epochs, Steps: steps, BatchSize: 32, Metrics: []string{"accuracy", "auc", "loss"}, Validation: true}
	p := &TrainingPlot{}
	if err := p.OnTrainBegin(t); err != nil {
		tb.Fatal(err)
	}
	for e := range epochs {
		t.Epoch = e
		if err := p.OnEpochBegin(t); err != nil {
			tb.Fatal(err)
		}
		value := func(b int) float64 {
			return math.Exp(-float64(e)-float64(b)/float64(steps)) + 0.1*math.Sin(float64(b*b))
		}
		for b := 0; b < steps; b += max(1, steps/50) {
			t.Batch = b
			p.take(t, callbacks.Logs{"loss": value(b), "accuracy": value(b), "auc": value(b)})
			p.steps++
		}
		logs := callbacks.Logs{}
		for _, n := range []string{"loss", "accuracy", "auc"} {
			logs[n], logs["val_"+n] = value(steps), value(steps)+0.01
		}
		t.Batch = steps - 1
		p.take(t, logs)
		for name, v := range logs {
			p.epochs[name].add(float64(e+1), v)
		}
		p.rates.add(float64(e+1), 1e-3/float64(e+1))
	}
	return p, t
}

// TestTrainingPlotSize: whatever the number of steps and epochs, what stays in the
// notebook is small.
func TestTrainingPlotSize(t *testing.T) {
	for _, c := range [][2]int{{1, 10}, {5, 1875}, {2000, 100000}} {
		p, training := longPlot(t, c[0], c[1])
		chart, err := p.chart(p.status(training, true))
		if err != nil {
			t.Fatal(err)
		}
		b, err := chart.Bundle()
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, s := range b {
			size += len(s)
		}
		t.Logf("%d epochs of %d steps: %d kB", c[0], c[1], size>>10)
		if size > 100<<10 {
			t.Errorf("%d epochs of %d steps: expected at most 100 kB, got %d", c[0], c[1], size)
		}
	}
}

// TestIntervals: the loss between two drawings is that of the batches between them.
func TestIntervals(t *testing.T) {
	training := &callbacks.Training{Epochs: 1, Steps: 10, Metrics: []string{"loss"}}
	p := &TrainingPlot{}
	if err := p.OnTrainBegin(training); err != nil {
		t.Fatal(err)
	}
	if err := p.OnEpochBegin(training); err != nil {
		t.Fatal(err)
	}
	training.Batch = 1 // two batches of loss 4
	p.take(training, callbacks.Logs{"loss": 4})
	training.Batch = 3 // and two of loss 1: a mean of 2.5
	p.take(training, callbacks.Logs{"loss": 2.5})
	if c := p.batches["loss"]; len(c.y) != 2 || c.y[0] != 4 || c.y[1] != 1 || c.x[0] != 0.1 || math.Abs(c.x[1]-0.3) > 1e-12 {
		t.Errorf("expected the losses 4 and 1 in the middle of their batches, got %v at %v", c.y, c.x)
	}
}

// TestCurve: neighbours become one when there are too many points; the mean stays.
func TestCurve(t *testing.T) {
	var c curve
	for i := range 10_000 {
		c.add(float64(i), float64(i%2))
	}
	if len(c.x) > 2*livePoints {
		t.Errorf("expected at most %d points, got %d", 2*livePoints, len(c.x))
	}
	for i, y := range c.y {
		if math.Abs(y-0.5) > 1e-9 {
			t.Fatalf("point %d: expected the mean of its stretch, 0.5, got %v", i, y)
		}
	}
}

// BenchmarkTrainingPlot is the time of one drawing; there are four a second.
func BenchmarkTrainingPlot(b *testing.B) {
	p, training := longPlot(b, 20, 1875)
	for b.Loop() {
		c, err := p.chart(p.status(training, false))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Live(); err != nil {
			b.Fatal(err)
		}
	}
}
