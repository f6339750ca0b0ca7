package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/bench/gpu/record"
	"github.com/gradbook/gradbook/bench/networks"
	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
)

// fixture is a model of dl/testdata that Keras has saved, beside this program.
func fixture(name string) string {
	files := map[string]string{"cnn": "document.keras", "lstm": "lstm.keras"}
	self, err := os.Executable()
	if err != nil {
		return files[name]
	}
	return filepath.Join(filepath.Dir(self), "dl", "testdata", files[name])
}

// document runs the document's program: five epochs, and how many digits are right.
func document(o options) error {
	began := time.Now()
	if o.seed {
		dl.SetRandomSeed(1)
	}
	m, err := networks.New("cnn")
	if err != nil {
		return err
	}
	ds, test, err := digits(o.examples)
	if err != nil {
		return err
	}
	if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: o.epochs, BatchSize: 32, Silent: true}); err != nil {
		return err
	}
	fitted := time.Since(began)
	logs, err := m.Evaluate(context.Background(), test)
	if err != nil {
		return err
	}
	return say(record.Record{Model: "cnn", Batch: 32, Values: map[string]float64{
		"test_accuracy": logs["accuracy"], "test_loss": logs["loss"], "epochs": float64(o.epochs), "examples": float64(o.examples),
		"fit_s": fitted.Seconds(), "whole_s": time.Since(began).Seconds(),
	}})
}

// train trains two networks, one that convolves and one that looks things up, whose gradient
// adds up in any order unless told otherwise, and says what the weights are, in short.
func train(o options) error {
	if o.seed {
		dl.SetRandomSeed(7)
	}
	h := sha256.New()
	cnn, err := networks.New("cnn")
	if err != nil {
		return err
	}
	rows := dl.Input(layers.Shape{28, 28, 1})
	words, err := dl.Functional([]*dl.Symbol{rows}, []*dl.Symbol{rows.Then(
		layers.Flatten{},
		layers.Embedding{InputDim: 256, OutputDim: 8},
		layers.GlobalAveragePooling1D{},
		layers.Dropout{Rate: 0.1},
		layers.Dense{Units: 10, Activation: activations.Softmax},
	)})
	if err != nil {
		return err
	}
	if err := networks.Compile(words); err != nil {
		return err
	}
	ds, _, err := digits(o.examples)
	if err != nil {
		return err
	}
	raw, _, err := datasets.MNIST()
	if err != nil {
		return err
	}
	for _, c := range []struct {
		m  *dl.Model
		ds *data.Dataset
	}{{cnn, ds}, {words, raw.Take(o.examples)}} {
		if _, err := c.m.Fit(context.Background(), c.ds, dl.FitConfig{BatchSize: 64, Silent: true}); err != nil {
			return err
		}
		weights, err := c.m.Weights()
		if err != nil {
			return err
		}
		for _, w := range weights {
			if err := w.ConstFlatData(func(flat any) { _ = binary.Write(h, binary.LittleEndian, flat) }); err != nil {
				return err
			}
		}
	}
	weights := hex.EncodeToString(h.Sum(nil)[:8])
	t, err := timeSteps(cnn, ds, 64, o.measure)
	if err != nil {
		return err
	}
	return say(record.Record{
		Text:   map[string]string{"weights": weights},
		Values: map[string]float64{"step_ms": t.step().Seconds() * 1000},
	})
}

const fileExamples = 64

// save trains for some steps, saves the model, and what it predicts.
func save(o options) error {
	m, err := networks.New("cnn")
	if err != nil {
		return err
	}
	ds, test, err := digits(2048)
	if err != nil {
		return err
	}
	if _, err := m.Fit(context.Background(), ds, dl.FitConfig{BatchSize: 64, Silent: true}); err != nil {
		return err
	}
	predicted, err := flatOf(m.Predict(context.Background(), test.Take(fileExamples)))
	if err != nil {
		return err
	}
	if err := m.Save(filepath.Join(o.dir, "model.keras")); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(o.dir, "predicted"))
	if err != nil {
		return err
	}
	return errors.Join(binary.Write(f, binary.LittleEndian, predicted), f.Close())
}

// load loads that model, on another device, and compares.
func load(o options) error {
	d, err := dl.Device()
	if err != nil {
		return err
	}
	m, err := dl.Load(filepath.Join(o.dir, "model.keras"))
	if err != nil {
		return err
	}
	_, test, err := digits(1)
	if err != nil {
		return err
	}
	got, err := flatOf(m.Predict(context.Background(), test.Take(fileExamples)))
	if err != nil {
		return err
	}
	want := make([]float32, len(got))
	f, err := os.Open(filepath.Join(o.dir, "predicted"))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read from
	if err := binary.Read(f, binary.LittleEndian, want); err != nil {
		return err
	}
	worst := 0.0
	for i := range want {
		worst = math.Max(worst, math.Abs(float64(got[i]-want[i])))
	}
	return say(record.Record{
		Text:   map[string]string{"loaded_on": d.Kind},
		Values: map[string]float64{"worst_difference": worst, "examples": fileExamples},
	})
}

func flatOf(t *tensors.Tensor, err error) ([]float32, error) {
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](t)
}

// oom trains with a batch for which there is too little memory, and then with one for which
// there is enough.
func oom(o options) error {
	m, err := networks.New("cnn")
	if err != nil {
		return err
	}
	ds, _, err := digits(60000)
	if err != nil {
		return err
	}
	fit := func(batch, steps int) error {
		_, err := m.Fit(context.Background(), ds, dl.FitConfig{BatchSize: batch, StepsPerEpoch: steps, Silent: true})
		return err
	}
	if err := fit(128, 10); err != nil {
		return err
	}
	err = fit(o.batch, 1)
	var short *dl.OutOfMemoryError
	if !errors.As(err, &short) {
		return fmt.Errorf("expected an OutOfMemoryError for a batch of %d, got %w", o.batch, orNone(err))
	}
	if err := fit(128, 10); err != nil {
		return fmt.Errorf("expected that the model can be trained on, got %w", err)
	}
	return say(record.Record{
		Batch:  o.batch,
		Text:   map[string]string{"error": err.Error()},
		Values: map[string]float64{"wanted_mb": float64(short.Wanted >> 20)},
	})
}

func orNone(err error) error {
	if err == nil {
		return errors.New("none")
	}
	return err
}
