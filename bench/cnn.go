package main

import (
	"context"
	"slices"
	"time"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// newCNN is the document's network, compiled as the document does.
func newCNN() (*dl.Model, error) {
	window := [2]int{3, 3}
	m, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{28, 28, 1}},
		layers.Conv2D{Filters: 32, KernelSize: window, Activation: activations.ReLU},
		layers.MaxPooling2D{},
		layers.Conv2D{Filters: 64, KernelSize: window, Activation: activations.ReLU},
		layers.MaxPooling2D{},
		layers.Conv2D{Filters: 64, KernelSize: window, Activation: activations.ReLU},
		layers.Flatten{},
		layers.Dense{Units: 64, Activation: activations.ReLU},
		layers.Dense{Units: 10, Activation: activations.Softmax},
	)
	if err != nil {
		return nil, err
	}
	return m, m.Compile(dl.CompileConfig{
		Optimizer: optimizers.Adam{},
		Loss:      losses.SparseCategoricalCrossentropy{},
		Metrics:   []metrics.Metric{metrics.Accuracy{}},
	})
}

// measureGradbook trains the network for a warm-up of 100 steps, which compiles,
// and then for an epoch.
func measureGradbook(batch int) (result, error) {
	train, _, err := datasets.MNIST()
	if err != nil {
		return result{}, err
	}
	train = train.Map(data.Rescale(1 / 255.0))
	m, err := newCNN()
	if err != nil {
		return result{}, err
	}
	ctx, began := context.Background(), time.Now()
	t := &timer{stopAfter: 100}
	fit := dl.FitConfig{BatchSize: batch, Silent: true, Callbacks: []callbacks.Callback{t}}
	if _, err := m.Fit(ctx, train, fit); err != nil {
		return result{}, err
	}
	first := t.first.Sub(began)
	*t = timer{}
	if _, err := m.Fit(ctx, train, fit); err != nil {
		return result{}, err
	}
	slices.Sort(t.steps)
	return result{
		First:  first.Seconds(),
		Step:   t.steps[len(t.steps)/2].Seconds() * 1000,
		Epoch:  t.epoch.Seconds(),
		Memory: peakMemory(),
	}, nil
}

// timer is a callback that times steps from one's end to the next one's, and
// with them what the host does in between.
type timer struct {
	callbacks.Base
	first, last, began time.Time
	steps              []time.Duration
	epoch              time.Duration
	stopAfter          int // 0 for never
}

func (t *timer) OnEpochBegin(*callbacks.Training) error {
	t.began = time.Now()
	return nil
}

func (t *timer) OnTrainBatchEnd(training *callbacks.Training) error {
	now := time.Now()
	if t.first.IsZero() {
		t.first = now
	} else {
		t.steps = append(t.steps, now.Sub(t.last))
	}
	t.last = now
	if len(t.steps) == t.stopAfter-1 {
		training.Stop()
	}
	return nil
}

func (t *timer) OnEpochEnd(*callbacks.Training, callbacks.Logs) error {
	t.epoch = time.Since(t.began)
	return nil
}
