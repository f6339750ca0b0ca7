package dl

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// cnn is the document's network.
func cnn(t testing.TB) *Model {
	t.Helper()
	window := [2]int{3, 3}
	m, err := Sequential(
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
		t.Fatal(err)
	}
	err = m.Compile(CompileConfig{
		Optimizer: optimizers.Adam{},
		Loss:      losses.SparseCategoricalCrossentropy{},
		Metrics:   []metrics.Metric{metrics.Accuracy{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// numbered returns the arrays prefix0, prefix1, … of a fixture.
func numbered(t testing.TB, f kerastest.Fixture, prefix string, n int) []*tensors.Tensor {
	t.Helper()
	var all []*tensors.Tensor
	for i := range n {
		all = append(all, f.Get(t, fmt.Sprintf("%s%d", prefix, i)))
	}
	return all
}

// TestKerasNetwork compares the document's network with Keras's on the same
// weights and 32 digits: the logits, the loss and the gradients.
func TestKerasNetwork(t *testing.T) {
	f := kerastest.Load(t, "cnn.npz")
	m := cnn(t)
	weights := numbered(t, f, "w", len(m.m.Weights))
	in := append([]*tensors.Tensor{f.Get(t, "images"), f.Get(t, "labels")}, weights...)
	out := kerastest.Run(t, func(in []*graph.Node) []*graph.Node {
		x, y := data.Rescale(1/255.0)(in[0], in[1])
		f := m.m.Forward(in[2:], []*graph.Node{x}, nil, true)
		loss, _ := m.m.Measure(f, []*graph.Node{y}, nil)
		output := f.Outputs(m.m.Network)[0]
		logits, ok := f.Pass.Logits(output)
		if !ok {
			panic("no logits")
		}
		return append([]*graph.Node{logits.Node, output, graph.Reshape(loss, 1)}, graph.Gradient(loss, in[2:]...)...)
	}, in...)
	kerastest.Close(t, "logits", out[0], f.Get(t, "logits"), 1e-5)
	kerastest.Close(t, "probabilities", out[1], f.Get(t, "probabilities"), 1e-5)
	kerastest.Close(t, "loss", out[2], f.Get(t, "loss"), 1e-5)
	for i, g := range numbered(t, f, "g", len(weights)) {
		kerastest.Close(t, "gradient by "+m.m.Weights[i].Name, out[3+i], g, 1e-5)
	}
}

// TestKerasTraining compares three steps of Fit with Keras's train_on_batch: the
// losses, and the weights at the end.
func TestKerasTraining(t *testing.T) {
	f := kerastest.Load(t, "cnn.npz")
	m := cnn(t)
	if err := m.SetWeights(numbered(t, f, "w", len(m.m.Weights))); err != nil {
		t.Fatal(err)
	}
	digits, err := data.New(f.Get(t, "images"), f.Get(t, "labels"))
	if err != nil {
		t.Fatal(err)
	}
	digits = digits.Map(data.Rescale(1 / 255.0))
	h, err := m.Fit(context.Background(), digits, FitConfig{Epochs: 3, NoShuffle: true, Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	for _, v := range h.Metrics["loss"] {
		got = append(got, float32(v))
	}
	kerastest.Close(t, "losses", tensors.FromValue(got), f.Get(t, "losses"), 1e-4)
	weights, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	// Adam divides by the gradient's size, so where a gradient is nearly 0 its
	// rounding has a part in a step, of 0.001; a tenth of that is let pass.
	for i, want := range numbered(t, f, "after", len(weights)) {
		kerastest.Close(t, m.m.Weights[i].Name, weights[i], want, 1e-4)
	}
}

// TestKerasSummary compares the table with that which Keras prints.
func TestKerasSummary(t *testing.T) {
	want, err := os.ReadFile("testdata/summary.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := cnn(t).Summary(); got != string(want) {
		t.Errorf("expected\n%s\ngot\n%s", want, got)
	}
}
