package main

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/bench/rusage"
	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// measureGradbook trains the network for a warm-up of 100 steps, which compiles,
// and then for an epoch; or for so many steps after a few.
func measureGradbook(name string, batch, steps int) (result, error) {
	train, test, err := datasets.MNIST()
	if err != nil {
		return result{}, err
	}
	train = networks.Examples(name, train)
	m, err := networks.New(name)
	if err != nil {
		return result{}, err
	}
	ctx, began := context.Background(), time.Now()
	t := &timer{stopAfter: 100}
	if steps > 0 {
		t.stopAfter = warmUp
	}
	fit := dl.FitConfig{BatchSize: batch, Silent: true, Callbacks: []callbacks.Callback{t}}
	if _, err := m.Fit(ctx, train, fit); err != nil {
		return result{}, err
	}
	first := t.first.Sub(began)
	*t = timer{stopAfter: steps}
	if _, err := m.Fit(ctx, train, fit); err != nil {
		return result{}, err
	}
	slices.Sort(t.steps)
	test = test.Take(predicted(steps))
	one, many, err := measurePredict(m, networks.Examples(name, test))
	if err != nil {
		return result{}, err
	}
	products, err := networks.Products(m)
	if err != nil {
		return result{}, err
	}
	matrices, err := measureProduct()
	if err != nil {
		return result{}, err
	}
	return result{
		Products: products * batch, Matrices: matrices,
		One:    one.Seconds() * 1000,
		Many:   many.Seconds() * 1000,
		First:  first.Seconds(),
		Step:   t.steps[len(t.steps)/2].Seconds() * 1000,
		Epoch:  t.epoch.Seconds(),
		Memory: rusage.Peak(),
	}, nil
}

// measureProduct is how many billions of operations a second a product of matrices does: about what any
// program could reach.
func measureProduct() (float64, error) {
	const n, times = 1536, 4
	all := []layers.Layer{layers.Input{Shape: layers.Shape{n}}}
	for range times {
		all = append(all, layers.Dense{Units: n, NoBias: true})
	}
	m, err := dl.Sequential(all...)
	if err != nil {
		return 0, err
	}
	x := tensor.New(make([]float32, n*n), n, n)
	best := math.Inf(1)
	for range 6 {
		began := time.Now()
		if _, err := m.PredictOnBatch(x); err != nil {
			return 0, err
		}
		best = min(best, time.Since(began).Seconds())
	}
	return 2 * n * n * n * times / best / 1e9, nil
}

// warmUp is how many steps a network has before so many are measured that are no epoch.
const warmUp = 5

// predicted is how many images are predicted at once.
func predicted(steps int) int {
	if steps > 0 {
		return 100
	}
	return 10000
}

// measurePredict times predictions of one image, and of all 10,000, after those that
// compile.
func measurePredict(m *dl.Model, test *data.Dataset) (one, many time.Duration, err error) {
	ctx := context.Background()
	timed := func(ds *data.Dataset, times int) (time.Duration, error) {
		var all []time.Duration
		for range times + 1 {
			began := time.Now()
			if _, err := m.Predict(ctx, ds); err != nil {
				return 0, err
			}
			all = append(all, time.Since(began))
		}
		all = all[1:]
		slices.Sort(all)
		return all[len(all)/2], nil
	}
	if one, err = timed(test.Take(1), 200); err != nil {
		return 0, 0, err
	}
	many, err = timed(test.Batch(1000), 5)
	return one, many, err
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
