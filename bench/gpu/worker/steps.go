package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gradbook/gradbook/bench/gpu/record"
	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
)

// config is something to measure.
type config struct {
	model string
	batch int
	dtype string
}

func parseConfigs(text string) (all []config, err error) {
	for part := range strings.SplitSeq(text, ",") {
		f := strings.Split(part, ":")
		if len(f) != 3 {
			return nil, fmt.Errorf("expected model:batch:dtype, got %q", part)
		}
		batch, err := strconv.Atoi(f[1])
		if err != nil || batch < 1 {
			return nil, fmt.Errorf("expected a batch of at least 1, got %q", f[1])
		}
		all = append(all, config{f[0], batch, f[2]})
	}
	return all, nil
}

// policies are the policies by the names of types. Whether float32 is rounded to TF32 is for
// the whole program; GRADBOOK_TF32 says so.
var policies = map[string]string{"float32": "float32", "tf32": "float32", "bfloat16": "mixed_bfloat16"}

// steps measures training, and predictions of 10,000 digits.
func steps(o options) error {
	configs, err := parseConfigs(o.configs)
	if err != nil {
		return err
	}
	if _, err := dl.Device(); err != nil { // it is open before anything is timed
		return err
	}
	for _, c := range configs {
		values, err := measure(c, o.measure)
		r := record.Record{Model: c.model, Batch: c.batch, DType: c.dtype, Values: values}
		if err != nil {
			r.Note = err.Error()
		}
		if err := say(r); err != nil {
			return err
		}
	}
	return nil
}

func measure(c config, at time.Duration) (map[string]float64, error) {
	policy, ok := policies[c.dtype]
	if !ok {
		return nil, fmt.Errorf("expected a type of float32, tf32 or bfloat16, got %q", c.dtype)
	}
	if err := dl.SetDTypePolicy(policy); err != nil {
		return nil, err
	}
	m, err := networks.New(c.model)
	if err != nil {
		return nil, err
	}
	ds, test, err := digits(60000 / c.batch * c.batch)
	if err != nil {
		return nil, err
	}
	t, err := timeSteps(m, ds, c.batch, at)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{"first_s": t.first.Seconds(), "step_ms": t.step().Seconds() * 1000, "steps": float64(t.n)}
	if c.model == "cnn" { // the others' are not asked for
		perSecond, err := predictions(m, test.Batch(1000), at)
		if err != nil {
			return values, err
		}
		values["predict_per_s"] = perSecond
	}
	return values, nil
}

// timeSteps trains for a while. The device works behind the program, so what is timed begins
// and ends with waiting for it.
func timeSteps(m *dl.Model, ds *data.Dataset, batch int, at time.Duration) (*stepTimer, error) {
	t := &stepTimer{at: at, began: time.Now()}
	_, err := m.Fit(context.Background(), ds, dl.FitConfig{BatchSize: batch, Epochs: 1 << 20, Silent: true, Callbacks: []callbacks.Callback{t}})
	return t, err
}

// stepTimer is a callback that times steps: the first, and all of a while behind some that
// are not counted.
type stepTimer struct {
	callbacks.Base
	at, first, took time.Duration
	began           time.Time
	warm, n         int
	measuring       bool
}

func (t *stepTimer) step() time.Duration { return t.took / time.Duration(max(t.n, 1)) }

func (t *stepTimer) OnTrainBatchEnd(training *callbacks.Training) error {
	const warmSteps = 10
	switch {
	case t.first == 0:
		if _, err := training.Logs(); err != nil { // waits
			return err
		}
		t.first = time.Since(t.began)
	case !t.measuring:
		if t.warm++; t.warm < warmSteps && time.Since(t.began) < t.first+t.at {
			return nil
		}
		if _, err := training.Logs(); err != nil {
			return err
		}
		t.measuring, t.began = true, time.Now()
	default:
		if t.n++; time.Since(t.began) < t.at {
			return nil
		}
		_, err := training.Logs()
		t.took = time.Since(t.began)
		training.Stop()
		return err
	}
	return nil
}

func predictions(m *dl.Model, ds *data.Dataset, at time.Duration) (perSecond float64, err error) {
	if _, err := m.Predict(context.Background(), ds); err != nil { // compiles
		return 0, err
	}
	n, began := 0, time.Now()
	for ; n == 0 || time.Since(began) < at; n += ds.Len() {
		if _, err := m.Predict(context.Background(), ds); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// host measures steps of a network that has as many weights as the document's and next to
// nothing to compute: so much of a step is the host's, at most.
func host(o options) error {
	x := dl.Input(layers.Shape{28, 28, 1})
	y := x.Then(layers.Flatten{})
	for range 4 {
		y = y.Then(layers.Dense{Units: 1})
	}
	m, err := dl.Functional([]*dl.Symbol{x}, []*dl.Symbol{y.Then(layers.Dense{Units: 10, Activation: activations.Softmax})})
	if err != nil {
		return err
	}
	if err := networks.Compile(m); err != nil {
		return err
	}
	const batch = 16
	ds, _, err := digits(60000 / batch * batch)
	if err != nil {
		return err
	}
	t, err := timeSteps(m, ds, batch, o.measure)
	if err != nil {
		return err
	}
	return say(record.Record{Model: "empty", Batch: batch, Values: map[string]float64{"step_ms": t.step().Seconds() * 1000}})
}
