package dl

import (
	"fmt"
	"math"
	"path/filepath"
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

// ownActivations are functions of one's own, under names that dl's have and under others.
func ownActivations() map[string]func(x *graph.Node) *graph.Node {
	lecun := func(x *graph.Node) *graph.Node {
		return graph.MulScalar(graph.Tanh(graph.MulScalar(x, 2.0/3)), 1.7159)
	}
	leaky := func(x *graph.Node) *graph.Node { return graph.Max(x, graph.MulScalar(x, 0.1)) }
	warm := func(x *graph.Node) *graph.Node { return graph.Sigmoid(graph.MulScalar(x, 0.5)) }
	twice := func(x *graph.Node) *graph.Node { return graph.MulScalar(x, 2) }
	return map[string]func(x *graph.Node) *graph.Node{"tanh": lecun, "relu": leaky, "sigmoid": warm, "linear": twice}
}

// TestActivationIsNoName: what an activation computes, and how it is differentiated, does not
// depend on its name.
func TestActivationIsNoName(t *testing.T) {
	for name, f := range ownActivations() {
		for kind, layer := range map[string]func(a activations.Activation) layers.Layer{
			"SimpleRNN": func(a activations.Activation) layers.Layer { return layers.SimpleRNN{Units: 2, Activation: a} },
			"LSTM gate": func(a activations.Activation) layers.Layer { return layers.LSTM{Units: 2, RecurrentActivation: a} },
			"GRU":       func(a activations.Activation) layers.Layer { return layers.GRU{Units: 2, Activation: a} },
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				var outputs []*tensors.Tensor
				for _, called := range []string{name, "own_" + name} {
					SetRandomSeed(1)
					m := must(Sequential(layers.Input{Shape: layers.Shape{4, 3}}, layer(activations.Func(called, f)), layers.Flatten{}, layers.Dense{Units: 1}))(t)
					if err := m.Compile(CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: optimizers.SGD{}}); err != nil {
						t.Fatal(err)
					}
					x := tensors.FromFlatDataAndDimensions([]float32{
						0.5, -1, 2, 0.1, 0.7, -0.3, 1.5, -2, 0.2, 0.9, -0.6, 0.4,
						-0.5, 1, -2, 0.3, -0.7, 1.3, -1.5, 2, 0.6, -0.9, 0.8, -0.4,
					}, 2, 4, 3)
					y := tensors.FromValue([][]float32{{1}, {-1}})
					if called == name {
						if e := must(m.GradientCheck(x, y))(t).MaxError(); !(e < 1e-6) {
							t.Errorf("expected the gradient of what it computes, got an error of %g", e)
						}
					}
					outputs = append(outputs, must(m.Predict(t.Context(), must(data.New(x, y))(t)))(t))
				}
				kerastest.Close(t, "under both names", outputs[0], outputs[1], 1e-6)
			})
		}
	}
}

// TestLogitsAreNoName: the loss of probabilities that another function makes is computed from
// the probabilities.
func TestLogitsAreNoName(t *testing.T) {
	warm := func(x *graph.Node) *graph.Node { return graph.Softmax(graph.MulScalar(x, 0.5), -1) }
	cool := func(x *graph.Node) *graph.Node { return graph.Sigmoid(graph.MulScalar(x, 2)) }
	for _, c := range []struct {
		name string
		f    func(x *graph.Node) *graph.Node
		loss losses.Loss
		y    any
		want float64
	}{
		{"softmax", warm, losses.SparseCategoricalCrossentropy{}, []int32{0}, -math.Log(math.Exp(2) / (math.Exp(2) + 2))},
		{"softmax", warm, losses.CategoricalCrossentropy{}, [][]float32{{1, 0, 0}}, -math.Log(math.Exp(2) / (math.Exp(2) + 2))},
		{"sigmoid", cool, losses.BinaryCrossentropy{}, [][]float32{{1, 1, 1}}, (math.Log1p(math.Exp(-8)) + 2*math.Log(2)) / 3},
	} {
		for _, called := range []string{c.name, "own_" + c.name} {
			m := must(Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Activation{Activation: activations.Func(called, c.f)}))(t)
			if err := m.Compile(CompileConfig{Loss: c.loss}); err != nil {
				t.Fatal(err)
			}
			logs := must(m.Evaluate(t.Context(), must(data.FromSlices([][]float32{{4, 0, 0}}, c.y))(t)))(t)
			if math.Abs(logs["loss"]-c.want) > 1e-5 {
				t.Errorf("%s called %s: expected %g, got %g", c.loss.Name(), called, c.want, logs["loss"])
			}
		}
	}
}

// gain is an activation with a setting.
type gain struct{ Factor float64 }

func (gain) Name() string                      { return "gain" }
func (g gain) Apply(x *graph.Node) *graph.Node { return graph.MulScalar(x, g.Factor) }

// hidden is a layer whose setting would be lost.
type hidden struct{ factor float64 }

func (hidden) Build(in layers.Shape) (layers.Spec, error) { return layers.Spec{Output: in}, nil }
func (h hidden) Call(_ *layers.Context, x *graph.Node) *graph.Node {
	return graph.MulScalar(x, h.factor)
}

func oneLayer(t *testing.T, l layers.Layer) *Model {
	t.Helper()
	SetRandomSeed(1)
	return must(Sequential(layers.Input{Shape: layers.Shape{3}}, l))(t)
}

// TestSavedIsLoaded: Save refuses what Load could not read, or would read as something else.
func TestSavedIsLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	scaled := activations.Func("test_scaled", func(x *graph.Node) *graph.Node { return graph.MulScalar(graph.Tanh(x), 1.7159) })
	for _, called := range []string{"tanh", "test_scaled"} {
		other := activations.Func(called, graph.Tanh)
		wantError(t, oneLayer(t, layers.Dense{Units: 2, Activation: other}).Save(path), "layer \"dense\"", called, "dl.Register")
	}
	wantError(t, oneLayer(t, layers.Dense{Units: 2, Activation: gain{2}}).Save(path), "gain", "dl.Register")
	Register(scaled, gain{}, hidden{})
	for what, l := range map[string]layers.Layer{
		"a registered function": layers.Dense{Units: 2, Activation: scaled},
		"a type with a setting": layers.TimeDistributed{Layer: layers.Dense{Units: 2, Activation: gain{2}}},
		"one of dl's":           layers.Dense{Units: 2, Activation: activations.Mish},
	} {
		t.Run(what, func(t *testing.T) {
			shape := layers.Shape{3}
			if _, ok := l.(layers.TimeDistributed); ok {
				shape = layers.Shape{3, 1}
			}
			m := must(Sequential(layers.Input{Shape: shape}, l))(t)
			in := must(data.New(tensors.FromFlatDataAndDimensions([]float32{4, 0, 1}, append([]int{1}, shape...)...), nil))(t)
			if err := m.Save(path); err != nil {
				t.Fatal(err)
			}
			kerastest.Close(t, "after Load", must(must(Load(path))(t).Predict(t.Context(), in))(t), must(m.Predict(t.Context(), in))(t), 0)
		})
	}
	wantError(t, oneLayer(t, hidden{2}).Save(path), "hidden.factor", "not exported")
	again := activations.Func("test_scaled", graph.Tanh)
	wantError(t, oneLayer(t, layers.Dense{Units: 2, Activation: again}).Save(path), "test_scaled", "another")
}

// TestRegister: a name that dl uses is refused.
func TestRegister(t *testing.T) {
	type Dense struct{ hidden }
	for what, f := range map[string]func(){
		"a layer's name":          func() { Register(Dense{}) },
		"an activation's name":    func() { Register(activations.Func("relu", graph.Tanh)) },
		"nil":                     func() { Register(nil) },
		"a function's other name": func() { RegisterAs("b", activations.Func("a", graph.Tanh)) },
	} {
		err := func() (err error) {
			defer func() { err, _ = recover().(error) }()
			f()
			return nil
		}()
		if err == nil {
			t.Errorf("%s: expected Register to refuse it", what)
		}
	}
	RegisterAs("test>Dense", Dense{})
}

// TestOwnLossAndMetric: functions as losses and metrics, which are saved once registered.
func TestOwnLossAndMetric(t *testing.T) {
	absolute := func(labels, output *graph.Node) *graph.Node {
		return graph.ReduceMean(graph.Abs(graph.Sub(labels, output)), -1)
	}
	loss, metric := losses.Func("test_absolute", absolute), metrics.Func("test_error", absolute)
	build := func(c CompileConfig) *Model {
		SetRandomSeed(1)
		m := must(Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1}))(t)
		if err := m.Compile(c); err != nil {
			t.Fatal(err)
		}
		return m
	}
	ds := must(data.FromSlices([][]float32{{1, 2}, {3, -1}}, []float32{1, 2}))(t)
	own := build(CompileConfig{Loss: loss, Optimizer: optimizers.SGD{}, Metrics: []metrics.Metric{metric}})
	theirs := build(CompileConfig{Loss: losses.MeanAbsoluteError{}, Optimizer: optimizers.SGD{}, Metrics: []metrics.Metric{metrics.MeanAbsoluteError{}}})
	config := FitConfig{Epochs: 3, NoShuffle: true, Silent: true}
	a, b := must(own.Fit(t.Context(), ds, config))(t), must(theirs.Fit(t.Context(), ds, config))(t)
	if got, want := fmt.Sprint(a.Metrics["loss"], a.Metrics["test_error"]), fmt.Sprint(b.Metrics["loss"], b.Metrics["mean_absolute_error"]); got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	wantError(t, own.Save(path), "test_absolute", "dl.Register")
	Register(loss, metric)
	if err := own.Save(path); err != nil {
		t.Fatal(err)
	}
	before, after := must(own.Evaluate(t.Context(), ds))(t), must(must(Load(path))(t).Evaluate(t.Context(), ds))(t)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("expected %v after Load, got %v", before, after)
	}
	wrong := build(CompileConfig{Loss: losses.Func("sum", func(_, output *graph.Node) *graph.Node { return graph.ReduceAllSum(output) })})
	_, err := wrong.Evaluate(t.Context(), ds)
	wantError(t, err, "sum", "each example")
}
