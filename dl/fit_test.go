package dl

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// xor is the function that no single layer learns.
func xor(t testing.TB) *data.Dataset {
	t.Helper()
	ds, err := data.FromSlices([][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []float32{0, 1, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func xorModel(t testing.TB, extra ...layers.Layer) *Model {
	t.Helper()
	stack := []layers.Layer{layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 8, Activation: activations.Tanh}}
	stack = append(stack, extra...)
	m, err := Sequential(append(stack, layers.Dense{Units: 1, Activation: activations.Sigmoid})...)
	if err != nil {
		t.Fatal(err)
	}
	err = m.Compile(CompileConfig{
		Optimizer: optimizers.Adam{LearningRate: 0.1},
		Loss:      losses.BinaryCrossentropy{},
		Metrics:   []metrics.Metric{metrics.Accuracy{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFitLearns(t *testing.T) {
	for _, device := range []string{"", "go"} {
		t.Run("device "+device, func(t *testing.T) {
			if err := UseDevice(device); err != nil {
				t.Fatal(err)
			}
			defer UseDevice("")
			SetRandomSeed(1)
			m := xorModel(t)
			h, err := m.Fit(t.Context(), xor(t), FitConfig{Epochs: 100, Silent: true})
			if err != nil {
				t.Fatal(err)
			}
			if h.Epochs() != 100 || h.Last()["accuracy"] != 1 || h.Last()["loss"] > 0.05 {
				t.Errorf("expected XOR learned in 100 epochs, got %v after %d", h.Last(), h.Epochs())
			}
			result, err := m.Evaluate(t.Context(), xor(t))
			if err != nil {
				t.Fatal(err)
			}
			if result["accuracy"] != 1 {
				t.Errorf("expected accuracy 1, got %v", result)
			}
			p, err := m.Predict(t.Context(), xor(t))
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range p.Value().([][]float32) {
				if want := []float64{0, 1, 1, 0}[i]; math.Abs(float64(row[0])-want) > 0.2 {
					t.Errorf("example %d: expected about %g, got %g", i, want, row[0])
				}
			}
		})
	}
}

// TestMoveDevice: a model that was trained on one device goes on on another.
func TestMoveDevice(t *testing.T) {
	defer UseDevice("")
	m := xorModel(t)
	fit := FitConfig{Epochs: 30, Silent: true}
	if _, err := m.Fit(t.Context(), xor(t), fit); err != nil {
		t.Fatal(err)
	}
	before, err := m.Evaluate(t.Context(), xor(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := UseDevice("go"); err != nil {
		t.Fatal(err)
	}
	after, err := m.Evaluate(t.Context(), xor(t))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(before["loss"]-after["loss"]) > 1e-5 {
		t.Errorf("expected the loss %g to stay, got %g", before["loss"], after["loss"])
	}
	if _, err := m.Fit(t.Context(), xor(t), fit); err != nil {
		t.Fatal(err)
	}
	info, err := Device()
	if err != nil || info.Kind != "go" {
		t.Errorf("expected to compute in pure Go, got %v, %v", info, err)
	}
	wantError(t, UseDevice("tpu"), "cpu, cuda", `"tpu"`)
	wantError(t, UseDevice("cpu:x"), "number", `"x"`)
}

// TestSeed: the same seed gives the same weights to the bit; another does not.
func TestSeed(t *testing.T) {
	train := func(seed uint64) []float32 {
		SetRandomSeed(seed)
		m := xorModel(t, layers.Dropout{Rate: 0.3})
		if _, err := m.Fit(t.Context(), xor(t), FitConfig{Epochs: 5, BatchSize: 1, Silent: true}); err != nil {
			t.Fatal(err)
		}
		var all []float32
		weights, err := m.Weights()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range weights {
			values, err := tensors.CopyFlatData[float32](w)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, values...)
		}
		return all
	}
	a, b, c := train(7), train(7), train(8)
	same := func(x, y []float32) bool {
		for i := range x {
			if x[i] != y[i] {
				return false
			}
		}
		return true
	}
	if !same(a, b) {
		t.Error("the same seed gave other weights")
	}
	if same(a, c) {
		t.Error("another seed gave the same weights")
	}
}

// TestResume: two fits of three epochs are one of six, for a data order that
// does not depend on where the second begins.
func TestResume(t *testing.T) {
	train := func(epochs ...int) []*tensors.Tensor {
		SetRandomSeed(3)
		m := xorModel(t)
		for _, n := range epochs {
			if _, err := m.Fit(t.Context(), xor(t), FitConfig{Epochs: n, BatchSize: 3, NoShuffle: true, Silent: true}); err != nil {
				t.Fatal(err)
			}
		}
		w, err := m.Weights()
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	once, twice := train(6), train(3, 3)
	for i := range once {
		kerastest.Close(t, "weight", twice[i], once[i], 0)
	}
}

// TestBatches: the means do not depend on the batch size, nor on the last batch
// being smaller.
func TestBatches(t *testing.T) {
	m := xorModel(t)
	want, err := m.Evaluate(t.Context(), xor(t).Batch(4))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 3, 5} {
		got, err := m.Evaluate(t.Context(), xor(t).Batch(size))
		if err != nil {
			t.Fatal(err)
		}
		for name := range want {
			if math.Abs(got[name]-want[name]) > 1e-6 {
				t.Errorf("batches of %d: expected %s %g, got %g", size, name, want[name], got[name])
			}
		}
		p, err := m.Predict(t.Context(), xor(t).Batch(size))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Shape().Dimensions; got[0] != 4 || got[1] != 1 {
			t.Errorf("batches of %d: expected predictions [4 1], got %v", size, got)
		}
	}
}

func TestValidation(t *testing.T) {
	m := xorModel(t)
	h, err := m.Fit(t.Context(), xor(t), FitConfig{Epochs: 2, ValidationData: xor(t), Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(h.Names, " "), "accuracy loss val_accuracy val_loss"; got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
	result, err := m.Evaluate(t.Context(), xor(t))
	if err != nil {
		t.Fatal(err)
	}
	if h.Last()["val_loss"] != result["loss"] {
		t.Errorf("expected the last val_loss to be that of Evaluate, %g, got %g", result["loss"], h.Last()["val_loss"])
	}
	// The split takes the end of the data: here the example (1, 1) → 0.
	seen := 0
	_, err = xorModel(t).Fit(t.Context(), xor(t), FitConfig{
		ValidationSplit: 0.25, Silent: true,
		Callbacks: []callbacks.Callback{callbacks.LambdaCallback{TrainBegin: func(t *callbacks.Training) error {
			seen = t.Examples
			return nil
		}}},
	})
	if err != nil || seen != 3 {
		t.Errorf("expected 3 examples to train on, got %d, %v", seen, err)
	}
}

func TestCallbacks(t *testing.T) {
	var events []string
	note := func(s string) func(*callbacks.Training) error {
		return func(*callbacks.Training) error { events = append(events, s); return nil }
	}
	c := callbacks.LambdaCallback{
		TrainBegin: note("train begin"), TrainEnd: note("train end"),
		EpochBegin: note("epoch begin"), TrainBatchBegin: note("batch begin"), TrainBatchEnd: note("batch end"),
		EpochEnd: func(t *callbacks.Training, logs callbacks.Logs) error {
			events = append(events, "epoch end")
			if len(logs) != 2 {
				return errors.New("expected accuracy and loss")
			}
			if t.Epoch == 1 {
				t.Stop()
			}
			return nil
		},
	}
	h, err := xorModel(t).Fit(t.Context(), xor(t), FitConfig{Epochs: 9, BatchSize: 2, Silent: true, Callbacks: []callbacks.Callback{c}})
	if err != nil {
		t.Fatal(err)
	}
	if h.Epochs() != 2 {
		t.Errorf("expected Stop to end Fit after 2 epochs, got %d", h.Epochs())
	}
	epoch := "epoch begin, batch begin, batch end, batch begin, batch end, epoch end"
	if got, want := strings.Join(events, ", "), "train begin, "+epoch+", "+epoch+", train end"; got != want {
		t.Errorf("expected %s\ngot %s", want, got)
	}
}

// TestCallbackError: a callback's error ends Fit, but the callbacks are told.
func TestCallbackError(t *testing.T) {
	ended := false
	c := callbacks.LambdaCallback{
		TrainBatchEnd: func(*callbacks.Training) error { return errors.New("disk full") },
		TrainEnd:      func(*callbacks.Training) error { ended = true; return nil },
	}
	_, err := xorModel(t).Fit(t.Context(), xor(t), FitConfig{Silent: true, Callbacks: []callbacks.Callback{c}})
	wantError(t, err, "callbacks.LambdaCallback", "disk full")
	if !ended {
		t.Error("OnTrainEnd was not called")
	}
}

// TestCallbackUsesModel: a callback evaluates the model under training, and
// replaces its weights.
func TestCallbackUsesModel(t *testing.T) {
	m := xorModel(t)
	start, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	var losses []float64
	c := callbacks.LambdaCallback{EpochEnd: func(*callbacks.Training, callbacks.Logs) error {
		result, err := m.Evaluate(t.Context(), xor(t))
		if err != nil {
			return err
		}
		losses = append(losses, result["loss"])
		return m.SetWeights(start)
	}}
	if _, err := m.Fit(t.Context(), xor(t), FitConfig{Epochs: 2, Silent: true, Callbacks: []callbacks.Callback{c}}); err != nil {
		t.Fatal(err)
	}
	after, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for i := range start {
		kerastest.Close(t, "weight", after[i], start[i], 0)
	}
	if len(losses) != 2 || losses[0] == 0 {
		t.Errorf("expected two losses, got %v", losses)
	}
	compiled, _ := m.m.Config()
	again := callbacks.LambdaCallback{TrainBatchEnd: func(*callbacks.Training) error {
		return m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: compiled.Loss})
	}}
	_, err = m.Fit(t.Context(), xor(t), FitConfig{Silent: true, Callbacks: []callbacks.Callback{again}})
	wantError(t, err, "compiled anew")
}

// TestEarlyAndLate: what callbacks may ask for before the first batch, and after
// Fit, and a second Fit within the first.
func TestEarlyAndLate(t *testing.T) {
	m := xorModel(t)
	var kept *callbacks.Training
	c := callbacks.LambdaCallback{TrainBegin: func(training *callbacks.Training) error {
		kept = training
		if logs, err := training.Logs(); err != nil || len(logs) != 0 {
			t.Errorf("expected no logs yet, got %v, %v", logs, err)
		}
		_, err := m.Fit(t.Context(), xor(t), FitConfig{Silent: true})
		wantError(t, err, "being trained already")
		return nil
	}}
	if _, err := m.Fit(t.Context(), xor(t), FitConfig{Silent: true, Callbacks: []callbacks.Callback{c}}); err != nil {
		t.Fatal(err)
	}
	if err := kept.SetLearningRate(1); err == nil {
		t.Error("SetLearningRate after Fit: expected an error, got none")
	}
	if _, err := kept.Logs(); err != nil {
		t.Error(err)
	}
}

// TestOneHotLabels: a dataset whose labels are mapped serves Fit, Evaluate and
// Predict alike.
func TestOneHotLabels(t *testing.T) {
	ds, err := data.FromSlices([][]float32{{0, 0}, {0, 1}, {1, 0}}, []int32{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	ds = ds.Map(data.OneHot(3))
	m, err := Sequential(&layers.Input{Shape: layers.Shape{2}}, &layers.Dense{Units: 3, Activation: activations.Softmax})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.CategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Fit(t.Context(), ds, FitConfig{Silent: true}); err != nil {
		t.Error(err)
	}
	if _, err := m.Evaluate(t.Context(), ds); err != nil {
		t.Error(err)
	}
	if p, err := m.Predict(t.Context(), ds); err != nil || p.Shape().Dimensions[0] != 3 {
		t.Errorf("expected 3 predictions, got %v, %v", p, err)
	}
}

// TestCallbackPanics: a panic reaches the caller of Fit, and the model is usable.
func TestCallbackPanics(t *testing.T) {
	m := xorModel(t)
	func() {
		defer func() {
			if r := recover(); r != "no luck" {
				t.Errorf("expected the callback's panic, got %v", r)
			}
		}()
		c := callbacks.LambdaCallback{TrainBatchEnd: func(*callbacks.Training) error { panic("no luck") }}
		_, _ = m.Fit(t.Context(), xor(t), FitConfig{Silent: true, Callbacks: []callbacks.Callback{c}})
	}()
	if _, err := m.Evaluate(t.Context(), xor(t)); err != nil {
		t.Error(err)
	}
}

// TestLearningRate: a rate of 0 stops all learning from the next step on.
func TestLearningRate(t *testing.T) {
	m := xorModel(t)
	before, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	c := callbacks.LambdaCallback{TrainBegin: func(t *callbacks.Training) error {
		if t.LearningRate() != 0.1 {
			return errors.New("expected the optimizer's rate, 0.1")
		}
		return t.SetLearningRate(0)
	}}
	if _, err := m.Fit(t.Context(), xor(t), FitConfig{Silent: true, Callbacks: []callbacks.Callback{c}}); err != nil {
		t.Fatal(err)
	}
	after, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		kerastest.Close(t, "weight", after[i], before[i], 0)
	}
}

// TestInterrupt: a cancelled Fit says how far it came, keeps what it has learned
// and can go on.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := xorModel(t)
	steps := 0
	c := callbacks.LambdaCallback{TrainBatchEnd: func(*callbacks.Training) error {
		if steps++; steps == 5 {
			cancel()
		}
		return nil
	}}
	h, err := m.Fit(ctx, xor(t), FitConfig{Epochs: 10, BatchSize: 2, Silent: true, Callbacks: []callbacks.Callback{c}})
	var interrupted *InterruptedError
	if !errors.As(err, &interrupted) || !errors.Is(err, context.Canceled) {
		t.Fatalf("expected an InterruptedError of context.Canceled, got %v", err)
	}
	if interrupted.Epoch != 2 || interrupted.Batch != 1 || interrupted.Epochs != 10 || interrupted.Batches != 2 {
		t.Errorf("expected to come to epoch 2, batch 1 of 10 and 2, got %+v", interrupted)
	}
	if h.Epochs() != 2 {
		t.Errorf("expected a history of 2 epochs, got %d", h.Epochs())
	}
	if progress := string(must(m.m.Progress())(t)); !strings.Contains(progress, `"iteration":5,`) {
		t.Errorf("expected 5 steps to be kept, got %s", progress)
	}
	if _, err := m.Fit(t.Context(), xor(t), FitConfig{Silent: true}); err != nil {
		t.Errorf("the next Fit: %v", err)
	}
}

// TestBadData: what is wrong with the data is reported before the first step,
// and the model is as it was.
func TestBadData(t *testing.T) {
	x := [][]float32{{0, 0}, {1, 1}}
	nan := float32(math.NaN())
	dataset := func(x, y any) *data.Dataset {
		ds, err := data.FromSlices(x, y)
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	classifier := func() *Model {
		m, err := Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3, Activation: activations.Softmax})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	good := dataset(x, []int32{0, 2})
	for _, c := range []struct {
		name  string
		data  *data.Dataset
		fit   FitConfig
		parts []string
	}{
		{"nothing", nil, FitConfig{}, []string{"a dataset", "nil"}},
		{"empty dataset", good.Take(0), FitConfig{}, []string{"at least one example", "empty"}},
		{"wrong input shape", dataset([][]float32{{1, 2, 3}}, []int32{0}), FitConfig{}, []string{`layer "dense" (Dense)`, "(None, 2)", "(None, 3)"}},
		{"no labels", dataset(x, nil), FitConfig{}, []string{"labels", "without"}},
		{"labels of another shape", dataset(x, [][]int32{{0, 1}, {1, 0}}), FitConfig{}, []string{"sparse_categorical_crossentropy", `layer "dense"`, "[2]"}},
		{"label too large", dataset(x, []int32{0, 3}), FitConfig{}, []string{"0 to 2", "got 3", "example 1"}},
		{"negative label", dataset(x, []int32{-1, 0}), FitConfig{}, []string{"got -1", "example 0"}},
		{"label between classes", dataset(x, []float32{0, 1.5}), FitConfig{}, []string{"got 1.5", "example 1"}},
		{"NaN", dataset([][]float32{{0, 0}, {0, nan}}, []int32{0, 1}), FitConfig{}, []string{"finite inputs", "NaN", "example 1", "[1]"}},
		{"infinity", dataset([][]float64{{math.Inf(1), 0}}, []int32{0}), FitConfig{}, []string{"+Inf", "example 0"}},
		{"validation label", good, FitConfig{ValidationData: dataset(x, []int32{0, 9})}, []string{"got 9"}},
		{"both validations", good, FitConfig{ValidationData: good, ValidationSplit: 0.5}, []string{"both"}},
		{"split of all", good, FitConfig{ValidationSplit: 1}, []string{"[0, 1)"}},
		{"split of too little", good.Take(1), FitConfig{ValidationSplit: 0.5}, []string{"both sides"}},
		{"negative epochs", good, FitConfig{Epochs: -1}, []string{"Epochs", "-1"}},
		{"negative batch", good, FitConfig{BatchSize: -1}, []string{"BatchSize", "-1"}},
		{"nil callback", good, FitConfig{Callbacks: []callbacks.Callback{nil}}, []string{"place 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := classifier()
			before, err := m.Weights()
			if err != nil {
				t.Fatal(err)
			}
			c.fit.Silent = true
			_, err = m.Fit(t.Context(), c.data, c.fit)
			wantError(t, err, c.parts...)
			after, err := m.Weights()
			if err != nil {
				t.Fatal(err)
			}
			for i := range before {
				kerastest.Close(t, "weight", after[i], before[i], 0)
			}
		})
	}
	m, err := Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Fit(t.Context(), good, FitConfig{})
	wantError(t, err, "not compiled", "Compile")
	if err := m.Compile(CompileConfig{Loss: losses.SparseCategoricalCrossentropy{Logits: true}}); err != nil {
		t.Fatal(err)
	}
	_, err = m.Fit(t.Context(), good, FitConfig{})
	wantError(t, err, "Optimizer")
	if _, err := m.Evaluate(t.Context(), good); err != nil {
		t.Errorf("Evaluate needs no optimizer: %v", err)
	}
}

// TestSoftmaxAndLogits: a model with a softmax at its end trains as one without
// whose loss is told that it gets logits.
func TestSoftmaxAndLogits(t *testing.T) {
	train := func(loss losses.Loss, tail ...layers.Layer) Logs {
		SetRandomSeed(5)
		m, err := Sequential(append([]layers.Layer{layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 2}}, tail...)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{LearningRate: 1}, Loss: loss}); err != nil {
			t.Fatal(err)
		}
		h, err := m.Fit(t.Context(), xor(t), FitConfig{Epochs: 20, NoShuffle: true, Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		return h.Last()
	}
	want := train(losses.SparseCategoricalCrossentropy{Logits: true})
	got := train(losses.SparseCategoricalCrossentropy{}, layers.Activation{Activation: activations.Softmax})
	if got["loss"] != want["loss"] {
		t.Errorf("expected loss %g, got %g", want["loss"], got["loss"])
	}
}

func TestProgressBarIsShown(t *testing.T) {
	var out bytes.Buffer
	_, err := xorModel(t).Fit(t.Context(), xor(t), FitConfig{
		Epochs: 2, Silent: true, ValidationData: xor(t),
		Callbacks: []callbacks.Callback{&callbacks.ProgressBar{W: &out}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], "Epoch 2/2") || !strings.Contains(lines[1], "val_loss") {
		t.Errorf("expected a line for each of 2 epochs, got\n%s", out.String())
	}
}
