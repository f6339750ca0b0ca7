package dl_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/privacy"
	"github.com/gradbook/gradbook/dl/tensor"
)

// privateModels have a layer of each kind of rule, and of none.
var privateModels = []struct {
	name    string
	classes bool // inputs are numbers of words
	stack   []layers.Layer
}{
	{"dense", false, []layers.Layer{layers.Input{Shape: layers.Shape{6, 6, 2}}, layers.Flatten{}, layers.Dense{Units: 5, Activation: activations.Tanh}, layers.Dense{Units: 3, Activation: activations.Softmax}}},
	{"places", false, []layers.Layer{layers.Input{Shape: layers.Shape{6, 6, 2}}, layers.Dense{Units: 4, Activation: activations.ReLU}, layers.GlobalAveragePooling2D{}, layers.Dense{Units: 3, Activation: activations.Softmax}}},
	{"conv", false, []layers.Layer{layers.Input{Shape: layers.Shape{6, 6, 2}}, layers.Conv2D{Filters: 4, KernelSize: [2]int{3, 3}, Padding: layers.Same, Strides: [2]int{2, 2}, Activation: activations.ReLU}, layers.Conv2D{Filters: 4, KernelSize: [2]int{2, 2}, Groups: 2, NoBias: true}, layers.Flatten{}, layers.Dense{Units: 3, Activation: activations.Softmax}}},
	{"depthwise", false, []layers.Layer{layers.Input{Shape: layers.Shape{6, 6, 2}}, layers.DepthwiseConv2D{KernelSize: [2]int{3, 3}, DepthMultiplier: 2}, layers.GroupNormalization{Groups: 2}, layers.MaxPooling2D{}, layers.Flatten{}, layers.Dense{Units: 3, Activation: activations.Softmax}}},
	{"words", true, []layers.Layer{layers.Input{Shape: layers.Shape{8}}, layers.Embedding{InputDim: 5, OutputDim: 4}, layers.LayerNormalization{}, layers.Conv1D{Filters: 4, KernelSize: 3, DilationRate: 2, Padding: layers.Causal}, layers.GlobalMaxPooling1D{}, layers.Dense{Units: 3, Activation: activations.Softmax}}},
	{"recurrent", true, []layers.Layer{layers.Input{Shape: layers.Shape{8}}, layers.Embedding{InputDim: 5, OutputDim: 4, MaskZero: true}, layers.LSTM{Units: 3}, layers.Dense{Units: 3, Activation: activations.Softmax}}},
}

// privateExamples are a few, of which the first is far larger than others.
func privateExamples(m *dl.Model, words bool, n int) (x, y *tensor.Tensor) {
	shape := append([]int{n}, m.InputShape()...)
	size := m.InputShape().Size()
	flat, labels := make([]float32, n*size), make([]int32, n)
	for i := range flat {
		flat[i] = float32(math.Sin(float64(i*i+3*i))) * (1 + 4*float32(max(1-i/size, 0)))
		if words {
			flat[i] = float32((i*i + i/7) % 5)
		}
	}
	for i := range labels {
		labels[i] = int32(i % 3)
	}
	return tensor.New(flat, shape...), tensor.New(labels, n, 1)
}

// TestPrivateStep computes a step from the gradients of single examples, which TrainOnBatch
// gives, and compares.
func TestPrivateStep(t *testing.T) {
	for _, c := range privateModels {
		for _, clip := range []float64{0.3, 1000} {
			t.Run(c.name, func(t *testing.T) {
				dl.SetRandomSeed(5)
				m, err := dl.Sequential(c.stack...)
				fatal(t, err)
				const n = 10
				x, y := privateExamples(m, c.classes, n)
				ds, err := data.New(x, y)
				fatal(t, err)
				before := flatWeights(t, m)
				start, err := m.Weights()
				fatal(t, err)
				want := append([]float64{}, before...)
				plain := dl.CompileConfig{Optimizer: optimizers.SGD{LearningRate: 1}, Loss: losses.SparseCategoricalCrossentropy{}}
				for i := range n {
					fatal(t, m.SetWeights(start))
					fatal(t, m.Compile(plain))
					xs, ys := row(t, x, i), rowOf[int32](t, y, i)
					_, err := m.TrainOnBatch(xs, ys)
					fatal(t, err)
					after, length := flatWeights(t, m), 0.0
					for k := range after {
						length += (after[k] - before[k]) * (after[k] - before[k])
					}
					factor := min(1, clip/math.Sqrt(length))
					for k := range after {
						want[k] += (after[k] - before[k]) * factor / n
					}
				}
				fatal(t, m.SetWeights(start))
				plain.Privacy = &privacy.SGD{ClipNorm: clip, NoiseMultiplier: 1e-9, Microbatch: 7}
				fatal(t, m.Compile(plain))
				_, err = m.Fit(context.Background(), ds, dl.FitConfig{BatchSize: n, StepsPerEpoch: 1})
				if err != nil && !strings.Contains(err.Error(), "grid") {
					t.Fatal(err)
				}
				for k, got := range flatWeights(t, m) {
					if math.Abs(got-want[k]) > 2e-5 {
						t.Fatalf("clip %g: weight %d: expected %g, got %g; it was %g", clip, k, want[k], got, before[k])
					}
				}
			})
		}
	}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func flatWeights(t *testing.T, m *dl.Model) (all []float64) {
	t.Helper()
	weights, err := m.Weights()
	fatal(t, err)
	for _, w := range weights {
		flat, err := tensor.Flat[float32](w)
		fatal(t, err)
		for _, v := range flat {
			all = append(all, float64(v))
		}
	}
	return all
}

func row(t *testing.T, x *tensor.Tensor, i int) *tensor.Tensor { return rowOf[float32](t, x, i) }

func rowOf[T tensor.Number](t *testing.T, x *tensor.Tensor, i int) *tensor.Tensor {
	t.Helper()
	flat, err := tensor.Flat[T](x)
	fatal(t, err)
	d := x.Shape().Dimensions
	size := len(flat) / d[0]
	return tensor.New(flat[i*size:(i+1)*size:(i+1)*size], append([]int{1}, d[1:]...)...)
}

// TestPrivateTraining trains on samples, saves, loads and goes on, and checks the account.
func TestPrivateTraining(t *testing.T) {
	m, err := dl.Sequential(privateModels[0].stack...)
	fatal(t, err)
	x, y := privateExamples(m, false, 60)
	ds, err := data.New(x, y)
	fatal(t, err)
	fatal(t, m.Compile(dl.CompileConfig{
		Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}},
		Privacy: &privacy.SGD{ClipNorm: 1, NoiseMultiplier: 1.5, Delta: 1e-3},
	}))
	h, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 3, BatchSize: 12})
	fatal(t, err)
	plan := privacy.Plan{Examples: 60, BatchSize: 12, Epochs: 3, NoiseMultiplier: 1.5, Delta: 1e-3}
	want, err := plan.Epsilon()
	fatal(t, err)
	all := h.Metrics["epsilon"]
	if len(all) != 3 || math.Abs(all[2]-want) > 1e-9 || all[0] >= all[1] {
		t.Errorf("expected an ε that grows to %g, got %v", want, all)
	}
	path := filepath.Join(t.TempDir(), "private.safetensors")
	fatal(t, m.Save(path))
	again, err := dl.Load(path)
	fatal(t, err)
	if got := again.Privacy(); got.Ledger.Steps() != 15 || got.Delta != 1e-3 || got.PlainSteps != 0 {
		t.Errorf("expected 15 steps with δ 0.001 in the file, got %+v", got)
	}
	_, err = again.Fit(context.Background(), ds, dl.FitConfig{Epochs: 1, BatchSize: 12})
	fatal(t, err)
	if got := again.Privacy(); got.Ledger.Steps() != 20 || len(got.Ledger) != 1 {
		t.Errorf("expected the loaded model to go on privately, to 20 steps, got %+v", got)
	}
}

// TestPrivateRefusals are trainings that cannot be private.
func TestPrivateRefusals(t *testing.T) {
	private := func(p privacy.SGD) dl.CompileConfig {
		return dl.CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.SparseCategoricalCrossentropy{}, Privacy: &p}
	}
	good := privacy.SGD{ClipNorm: 1, NoiseMultiplier: 1}
	m, err := dl.Sequential(privateModels[0].stack...)
	fatal(t, err)
	for want, p := range map[string]privacy.SGD{
		"ClipNorm above 0": {NoiseMultiplier: 1}, "NoiseMultiplier above 0": {ClipNorm: 1},
		"δ in (0, 1)": {ClipNorm: 1, NoiseMultiplier: 1, Delta: 2}, "NoiseMultiplier above 0, got NaN": {ClipNorm: 1, NoiseMultiplier: math.NaN()},
	} {
		if err := m.Compile(private(p)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
	x, y := privateExamples(m, false, 12)
	fatal(t, m.Compile(private(good)))
	if _, err := m.TrainOnBatch(x, y); err == nil || !strings.Contains(err.Error(), "got TrainOnBatch") {
		t.Errorf("expected TrainOnBatch to be refused, got %v", err)
	}
	norm, err := dl.Sequential(layers.Input{Shape: layers.Shape{6, 6, 2}}, layers.BatchNormalization{}, layers.Flatten{}, layers.Dense{Units: 3, Activation: activations.Softmax})
	fatal(t, err)
	fatal(t, norm.Compile(private(good)))
	ds, err := data.New(x, y)
	fatal(t, err)
	if _, err := norm.Fit(context.Background(), ds, dl.FitConfig{}); err == nil || !strings.Contains(err.Error(), "batch_normalization") || !strings.Contains(err.Error(), "GroupNormalization") {
		t.Errorf("expected BatchNormalization to be refused by name, got %v", err)
	}
}
