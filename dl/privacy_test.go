package dl_test

import (
	"context"
	"math"
	"math/rand/v2"
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
	"github.com/gradbook/gradbook/dl/privacy/attack"
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
				_, err = m.Fit(context.Background(), ds, dl.FitConfig{BatchSize: n, StepsPerEpoch: 1, Silent: true})
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
	h, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 3, BatchSize: 12, Silent: true})
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
	_, err = again.Fit(context.Background(), ds, dl.FitConfig{Epochs: 1, BatchSize: 12, Silent: true})
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

// TestPrivateBound takes one example away, at rate 1 and nearly without noise: the sum of
// gradients moves by no more than the clipping norm.
func TestPrivateBound(t *testing.T) {
	const n, clip = 8, 0.25
	m, err := dl.Sequential(privateModels[2].stack...)
	fatal(t, err)
	x, y := privateExamples(m, false, n)
	start, err := m.Weights()
	fatal(t, err)
	before := flatWeights(t, m)
	sum := func(from int) []float64 {
		flat, err := tensor.Flat[float32](x)
		fatal(t, err)
		labels, err := tensor.Flat[int32](y)
		fatal(t, err)
		size := len(flat) / n
		ds, err := data.New(tensor.New(flat[from*size:], n-from, 6, 6, 2), tensor.New(labels[from:], n-from, 1))
		fatal(t, err)
		fatal(t, m.SetWeights(start))
		fatal(t, m.Compile(dl.CompileConfig{
			Optimizer: optimizers.SGD{LearningRate: 1}, Loss: losses.SparseCategoricalCrossentropy{},
			Privacy: &privacy.SGD{ClipNorm: clip, NoiseMultiplier: 1e-7},
		}))
		_, err = m.Fit(context.Background(), ds, dl.FitConfig{BatchSize: n - from, StepsPerEpoch: 1, Silent: true})
		fatal(t, err)
		out := flatWeights(t, m)
		for i := range out {
			out[i] = (out[i] - before[i]) * float64(n-from)
		}
		return out
	}
	with, without, moved := sum(0), sum(1), 0.0 // the first is far larger than the others
	for i := range with {
		moved += (with[i] - without[i]) * (with[i] - without[i])
	}
	if moved = math.Sqrt(moved); moved > clip*(1+1e-3) || moved < clip*0.99 {
		t.Errorf("expected the sum to move by the clipping norm, %g, at most, and by no less for so large an example, got %g", clip, moved)
	}
}

// TestPrivateAttack attacks models that learned random labels by heart, or tried to: a plain
// one gives its examples away, a private one no more than its ε allows.
func TestPrivateAttack(t *testing.T) {
	const n, width = 240, 20
	r := rand.New(rand.NewPCG(8, 9))
	x, y := make([]float32, 2*n*width), make([]float32, 2*n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range y {
		y[i] = float32(r.IntN(2))
	}
	part := func(from int) (*tensor.Tensor, *data.Dataset) {
		in := tensor.New(x[from*width:(from+n)*width], n, width)
		ds, err := data.New(in, tensor.New(y[from:from+n], n, 1))
		fatal(t, err)
		return in, ds
	}
	members, train := part(0)
	others, _ := part(n)
	attacked := func(p *privacy.SGD) (*attack.Result, *dl.Model) {
		m, err := dl.Sequential(layers.Input{Shape: layers.Shape{width}}, layers.Dense{Units: 64, Activation: activations.ReLU}, layers.Dense{Units: 1, Activation: activations.Sigmoid})
		fatal(t, err)
		fatal(t, m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.01}, Loss: losses.BinaryCrossentropy{}, Privacy: p}))
		_, err = m.Fit(context.Background(), train, dl.FitConfig{Epochs: 25, BatchSize: 60, Silent: true})
		fatal(t, err)
		losses := func(in *tensor.Tensor, from int) (all []float64) {
			ds, err := data.New(in, nil)
			fatal(t, err)
			out, err := m.Predict(context.Background(), ds)
			fatal(t, err)
			flat, err := tensor.Flat[float32](out)
			fatal(t, err)
			for i, v := range flat {
				right := float64(v)
				if y[from+i] == 0 {
					right = 1 - right
				}
				all = append(all, -math.Log(max(right, 1e-12)))
			}
			return all
		}
		result, err := attack.Threshold(losses(members, 0), losses(others, n))
		fatal(t, err)
		return result, m
	}
	plain, _ := attacked(nil)
	if plain.AUC < 0.8 {
		t.Errorf("expected a plain model to give its examples away, got an AUC of %g", plain.AUC)
	}
	private, m := attacked(&privacy.SGD{ClipNorm: 1, NoiseMultiplier: 6, Delta: 1e-4})
	epsilon, err := m.Privacy().Epsilon()
	fatal(t, err)
	for _, p := range private.Points {
		bound, err := attack.TruePositiveBound(epsilon, 1e-4, p.FalsePositive)
		fatal(t, err)
		if slack := 4 / math.Sqrt(n); p.TruePositive > bound+slack {
			t.Errorf("ε = %.2f: expected at most %.3f true positives at %.3f false ones, got %.3f", epsilon, bound+slack, p.FalsePositive, p.TruePositive)
		}
	}
	if private.AUC > plain.AUC-0.2 {
		t.Errorf("expected the private model to give away less than an AUC of %g, got %g", plain.AUC, private.AUC)
	}
}

// TestPrivateBatches trains with batches of another size after the first: gradients are divided by
// the size of each, though both are worked on in pieces of one size.
func TestPrivateBatches(t *testing.T) {
	moved := func(first bool) float64 {
		m, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1, NoBias: true})
		fatal(t, err)
		zero := []*tensor.Tensor{tensor.New([]float32{0}, 1, 1)}
		fatal(t, m.SetWeights(zero))
		ones := tensor.New([]float32{1, 1, 1, 1, 1, 1, 1, 1}, 8, 1)
		ds, err := data.New(ones, ones)
		fatal(t, err)
		fatal(t, m.Compile(dl.CompileConfig{
			Optimizer: optimizers.SGD{LearningRate: 0.1}, Loss: losses.MeanSquaredError{},
			Privacy: &privacy.SGD{ClipNorm: 10, NoiseMultiplier: 1e-7, Microbatch: 4},
		}))
		if first {
			_, err = m.Fit(context.Background(), ds, dl.FitConfig{BatchSize: 8, Silent: true})
			fatal(t, err)
			fatal(t, m.SetWeights(zero))
		}
		_, err = m.Fit(context.Background(), ds.Take(4), dl.FitConfig{BatchSize: 4, Silent: true})
		fatal(t, err)
		return flatWeights(t, m)[0]
	}
	if fresh, later := moved(false), moved(true); math.Abs(fresh-later) > 1e-5 || math.Abs(fresh-0.2) > 1e-5 {
		t.Errorf("expected a step of 0.2 both times, got %g and, after larger batches, %g", fresh, later)
	}
}
