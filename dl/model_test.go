package dl

import (
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// wantError fails the test unless err says all of parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("expected an error that says %q, got none", parts)
		return
	}
	if !strings.HasPrefix(err.Error(), "dl: ") || strings.Count(err.Error(), "dl: ") != 1 {
		t.Errorf("expected an error that begins with dl: once, got %q", err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("expected an error that says %q, got %q", p, err)
		}
	}
}

// TestBuildErrors: every mistake in shapes and settings is reported when the
// model is built, with the layer's name, what was expected and what came.
func TestBuildErrors(t *testing.T) {
	image := layers.Input{Shape: layers.Shape{28, 28, 1}}
	vector := layers.Input{Shape: layers.Shape{4}}
	k3 := [2]int{3, 3}
	for _, c := range []struct {
		name  string
		stack []layers.Layer
		parts []string
	}{
		{"no layers", nil, []string{"at least one layer", "none"}},
		{"input alone", []layers.Layer{image}, []string{"at least one layer"}},
		{"nil layer", []layers.Layer{image, nil}, []string{"nil"}},
		{"input shape", []layers.Layer{layers.Input{Shape: layers.Shape{28, 0}}, layers.Flatten{}}, []string{"InputLayer", "[28 0]"}},
		{"input in the middle", []layers.Layer{image, layers.Flatten{}, image}, []string{"first layer only"}},
		{"same name twice", []layers.Layer{vector, layers.Dense{Units: 1, Name: "a"}, layers.Dense{Units: 1, Name: "a"}}, []string{`"a"`}},
		{"convolution of a vector", []layers.Layer{vector, layers.Conv2D{Filters: 2, KernelSize: k3}}, []string{`layer "conv2d" (Conv2D)`, "(None, height, width, channels)", "(None, 4)"}},
		{"pooling of a vector", []layers.Layer{image, layers.Flatten{}, layers.MaxPooling2D{}}, []string{`layer "max_pooling2d" (MaxPooling2D)`, "(None, 784)"}},
		{"no filters", []layers.Layer{image, layers.Conv2D{KernelSize: k3}}, []string{"Filters", "0"}},
		{"no kernel", []layers.Layer{image, layers.Conv2D{Filters: 2}}, []string{"KernelSize", "[0 0]"}},
		{"negative stride", []layers.Layer{image, layers.Conv2D{Filters: 2, KernelSize: k3, Strides: [2]int{-1, 1}}}, []string{"Strides", "[-1 1]"}},
		{"strides and dilation", []layers.Layer{image, layers.Conv2D{Filters: 2, KernelSize: k3, Strides: [2]int{2, 2}, DilationRate: [2]int{2, 2}}}, []string{"not both"}},
		{"groups", []layers.Layer{image, layers.Conv2D{Filters: 4, KernelSize: k3, Groups: 2}}, []string{"Groups", "1 channels"}},
		{"unknown padding", []layers.Layer{image, layers.Conv2D{Filters: 4, KernelSize: k3, Padding: 7}}, []string{"Valid or Same"}},
		{"window too large", []layers.Layer{image, layers.Conv2D{Filters: 4, KernelSize: [2]int{29, 3}}}, []string{"[29 3]", "28", "Same"}},
		{"shrunk to nothing", []layers.Layer{image, layers.MaxPooling2D{PoolSize: [2]int{28, 28}}, layers.MaxPooling2D{}}, []string{`"max_pooling2d_1"`, "(None, 1, 1, 1)"}},
		{"no units", []layers.Layer{vector, layers.Dense{Units: -1}}, []string{"Units", "-1"}},
		{"dropout rate", []layers.Layer{vector, layers.Dropout{Rate: 1}}, []string{"Rate", "[0, 1)", "1"}},
		{"no activation", []layers.Layer{vector, layers.Activation{}}, []string{"Activation", "nil"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Sequential(c.stack...)
			wantError(t, err, c.parts...)
		})
	}
}

func TestNames(t *testing.T) {
	m, err := Sequential(
		layers.Input{Shape: layers.Shape{8, 8, 1}},
		layers.Conv2D{Filters: 1, KernelSize: [2]int{3, 3}},
		layers.Conv2D{Filters: 1, KernelSize: [2]int{3, 3}, Name: "features"},
		layers.Conv2D{Filters: 1, KernelSize: [2]int{3, 3}},
		layers.AveragePooling2D{},
		layers.Flatten{},
		&scale{},
	)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range m.Layers() {
		names = append(names, l.Name())
	}
	if got, want := strings.Join(names, " "), "conv2d features conv2d_1 average_pooling2d flatten scale"; got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
	if got := m.OutputShape(); !got.Equal(layers.Shape{1}) {
		t.Errorf("expected output (None, 1), got %v", got)
	}
}

// scale is a layer of one's own, as the documentation of layers shows it.
type scale struct{}

func (scale) Build(in layers.Shape) (layers.Spec, error) {
	gain := layers.Weight{Name: "gain", Shape: in, Initializer: initializers.Ones{}}
	return layers.Spec{Output: in, Weights: []layers.Weight{gain}}, nil
}

func (scale) Call(c *layers.Context, x *graph.Node) *graph.Node {
	return graph.Mul(x, graph.ExpandLeftToRank(c.Weight("gain"), x.Rank()))
}

// TestDeferredBuild: without an Input, the model is built by the first data.
func TestDeferredBuild(t *testing.T) {
	m, err := Sequential(layers.Dense{Units: 3}, layers.Dense{Units: 2})
	if err != nil {
		t.Fatal(err)
	}
	if m.InputShape() != nil || m.OutputShape() != nil {
		t.Error("expected no shapes before the model is built")
	}
	if s := m.Summary(); !strings.Contains(s, "unbuilt") {
		t.Errorf("expected a summary that says unbuilt, got\n%s", s)
	}
	_, err = m.Weights()
	wantError(t, err, "not built", "layers.Input")
	wantError(t, m.SetWeights(nil), "not built")
	wantError(t, m.BuildFor(layers.Shape{-1}), "at least 1", "-1")
	wantError(t, m.BuildFor(layers.Shape{0}), "at least 1")
	if err := m.BuildFor(layers.Shape{5}); err != nil {
		t.Fatal(err)
	}
	if err := m.BuildFor(layers.Shape{5}); err != nil {
		t.Errorf("building again for the same shape: %v", err)
	}
	wantError(t, m.BuildFor(layers.Shape{6}), "(None, 5)", "(None, 6)")
	if got, want := strings.Join(m.WeightNames(), " "), "dense/kernel dense/bias dense_1/kernel dense_1/bias"; got != want {
		t.Errorf("expected weights %s, got %s", want, got)
	}
}

func TestCompileErrors(t *testing.T) {
	m, err := Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1})
	if err != nil {
		t.Fatal(err)
	}
	mse := losses.MeanSquaredError{}
	wantError(t, m.Compile(CompileConfig{}), "Loss", "nil")
	wantError(t, m.Compile(CompileConfig{Loss: mse, Optimizer: optimizers.SGD{Momentum: 2}}), "optimizers.SGD", "Momentum", "2")
	wantError(t, m.Compile(CompileConfig{Loss: mse, Metrics: []metrics.Metric{nil}}), "place 0")
	wantError(t, m.Compile(CompileConfig{Loss: mse, Metrics: []metrics.Metric{metrics.Accuracy{}, metrics.Accuracy{}}}), `"accuracy" twice`)
}

func TestSetWeightsErrors(t *testing.T) {
	m, err := Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1, BiasInitializer: initializers.Constant{Value: 7}})
	if err != nil {
		t.Fatal(err)
	}
	kernel := tensors.FromValue([][]float32{{1}, {2}})
	wantError(t, m.SetWeights([]*tensors.Tensor{kernel}), "2 weights", "got 1")
	wantError(t, m.SetWeights([]*tensors.Tensor{kernel, kernel}), `"dense/bias"`)
	wantError(t, m.SetWeights([]*tensors.Tensor{kernel, nil}), `"dense/bias"`, "nil")
	weights, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	if got := weights[0].Value().([][]float32); got[0][0] == 1 && got[1][0] == 2 {
		t.Error("weights that did not fit replaced others")
	}
	if got := weights[1].Value().([]float32)[0]; got != 7 {
		t.Errorf("expected the initializer's bias 7, got %g", got)
	}
}

// TestLayerErrors: what goes wrong in a layer's Call is reported with its name.
func TestLayerErrors(t *testing.T) {
	for _, c := range []struct {
		call  func(c *layers.Context, x *graph.Node) *graph.Node
		parts []string
	}{
		{func(c *layers.Context, _ *graph.Node) *graph.Node { return c.Weight("gian") }, []string{`layer "broken" (broken)`, `"gian"`}},
		{func(_ *layers.Context, x *graph.Node) *graph.Node { return graph.InsertAxes(x, -1) }, []string{`layer "broken"`, "(None, 2)", "(None, 2, 1)"}},
		{func(*layers.Context, *graph.Node) *graph.Node { panic("no luck") }, []string{`layer "broken"`, "no luck"}},
	} {
		m, err := Sequential(layers.Input{Shape: layers.Shape{2}}, broken{c.call})
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Predict(t.Context(), xor(t))
		wantError(t, err, c.parts...)
	}
}

type broken struct {
	call func(c *layers.Context, x *graph.Node) *graph.Node
}

func (broken) Build(in layers.Shape) (layers.Spec, error) { return layers.Spec{Output: in}, nil }

func (b broken) Call(c *layers.Context, x *graph.Node) *graph.Node { return b.call(c, x) }

func TestDense(t *testing.T) {
	m, err := Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1, Activation: activations.Sigmoid})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(m.Layers()); got != 1 {
		t.Errorf("expected one layer without the Input, got %d", got)
	}
	if m.Name() != "sequential" {
		t.Errorf("expected the name sequential, got %s", m.Name())
	}
}
