package dl

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// stderrOf is what f writes to the standard error.
func stderrOf(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = before }()
	done := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		done <- string(text)
	}()
	f()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return <-done
}

// TestMaskIsDropped: a layer that does not know masks says so, once; those that use them, or pass
// them on, say nothing.
func TestMaskIsDropped(t *testing.T) {
	x := tensor.Of([][]float32{{1, 2, 0, 0}})
	build := func(l ...layers.Layer) *Model {
		return must(Sequential(append([]layers.Layer{layers.Input{Shape: layers.Shape{4}}, layers.Embedding{InputDim: 5, OutputDim: 3, MaskZero: true}}, l...)...))(t)
	}
	dropping := build(layers.Dropout{Rate: 0.1}, layers.Conv1D{Filters: 2, KernelSize: 2, Name: "narrow"}, layers.GlobalMaxPooling1D{})
	said := stderrOf(t, func() {
		must(dropping.PredictOnBatch(x))(t)
		must(dropping.PredictOnBatch(tensor.Of([][]float32{{1, 2, 0, 0}, {1, 1, 1, 1}})))(t)
	})
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, `layer "narrow"`) {
		t.Errorf("expected one line of the layer narrow, got %q", said)
	}
	for _, m := range []*Model{build(layers.LSTM{Units: 2}), build(layers.Dense{Units: 2}, layers.GlobalAveragePooling1D{})} {
		if said := stderrOf(t, func() { must(m.PredictOnBatch(x))(t) }); said != "" {
			t.Errorf("expected nothing, got %q", said)
		}
	}
}

// TestMessages: errors speak of what the user said, and of what to do.
func TestMessages(t *testing.T) {
	stateful := must(Sequential(layers.Input{Shape: layers.Shape{2, 1}, BatchSize: 2}, layers.LSTM{Units: 2, Stateful: true}))(t)
	_, err := stateful.PredictOnBatch(tensor.New(make([]float32, 6), 3, 2, 1))
	wantError(t, err, "stateful", "batches of 2", "got one of 3", "BatchSize")
	m := must(Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3}))(t)
	if err := m.Compile(CompileConfig{Loss: losses.SparseCategoricalCrossentropy{}, Optimizer: optimizers.SGD{}, Metrics: []metrics.Metric{metrics.F1Score{}}}); err != nil {
		t.Fatal(err)
	}
	_, err = m.Evaluate(t.Context(), must(data.FromSlices([][]float32{{1, 2}}, []int32{1}))(t))
	wantError(t, err, "metric f1_score", "one-hot", "data.OneHot")
	if strings.Contains(err.Error(), "Crossentropy") {
		t.Errorf("expected advice on a metric, got %v", err)
	}
}
