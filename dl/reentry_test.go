package dl

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// pair is a small model of two layers.
func pair(t *testing.T, o optimizers.Optimizer) *Model {
	t.Helper()
	SetRandomSeed(1)
	m := must(Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3}, layers.Dense{Units: 1}))(t)
	if err := m.Compile(CompileConfig{Optimizer: o, Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	return m
}

func fours(t *testing.T) *data.Dataset {
	t.Helper()
	return must(data.FromSlices([][]float32{{1, 2}, {3, 4}, {5, 6}, {7, 8}}, [][]float32{{1}, {2}, {3}, {4}}))(t)
}

// inTime fails the test, where it would wait for ever.
func inTime(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("expected an end, got a deadlock")
	}
}

// TestGeneratorUsesModel: what makes the data may use the model that learns from it,
// also from another goroutine.
func TestGeneratorUsesModel(t *testing.T) {
	m := pair(t, optimizers.SGD{LearningRate: 0.001})
	ds := must(data.FromGenerator(func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			for {
				w, err := m.Weights()
				if err == nil {
					err = m.SetWeights(w)
				}
				if !yield(data.Example{X: []float32{1, 2}, Y: []float32{1}}, err) {
					return
				}
			}
		}
	}))(t)
	for name, ds := range map[string]*data.Dataset{"read": ds, "prefetched": ds.Prefetch(2)} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func() error {
				for range 20 {
					if _, err := m.Fit(t.Context(), ds.Batch(4), FitConfig{Silent: true, StepsPerEpoch: 3, Epochs: 2}); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// TestStepUsesModel: a custom step is traced while others may look at the model.
func TestStepUsesModel(t *testing.T) {
	m := pair(t, optimizers.SGD{})
	err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Step: func(s *Step) {
		if n := len(m.Layers()); n != 2 {
			t.Errorf("expected the model's 2 layers, got %d", n)
		}
		s.Minimize(graph.ReduceAllMean(graph.Square(graph.Sub(s.Forward(s.X...)[0], s.Y[0]))))
	}})
	if err != nil {
		t.Fatal(err)
	}
	inTime(t, func() error {
		_, err := m.Fit(t.Context(), fours(t), FitConfig{Silent: true})
		return err
	})
}

// block is a layer of the user's that makes a model when it is built.
type block struct{}

func (block) Build(in layers.Shape) (layers.Spec, error) {
	m, err := Sequential(layers.Input{Shape: in}, layers.Dense{Units: 2})
	if err != nil {
		return layers.Spec{}, err
	}
	return m.Build(in)
}

func (block) Call(_ *layers.Context, x *graph.Node) *graph.Node { return x }

// TestBuildMakesModels: a layer's Build may make models.
func TestBuildMakesModels(t *testing.T) {
	inTime(t, func() error {
		_, err := Sequential(layers.Input{Shape: layers.Shape{2}}, block{})
		return err
	})
	inTime(t, func() error {
		m, err := Sequential(block{})
		if err != nil {
			return err
		}
		return m.BuildFor(layers.Shape{2})
	})
}

// TestSharedNormalization: a layer that is applied twice in a step updates its state
// twice, as in Keras: (0·½ + 2·½)·½ + 20·½.
func TestSharedNormalization(t *testing.T) {
	a, b := Input(layers.Shape{1}), Input(layers.Shape{1})
	norm := NewLayer(layers.BatchNormalization{Momentum: 0.5})
	m := must(Functional([]*Symbol{a, b}, []*Symbol{Apply(layers.Add{}, Apply(norm, a), Apply(norm, b))}))(t)
	if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	ds := data.Zip(
		must(data.FromSlices([][]float32{{1}, {3}}, [][]float32{{1}, {1}}))(t),
		must(data.FromSlices([][]float32{{10}, {30}}, nil))(t),
	)
	must(m.Fit(t.Context(), ds, FitConfig{Silent: true}))(t)
	if got := must(m.Weights())(t)[2].Value(); !slices.Equal(got.([]float32), []float32{10.5}) {
		t.Errorf("expected a moving mean of 10.5, got %v", got)
	}
}

// TestFrozenIsRemembered: what the optimizer knows of a frozen layer is saved, and a
// layer that was never trained can be saved, loaded and trained then.
func TestFrozenIsRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	run := func(saved bool) []float64 {
		m := pair(t, optimizers.Adam{LearningRate: 0.1})
		must(m.Fit(t.Context(), fours(t), FitConfig{Silent: true, Epochs: 3}))(t)
		m.Layers()[0].SetTrainable(false)
		if saved {
			if err := m.Save(path); err != nil {
				t.Fatal(err)
			}
			m = must(Load(path))(t)
		}
		m.Layers()[0].SetTrainable(true)
		return must(m.Fit(t.Context(), fours(t), FitConfig{Silent: true, Epochs: 6, InitialEpoch: 3}))(t).Metrics["loss"]
	}
	if want, got := run(false), run(true); !slices.Equal(got, want) {
		t.Errorf("expected losses %v, got %v from the file", want, got)
	}
	m := pair(t, optimizers.Adam{})
	m.Layers()[0].SetTrainable(false)
	must(m.Fit(t.Context(), fours(t), FitConfig{Silent: true}))(t)
	m.SetTrainable(true)
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	must(must(Load(path))(t).Fit(t.Context(), fours(t), FitConfig{Silent: true, Epochs: 2}))(t)
}

// TestResumeInEpoch: a training that was cut in an epoch logs what it would have logged.
func TestResumeInEpoch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	ds := fours(t).Repeat(4)
	config := FitConfig{Silent: true, Epochs: 3, BatchSize: 2}
	want := must(pair(t, optimizers.Adam{LearningRate: 0.1}).Fit(t.Context(), ds, config))(t).Metrics["loss"]
	cut, batches := errors.New("cut"), 0
	config.Callbacks = []callbacks.Callback{
		&callbacks.BackupAndRestore{Path: path, SaveFreq: 3},
		callbacks.LambdaCallback{TrainBatchEnd: func(*callbacks.Training) error {
			if batches++; batches == 13 {
				return cut
			}
			return nil
		}},
	}
	if _, err := pair(t, optimizers.Adam{LearningRate: 0.1}).Fit(t.Context(), ds, config); !errors.Is(err, cut) {
		t.Fatalf("expected to be cut, got %v", err)
	}
	config.Callbacks = config.Callbacks[:1]
	got := must(pair(t, optimizers.Adam{LearningRate: 0.1}).Fit(t.Context(), ds, config))(t).Metrics["loss"]
	if !slices.Equal(got, want[1:]) {
		t.Errorf("expected losses %v of the epochs that were left, got %v", want[1:], got)
	}
}

// TestAverageOfWeights: single batches keep the average of the weights as an epoch of
// them does; it is not put in place between them.
func TestAverageOfWeights(t *testing.T) {
	o := optimizers.SGD{LearningRate: 0.01, Options: optimizers.Options{UseEMA: true, EMAMomentum: 0.9}}
	x, y := tensors.FromValue([][]float32{{1, 2}, {3, 4}}), tensors.FromValue([][]float32{{1}, {2}})
	m := pair(t, o)
	var got []float64
	for range 5 {
		got = append(got, must(m.TrainOnBatch(x, y))(t)["loss"])
	}
	want := must(pair(t, o).Fit(t.Context(), must(data.New(x, y))(t), FitConfig{Epochs: 5, Silent: true, NoShuffle: true}))(t).Metrics["loss"]
	if !slices.Equal(got, want) {
		t.Errorf("expected losses %v, got %v", want, got)
	}
}

// TestStreamGoesOn: with StepsPerEpoch the next epoch reads on where the last ended.
func TestStreamGoesOn(t *testing.T) {
	var seen []float32
	ds := must(data.FromGenerator(func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			for i := float32(0); ; i++ {
				seen = append(seen, i)
				if !yield(data.Example{X: []float32{i, i}, Y: []float32{1}}, nil) {
					return
				}
			}
		}
	}))(t)
	seen = nil
	must(pair(t, optimizers.SGD{LearningRate: 1e-6}).Fit(t.Context(), ds, FitConfig{Silent: true, BatchSize: 2, StepsPerEpoch: 2, Epochs: 3}))(t)
	if want := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; !slices.Equal(seen, want) {
		t.Errorf("expected each example once, got %v", seen)
	}
}

// TestHostileFile: a file may say anything.
func TestHostileFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	if err := pair(t, optimizers.SGD{}).Save(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`batch_shape`, `batch_shapX`, "expected a shape"},
		{`\"units\":3`, `\"units\":0`, "expected Units of at least 1"},
		{`\"units\":3`, `\"units\":4`, "[2 4]"},
	} {
		text := strings.ReplaceAll(string(good), c.old, c.new)
		if text == string(good) {
			t.Fatalf("expected %s in the file", c.old)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: expected an error with %q, got %v", c.new, c.want, err)
		}
	}
}

// TestNothings: a nil is told of, wherever it is.
func TestNothings(t *testing.T) {
	in := Input(layers.Shape{2})
	second := func(_ any, err error) error { return err }
	for name, f := range map[string]func() error{
		"a nil *Layer":    func() error { return second(Sequential((*Layer)(nil))) },
		"a nil *Model":    func() error { return Apply((*Model)(nil), in).Err() },
		"a nil *Dense":    func() error { return Apply((*layers.Dense)(nil), in).Err() },
		"a layer":         func() error { return Apply(nil, in).Err() },
		"an empty symbol": func() error { return second(Functional([]*Symbol{{}}, []*Symbol{{}})) },
		"a dataset":       func() error { return second(pair(t, optimizers.SGD{}).Fit(t.Context(), nil, FitConfig{})) },
		"a batch":         func() error { return second(pair(t, optimizers.SGD{}).TrainOnBatch(nil, nil)) },
		"a context":       func() error { return second(pair(t, optimizers.SGD{}).Fit(nil, fours(t), FitConfig{Silent: true})) }, //nolint:staticcheck // on purpose
		"a loss of an output": func() error {
			return pair(t, optimizers.SGD{}).Compile(CompileConfig{Losses: map[string]losses.Loss{"dense_1": nil}})
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "expected ") {
			t.Errorf("%s: expected an error that says what was expected, got %v", name, err)
		}
	}
}
