package dl_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// stripes are images of stripes that run across, down or slanted, with noise, and which it is.
func stripes(t *testing.T, n int) *data.Dataset {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	x, y := make([]float32, n*12*12), make([]int32, n)
	for i := range n {
		kind, phase := rng.IntN(3), rng.Float64()*6
		y[i] = int32(kind)
		for j := range 144 {
			at := float64([]int{j / 12, j % 12, j/12 + j%12}[kind])
			x[i*144+j] = float32(math.Sin(at+phase) + 0.8*rng.NormFloat64())
		}
	}
	ds, err := data.New(tensors.FromFlatDataAndDimensions(x, n, 12, 12, 1), tensors.FromFlatDataAndDimensions(y, n))
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// seesStripes is a network that tells them apart, part of it a network of its own.
func seesStripes(t *testing.T) *dl.Model {
	t.Helper()
	inner, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{12, 12, 8}},
		layers.Conv2D{Filters: 16, KernelSize: [2]int{3, 3}, Activation: activations.ReLU, Name: "inside"},
		layers.MaxPooling2D{},
	)
	if err != nil {
		t.Fatal(err)
	}
	m, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{12, 12, 1}},
		layers.Conv2D{Filters: 8, KernelSize: [2]int{3, 3}, Padding: layers.Same, Activation: activations.ReLU, Name: "first"},
		inner, layers.Flatten{}, layers.Dropout{Rate: 0.2},
		layers.Dense{Units: 32, Activation: activations.ReLU, Name: "hidden"},
		&layers.Dense{Units: 3, Activation: activations.Softmax, Name: "last"},
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.003}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.SparseCategoricalAccuracy{}}}); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestQuantize trains, quantizes, and asks what it cost; then saves, reads, and gets the same to the bit.
func TestQuantize(t *testing.T) {
	dl.SetRandomSeed(1)
	ds := stripes(t, 1200)
	train, test := ds.Take(900).Batch(30), ds.Skip(900).Batch(100)
	m := seesStripes(t)
	if _, err := m.Fit(t.Context(), train, dl.FitConfig{Epochs: 4, Silent: true}); err != nil {
		t.Fatal(err)
	}
	q, err := dl.Quantize(m, train, dl.QuantizeConfig{Steps: 10})
	if err != nil {
		t.Fatal(err)
	}
	before, err := m.Evaluate(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	after, err := q.Evaluate(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	const accuracy = "sparse_categorical_accuracy"
	if before[accuracy] < 0.9 || after[accuracy] < before[accuracy]-0.02 || math.Abs(after["loss"]-before["loss"]) > 0.1*before["loss"]+0.01 {
		t.Errorf("expected about what the model of floats has, %v, got %v", before, after)
	}
	if after["loss"] == before["loss"] {
		t.Error("expected rounding to change the loss a little")
	}
	text := q.Summary()
	for _, want := range []string{"QuantizedDense", "first (Conv2D)"} {
		if !strings.Contains(text, want) {
			t.Errorf("expected %q in the summary, got\n%s", want, text)
		}
	}
	wantKinds(t, q, map[string]dtypes.DType{"hidden/kernel": dtypes.Int8, "first/kernel": dtypes.Float32, "hidden/kernel_scale": dtypes.Float32})

	path, whole := filepath.Join(t.TempDir(), "q.dl"), filepath.Join(t.TempDir(), "m.dl")
	if err := q.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := m.SaveWeights(whole); err != nil {
		t.Fatal(err)
	}
	if small, large := size(t, path), size(t, whole); small > large/2 {
		t.Errorf("expected a file of at most half of %d bytes, got %d", large, small)
	}
	back, err := dl.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.Evaluate(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	if again["loss"] != after["loss"] {
		t.Errorf("expected the loss to come back to the bit, %v, got %v", after["loss"], again["loss"])
	}
	weights, err := q.Weights()
	if err != nil {
		t.Fatal(err)
	}
	if err := back.SetWeights(weights); err != nil {
		t.Errorf("expected weights to go where they came from, got %v", err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func wantKinds(t *testing.T, m *dl.Model, want map[string]dtypes.DType) {
	t.Helper()
	weights, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range m.WeightNames() {
		if kind, ok := want[name]; ok && weights[i].DType() != kind {
			t.Errorf("%s: expected %v, got %v", name, kind, weights[i].DType())
		}
	}
	if !slices.Contains(m.WeightNames(), "hidden/kernel_scale") {
		t.Errorf("expected a weight hidden/kernel_scale, got %q", m.WeightNames())
	}
}

// TestQuantizeMistakes asks for what there is not.
func TestQuantizeMistakes(t *testing.T) {
	ds := stripes(t, 30).Batch(10)
	m := seesStripes(t)
	q, err := dl.Quantize(m, ds, dl.QuantizeConfig{Keep: []string{"last", "inside"}})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := q.Layer("last"); err != nil || l.Type() != "Dense" {
		t.Errorf("expected the last layer to stay a Dense, got %v, %v", l, err)
	}
	small, err := dl.Sequential(layers.Input{Shape: layers.Shape{12, 12, 1}}, layers.Conv2D{Filters: 3, KernelSize: [2]int{2, 2}})
	if err != nil {
		t.Fatal(err)
	}
	unbuilt, err := dl.Sequential(layers.Dense{Units: 3})
	if err != nil {
		t.Fatal(err)
	}
	x, y := tensors.FromFlatDataAndDimensions(make([]float32, 2*144), 2, 12, 12, 1), tensors.FromFlatDataAndDimensions([]int32{0, 1}, 2)
	nan, err := data.New(tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{float32(math.NaN())}, 144), 1, 12, 12, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	traced := func() error {
		_, _, err := q.Trace(x, y)
		return err
	}
	fit := func() error {
		_, err := q.Fit(t.Context(), ds, dl.FitConfig{Silent: true})
		return err
	}
	for want, err := range map[string]error{
		`"nowhere"`:                  second(dl.Quantize(m, ds, dl.QuantizeConfig{Keep: []string{"nowhere"}})),
		"expected a layer to quanti": second(dl.Quantize(small, ds)),
		"not built":                  second(dl.Quantize(unbuilt, ds)),
		"got nil":                    second(dl.Quantize(m, nil)),
		"expected finite inputs":     second(dl.Quantize(m, nan)),
		"cannot be trained":          fit(),
		"has no gradient":            second(q.GradientCheck(x, y)),
		"no gradient: tra":           traced(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestQuantizeAgain quantizes what was left out, and leaves what is quantized as it is.
func TestQuantizeAgain(t *testing.T) {
	ds := stripes(t, 60).Batch(20)
	q, err := dl.Quantize(seesStripes(t), ds, dl.QuantizeConfig{Keep: []string{"last"}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := dl.Quantize(q, ds)
	if err != nil {
		t.Fatal(err)
	}
	if typ := layerNamed(again, "last").Type(); typ != "QuantizedDense" {
		t.Errorf("expected the last layer quantized, got %s", typ)
	}
	before, err := layerNamed(q, "hidden").Weights()
	if err != nil {
		t.Fatal(err)
	}
	after, err := layerNamed(again, "hidden").Weights()
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		if !before[i].Equal(after[i]) {
			t.Errorf("weight %d of a layer that was quantized: expected it unchanged", i)
		}
	}
}

// TestQuantizedLoss: a loss comes of the numbers before a softmax, as with floats: probabilities of 0 would be cut off.
func TestQuantizedLoss(t *testing.T) {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{40}}, layers.Dense{Units: 2, Activation: activations.Softmax, NoBias: true, Name: "last"})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Compile(dl.CompileConfig{Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
		t.Fatal(err)
	}
	kernel := make([]float32, 80)
	for i := range kernel {
		kernel[i] = float32(2*(i%2)) - 1 // the second class, by far
	}
	if err := layerNamed(m, "last").SetWeights([]*dl.Tensor{tensors.FromFlatDataAndDimensions(kernel, 40, 2)}); err != nil {
		t.Fatal(err)
	}
	ds, err := data.New(tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{1}, 40), 1, 40), tensors.FromFlatDataAndDimensions([]int32{0}, 1))
	if err != nil {
		t.Fatal(err)
	}
	q, err := dl.Quantize(m, ds)
	if err != nil {
		t.Fatal(err)
	}
	logs, err := q.Evaluate(t.Context(), ds)
	if err != nil || math.Abs(logs["loss"]-80) > 0.1 {
		t.Errorf("expected a loss of 80, got %v, %v", logs, err)
	}
}

// TestQuantizeNaN: what is no number does not become one.
func TestQuantizeNaN(t *testing.T) {
	ds := stripes(t, 4).Batch(4)
	q, err := dl.Quantize(seesStripes(t), ds)
	if err != nil {
		t.Fatal(err)
	}
	first := layerNamed(q, "first")
	weights, err := first.Weights()
	if err != nil {
		t.Fatal(err)
	}
	weights[1] = tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{float32(math.NaN())}, 8), 8)
	if err := first.SetWeights(weights); err != nil {
		t.Fatal(err)
	}
	y, err := q.Predict(t.Context(), ds)
	if err != nil {
		if !strings.Contains(err.Error(), "got NaN") {
			t.Errorf("expected an error that names NaN, got %v", err)
		}
		return
	}
	for _, v := range tensors.MustCopyFlatData[float32](y) {
		if v == v {
			t.Fatalf("expected no numbers, got %v", v)
		}
	}
}
