package dl_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func need[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func functional(t *testing.T, in, out *dl.Symbol) *dl.Model {
	t.Helper()
	m, err := dl.Functional([]*dl.Symbol{in}, []*dl.Symbol{out})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func one(t *testing.T, m *dl.Model, x *dl.Tensor) *dl.Tensor {
	t.Helper()
	all, err := m.PredictOnBatch(x)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// TestOpsOnSymbols: operations between symbols are layers of a model, which is trained, saved and
// loaded as any other.
func TestOpsOnSymbols(t *testing.T) {
	x := dl.Input(layers.Shape{3})
	h := x.Then(layers.Dense{Units: 3})
	y := ops.Sum(ops.Multiply(ops.Add(h, x), ops.Maximum(ops.Subtract(x, 0.5), 0)), -1)
	m := functional(t, x, ops.ExpandDims(y, -1))
	if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: optimizers.SGD{}}); err != nil {
		t.Fatal(err)
	}
	in := tensor.Of([][]float32{{1, 2, 3}, {-1, 0.75, 0}})
	before := need[dl.Logs](t)(m.TrainOnBatch(in, tensor.Of([][]float32{{1}, {2}})))
	after := need[dl.Logs](t)(m.TestOnBatch(in, tensor.Of([][]float32{{1}, {2}})))
	if !(after["loss"] < before["loss"]) {
		t.Errorf("expected training to help, got a loss of %v and then %v", before, after)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	kerastest.Close(t, "after Load", one(t, need[*dl.Model](t)(dl.Load(path)), in), one(t, m, in), 0)

	for what, s := range map[string]*dl.Symbol{
		"the batch is lost":    ops.Sum(x),
		"shapes do not fit":    ops.Add(x, dl.Input(layers.Shape{4})),
		"a mistake is carried": ops.Exp(ops.Add(x, dl.Input(layers.Shape{4}))),
		"an unknown type":      ops.Cast(x, "complex64"),
	} {
		if s.Err() == nil {
			t.Errorf("%s: expected a mistake, got %v", what, s)
		}
	}
}

// TestLambda: a function as a layer, of one input and of two.
func TestLambda(t *testing.T) {
	x, z := dl.Input(layers.Shape{2}), dl.Input(layers.Shape{2})
	y := dl.Apply(layers.Lambda{Function: func(_ *layers.Context, in ...*dl.Node) *dl.Node {
		return ops.Concatenate([]*dl.Node{ops.Square(in[0]), ops.Add(in[0], ops.Multiply(in[1], 0.5))}, -1)
	}}, x, z)
	if !y.Shape().Equal(layers.Shape{4}) {
		t.Fatalf("expected a shape of 4, got %v: %v", y.Shape(), y.Err())
	}
	m, err := dl.Functional([]*dl.Symbol{x, z}, []*dl.Symbol{y})
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.PredictOnBatch(tensor.Of([][]float32{{1, 2}}), dl.BatchConfig{Inputs: []*dl.Tensor{tensor.Of([][]float32{{4, 6}})}})
	if err != nil {
		t.Fatal(err)
	}
	kerastest.Close(t, "Lambda", out[0], tensor.Of([][]float32{{1, 4, 3, 5}}), 1e-6)
	err = m.Save(filepath.Join(t.TempDir(), "m.safetensors"))
	if err == nil || !strings.Contains(err.Error(), "lambda") {
		t.Errorf("expected that a function is refused, got %v", err)
	}
	for what, l := range map[string]layers.Lambda{
		"none":           {},
		"nil":            {Function: func(*layers.Context, ...*dl.Node) *dl.Node { return nil }},
		"the batch lost": {Function: func(_ *layers.Context, x ...*dl.Node) *dl.Node { return ops.Sum(x[0]) }},
		"a panic":        {Function: func(_ *layers.Context, x ...*dl.Node) *dl.Node { return ops.MatMul(x[0], x[0]) }},
	} {
		if err := dl.Apply(l, dl.Input(layers.Shape{3})).Err(); err == nil || !strings.Contains(err.Error(), "lambda") {
			t.Errorf("%s: expected an error of the layer, got %v", what, err)
		}
	}
}

// sampling is what a variational autoencoder does between its halves.
func sampling() layers.Lambda {
	return layers.Lambda{Name: "sampling", Function: func(c *layers.Context, x ...*dl.Node) *dl.Node {
		return ops.Add(x[0], c.RandomNormal(x[0].Shape()))
	}}
}

// TestRandomInEvaluation: a layer may be random outside training too, with new numbers each time
// that follow from the seed, and evaluating changes nothing about training.
func TestRandomInEvaluation(t *testing.T) {
	x := tensor.New(make([]float32, 2000), 1000, 2)
	y := tensor.New(make([]float32, 1000), 1000)
	build := func() *dl.Model {
		dl.SetRandomSeed(7)
		m := need[*dl.Model](t)(dl.Sequential(layers.Input{Shape: layers.Shape{2}}, sampling(), layers.Dense{Units: 1}))
		if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: optimizers.SGD{}}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	a, b := build(), build()
	first, second := one(t, a, x), one(t, a, x)
	if first.Equal(second) {
		t.Error("expected new numbers each time")
	}
	kerastest.Close(t, "by the seed", one(t, b, x), first, 0)
	ds := need[*data.Dataset](t)(data.New(x, y))
	need[dl.Logs](t)(a.Evaluate(t.Context(), ds))
	if _, _, err := a.Trace(x, y); err != nil {
		t.Error(err)
	}
	config := dl.FitConfig{Epochs: 2, Silent: true}
	ha := need[*dl.History](t)(a.Fit(t.Context(), ds, config))
	hb := need[*dl.History](t)(b.Fit(t.Context(), ds, config))
	if fmt.Sprint(ha.Metrics) != fmt.Sprint(hb.Metrics) {
		t.Errorf("expected the same training whatever was evaluated before, got %v and %v", ha.Metrics, hb.Metrics)
	}
	values := need[[]float32](t)(tensor.Flat[float32](first))
	var sum, square float64
	for _, v := range values {
		sum, square = sum+float64(v), square+float64(v)*float64(v)
	}
	if n := float64(len(values)); square/n-sum/n*sum/n < 0.1 {
		t.Errorf("expected different numbers for each example, got a variance of %g", square/n-sum/n*sum/n)
	}
}

// TestLayerDType: a layer's own type is honoured, saved and loaded.
func TestLayerDType(t *testing.T) {
	if err := dl.SetDTypePolicy("mixed_bfloat16"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dl.SetDTypePolicy("float32") }()
	seen := map[string]tensor.DType{}
	look := func(name string) layers.Lambda {
		return layers.Lambda{Name: name, Function: func(_ *layers.Context, x ...*dl.Node) *dl.Node {
			seen[name] = x[0].DType()
			return x[0]
		}}
	}
	m := need[*dl.Model](t)(dl.Sequential(
		layers.Input{Shape: layers.Shape{2}}, look("model"), dl.NewLayer(look("own")).WithDType("float32"), look("again"),
		dl.NewLayer(layers.Activation{Activation: activations.Softmax}).WithDType("float32"),
	))
	clear(seen)
	one(t, m, tensor.Of([][]float32{{1, 2}}))
	if fmt.Sprint(seen["model"], seen["own"], seen["again"]) != "BFloat16 Float32 BFloat16" {
		t.Errorf("expected the layer's own type in its place, got %v", seen)
	}
	kept := need[*dl.Model](t)(dl.Sequential(layers.Input{Shape: layers.Shape{2}}, dl.NewLayer(layers.Dense{Units: 1}).WithDType("float32")))
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := kept.Save(path); err != nil {
		t.Fatal(err)
	}
	back := need[*dl.Model](t)(dl.Load(path))
	if got := back.Layers()[0].DType(); got != "float32" {
		t.Errorf("expected float32 after Load, got %q", got)
	}
	defer func() {
		if err, _ := recover().(error); err == nil || !strings.Contains(err.Error(), "int4") {
			t.Errorf("expected int4 to be refused, got %v", err)
		}
	}()
	dl.NewLayer(layers.Dense{Units: 1}).WithDType("int4")
}
