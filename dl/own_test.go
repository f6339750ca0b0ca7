package dl_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/schedules"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Types as a user writes them.

type times float64

func (times) Build(in layers.Shape) (layers.Spec, error) { return layers.Spec{Output: in}, nil }
func (l times) Call(_ *layers.Context, x *dl.Node) *dl.Node {
	return ops.Multiply(x, float64(l))
}

type wrap struct {
	layers.Layer
	K float64
}

type mode int

func (m mode) String() string { return [...]string{"slow", "fast"}[m] }

type settings struct {
	layers.Base
	K    uint8
	M    mode
	All  []activations.Activation
	Seed int64
	Far  float64
}

func (settings) Call(_ *layers.Context, x *dl.Node) *dl.Node { return x }

type common struct{ K float64 }

type twice struct {
	layers.Base
	common
	K float64
}

func (twice) Call(_ *layers.Context, x *dl.Node) *dl.Node { return x }

type typed struct {
	layers.Base
	Dtype string
}

func (typed) Call(_ *layers.Context, x *dl.Node) *dl.Node { return x }

type scaledCrossentropy struct{ losses.CategoricalCrossentropy }

func (l scaledCrossentropy) Compute(labels, output *dl.Node) *dl.Node {
	return ops.Multiply(l.CategoricalCrossentropy.Compute(labels, output), 10)
}

type scaledDense struct{ layers.Dense }

func (l scaledDense) Call(c *layers.Context, x *dl.Node) *dl.Node {
	return ops.Multiply(l.Dense.Call(c, x), 10)
}

type scaledGRU struct{ layers.GRU }

func (l scaledGRU) CallAll(c *layers.Context, in []*dl.Node) []*dl.Node {
	out := l.GRU.CallAll(c, in)
	out[0] = ops.Multiply(out[0], 100)
	return out
}

type scaledLSTM struct{ layers.LSTM }

func (l scaledLSTM) Call(c *layers.Context, x *dl.Node) *dl.Node {
	return ops.Multiply(l.LSTM.Call(c, x), 100)
}

// returns is a layer whose Call gives what it should not.
type returns struct {
	layers.Base
	call func(x *dl.Node) *dl.Node `keras:"-"`
}

func (l returns) Call(_ *layers.Context, x *dl.Node) *dl.Node { return l.call(x) }

func of(t *testing.T, l ...layers.Layer) *dl.Model {
	t.Helper()
	dl.SetRandomSeed(1)
	m, err := dl.Sequential(append([]layers.Layer{layers.Input{Shape: layers.Shape{2}}}, l...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var three = [][]float32{{-1, 2}, {3, -4}, {5, 6}}

func predicted(t *testing.T, m *dl.Model) string {
	t.Helper()
	y, err := m.PredictOnBatch(tensor.Of(three))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(y[0].Value())
}

// reloaded saves a model, loads it, and checks that it predicts the same.
func reloaded(t *testing.T, m *dl.Model) *dl.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := dl.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if was, is := predicted(t, m), predicted(t, again); was != is {
		t.Errorf("expected what was saved, %s, got %s", was, is)
	}
	return again
}

// TestOwnTypesSaved: what Save writes of a user's types, Load reads; what it could not read is
// refused by name.
func TestOwnTypesSaved(t *testing.T) {
	dl.Register(times(0), wrap{}, settings{}, typed{})
	reloaded(t, of(t, times(3)))
	reloaded(t, of(t, wrap{Layer: layers.Dense{Units: 2}, K: 2}))
	again := reloaded(t, of(t, settings{K: 3, M: 1, All: []activations.Activation{activations.ReLU, nil}, Seed: 77}))
	if got := again.Layers()[0].Config().(settings); got.K != 3 || got.M != 1 || len(got.All) != 2 || got.All[1] != nil || got.Seed != 77 {
		t.Errorf("got %+v", got)
	}
	dl.Register(twice{})
	for want, l := range map[string]layers.Layer{
		"seed":        settings{Seed: 1<<62 + 123},
		"+Inf":        settings{Far: math.Inf(1)},
		`"dtype"`:     typed{Dtype: "double"},
		`calls "k"`:   twice{K: 3, common: common{K: 5}},
		"itself":      layers.TimeDistributed{Layer: dl.NewLayer(layers.Dense{Units: 1})},
		"SaveWeights": layers.TimeDistributed{Layer: of(t, layers.Dense{Units: 1})},
	} {
		in := layers.Input{Shape: layers.Shape{2}}
		if _, ok := l.(layers.TimeDistributed); ok {
			in.Shape = layers.Shape{4, 2}
		}
		m, err := dl.Sequential(in, l)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Save(filepath.Join(t.TempDir(), "m.safetensors")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error of Save that says %q, got %v", want, err)
		}
	}
}

// scheduled is an optimizer whose schedule a file cannot give back.
type scheduled struct {
	optimizers.SGD
	Decay schedules.Schedule
}

func (o scheduled) Common() optimizers.Options {
	return optimizers.Options{Schedule: o.Decay}
}

// TestOwnOptimizerSaved: Save refuses it, or Load reads it.
func TestOwnOptimizerSaved(t *testing.T) {
	dl.Register(scheduled{})
	m := of(t, layers.Dense{Units: 1})
	if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: scheduled{Decay: schedules.ExponentialDecay{InitialLearningRate: 0.1, DecaySteps: 1, DecayRate: 0.5}}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		return // refused
	}
	if _, err := dl.Load(path); err != nil {
		t.Errorf("what Save has written, Load refuses: %v", err)
	}
}

// TestNamesTaken: nothing of a user's has a name by which a file means something of dl's.
func TestNamesTaken(t *testing.T) {
	type (
		Model            struct{ layers.Base }
		InputLayer       struct{ layers.Base }
		Meansquarederror struct{ metrics.Base }
	)
	zero := func(_, output *dl.Node) *dl.Node { return ops.Sum(ops.Subtract(output, output), -1) }
	for name, v := range map[string]any{
		"swish": activations.Func("swish", func(x *dl.Node) *dl.Node { return ops.Multiply(x, 2) }),
		"mse":   losses.Func("mse", zero), "accuracy": metrics.Func("accuracy", zero), "mean_squared_error": losses.Func("mean_squared_error", zero),
		"Model": Model{}, "InputLayer": InputLayer{}, "Meansquarederror": Meansquarederror{}, "*dl.Layer": &dl.Layer{}, "*dl.Model": &dl.Model{},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r == nil {
					t.Errorf("expected %s to be refused", name)
				}
			}()
			dl.Register(v)
		})
	}
	dl.Register(activations.Func("identity", func(x *dl.Node) *dl.Node { return x })) // an initializer's name means no activation
}

// TestOverridden: a type that embeds one of dl's and has a method of its own is not taken for it.
func TestOverridden(t *testing.T) {
	x, y := tensor.Of([][]float32{{1, 2}}), tensor.Of([][]float32{{0, 1}})
	var measured []float64
	for _, l := range []losses.Loss{losses.CategoricalCrossentropy{}, scaledCrossentropy{}} {
		m := of(t, layers.Dense{Units: 2, Activation: activations.Softmax})
		if err := m.Compile(dl.CompileConfig{Loss: l}); err != nil {
			t.Fatal(err)
		}
		logs, err := m.TestOnBatch(x, y)
		if err != nil {
			t.Fatal(err)
		}
		measured = append(measured, logs["loss"])
	}
	if math.Abs(measured[1]-10*measured[0]) > 1e-5 {
		t.Errorf("expected ten times the loss %g, got %g", measured[0], measured[1])
	}
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := onnx.Save(of(t, scaledDense{layers.Dense{Units: 2}}), path); err == nil {
		t.Error("expected ONNX to refuse a Dense with a Call of its own")
	}
	sequence := layers.Input{Shape: layers.Shape{3, 2}}
	if _, err := dl.Sequential(sequence, layers.Bidirectional{Layer: scaledGRU{layers.GRU{Units: 2}}}); err == nil || !strings.Contains(err.Error(), "scaledGRU") {
		t.Errorf("expected Bidirectional to refuse a layer that it cannot turn round, got %v", err)
	}
	var out []float32
	for _, l := range []layers.Layer{layers.LSTM{Units: 1}, scaledLSTM{layers.LSTM{Units: 1}}} {
		dl.SetRandomSeed(1)
		m, err := dl.Sequential(sequence, l)
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.PredictOnBatch(tensor.Of([][][]float32{{{1, 2}, {3, 4}, {5, 6}}}))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, y[0].Value().([][]float32)[0][0])
	}
	if math.Abs(float64(out[1]-100*out[0])) > 1e-4 {
		t.Errorf("expected an LSTM's own Call to be used: %v", out)
	}
}

// TestBatchStaysFirst: an output that is not one for each example is an error that names the
// layer, when the model is built or, where that cannot be seen, when it is used.
func TestBatchStaysFirst(t *testing.T) {
	x := dl.Input(layers.Shape{2})
	for name, s := range map[string]*dl.Symbol{
		"slice": ops.Slice(x, 0, 0, 2), "sum": ops.Sum(x, 0), "einsum": ops.Einsum("bi,bj->ij", x, x), "transpose": ops.Transpose(x),
		"reshape": ops.Reshape(x, 2, -1), "matmul": ops.MatMul(x, x), "stack": ops.Stack([]*dl.Symbol{x, x}, 0), "moveaxis": ops.MoveAxis(x, 0, 1),
		"broadcast_to": ops.BroadcastTo(x, 2, 2), "pad": ops.Pad(x, 1, -3, 0, 0),
	} {
		if s.Err() == nil {
			t.Errorf("%s: expected an error, got shape %v", name, s.Shape())
		} else if shape := new(dl.ShapeError); !errors.As(s.Err(), &shape) {
			t.Errorf("%s: expected a ShapeError, got %v", name, s.Err())
		}
	}
	for name, call := range map[string]func(x *dl.Node) *dl.Node{
		"nil":    func(*dl.Node) *dl.Node { return nil },
		"scalar": graph.ReduceAllSum,
		"rows":   func(x *dl.Node) *dl.Node { return ops.Slice(x, 0, 0, 1) },
	} {
		m := of(t, returns{call: call})
		if _, err := m.PredictOnBatch(tensor.Of(three)); err == nil || !strings.Contains(err.Error(), "returns") {
			t.Errorf("%s: expected an error that names the layer, got %v", name, err)
		}
	}
}

// TestModelIsOneLayer: a model that is applied twice has its weights once: in a copy and in a
// file, too. What a file cannot say is refused.
func TestModelIsOneLayer(t *testing.T) {
	tower := of(t, layers.Dense{Units: 2, NoBias: true})
	a := dl.Input(layers.Shape{2})
	m, err := dl.Functional([]*dl.Symbol{a}, []*dl.Symbol{dl.Apply(layers.Subtract{}, dl.Apply(tower, a), dl.Apply(tower, ops.Multiply(a, 2)))})
	if err != nil {
		t.Fatal(err)
	}
	stack, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, tower, tower)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*dl.Model{"functional": m, "sequential": stack} {
		t.Run(name, func(t *testing.T) {
			copied, err := m.Clone()
			if err != nil {
				t.Fatal(err)
			}
			for what, c := range map[string]*dl.Model{"the model": m, "its copy": copied, "what is loaded": reloaded(t, m)} {
				if n := len(c.WeightNames()); n != 1 {
					t.Errorf("%s: expected 1 weight, got %q", what, c.WeightNames())
				}
			}
		})
	}
	shared := dl.NewLayer(layers.Dense{Units: 2})
	both, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, of(t, shared), of(t, shared, layers.Flatten{}))
	if err != nil {
		t.Fatal(err)
	}
	if copied, err := both.Clone(); err != nil || len(copied.WeightNames()) != len(both.WeightNames()) {
		t.Errorf("expected a copy with %q, got %q, %v", both.WeightNames(), copied.WeightNames(), err)
	}
	if err := both.Save(filepath.Join(t.TempDir(), "m.safetensors")); err == nil || !strings.Contains(err.Error(), "share") {
		t.Errorf("expected Save to refuse a layer that two models share, got %v", err)
	}
}

// TestDistributedModel: TimeDistributed takes whatever has one output.
func TestDistributedModel(t *testing.T) {
	inner := of(t, layers.Dense{Units: 3})
	for _, l := range []layers.Layer{inner, dl.NewLayer(layers.Dense{Units: 3}), layers.Lambda{Function: func(_ *layers.Context, x ...*dl.Node) *dl.Node {
		return ops.Concatenate([]*dl.Node{x[0], ops.Slice(x[0], 1, 0, 1)}, 1)
	}}} {
		m, err := dl.Sequential(layers.Input{Shape: layers.Shape{4, 2}}, layers.TimeDistributed{Layer: l})
		if err != nil {
			t.Error(err)
			continue
		}
		if s := m.OutputShape(); !s.Equal(layers.Shape{4, 3}) {
			t.Errorf("expected (None, 4, 3), got %v", s)
		}
	}
}

// TestErrorTypes: errors.As finds what went wrong.
func TestErrorTypes(t *testing.T) {
	a, b := dl.Input(layers.Shape{2}), dl.Input(layers.Shape{3, 3})
	image := dl.Input(layers.Shape{3, 3, 1})
	for name, s := range map[string]*dl.Symbol{
		"Conv2D": image.Then(layers.Conv2D{Filters: 1, KernelSize: [2]int{5, 5}}), "Reshape": a.Then(layers.Reshape{TargetShape: layers.Shape{3}}),
		"Concatenate": dl.Apply(layers.Concatenate{}, a, b), "Cropping": image.Then(layers.Cropping2D{Cropping: [2][2]int{{2, 2}, {0, 0}}}),
		"Permute": b.Then(layers.Permute{Dims: []int{1, 3}}), "Add": ops.Add(a, dl.Input(layers.Shape{3})), "Resize": ops.Resize(a, 2, 2, "nearest"),
	} {
		if shape := new(dl.ShapeError); !errors.As(s.Err(), &shape) {
			t.Errorf("%s: expected a ShapeError, got %v", name, s.Err())
		}
	}
	m := of(t, layers.Dense{Units: 1})
	if shape, err := new(dl.ShapeError), m.SetWeights([]*dl.Tensor{tensor.Of([]float32{1}), tensor.Of([]float32{1})}); !errors.As(err, &shape) {
		t.Errorf("SetWeights: expected a ShapeError, got %v", err)
	}
	path := filepath.Join(t.TempDir(), "hello.onnx")
	bare, err := dl.Sequential(layers.Dense{Units: 1})
	if err != nil {
		t.Fatal(err)
	}
	if built, err := new(dl.NotBuiltError), onnx.Save(bare, path); !errors.As(err, &built) {
		t.Errorf("onnx.Save: expected a NotBuiltError, got %v", err)
	}
	if err := of(t, layers.Dense{Units: 1}).Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := onnx.Load(path); !errors.As(err, new(*dl.FormatError)) {
		t.Errorf("onnx.Load: expected a FormatError, got %v", err)
	}
	if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Trace(tensor.Of(three), tensor.Of([][]float32{{1}, {2}})); err == nil || !strings.Contains(err.Error(), "a label for each of 3") {
		t.Errorf("Trace: expected an error that counts labels, got %v", err)
	}
}

// TestContradictions: what cannot both be meant is refused.
func TestContradictions(t *testing.T) {
	m := of(t, layers.Dense{Units: 1, Name: "out"})
	mean := func(_, output *dl.Node) *dl.Node { return ops.Mean(output, -1) }
	for name, c := range map[string]dl.CompileConfig{
		"metric twice": {Loss: losses.MeanSquaredError{}, Metrics: []metrics.Metric{metrics.MeanAbsoluteError{}}, OutputMetrics: map[string][]metrics.Metric{"out": {metrics.MeanAbsoluteError{}}}},
		"called loss":  {Loss: losses.MeanSquaredError{}, OutputMetrics: map[string][]metrics.Metric{"out": {metrics.Func("loss", mean)}}},
		"step":         {Loss: losses.MeanSquaredError{}, Step: func(*dl.Step) {}},
	} {
		if err := m.Compile(c); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
	if err := m.Compile(dl.CompileConfig{Step: func(s *dl.Step) { s.Minimize(ops.Sum(s.Forward(s.X...)[0])) }, Optimizer: optimizers.SGD{}}); err != nil {
		t.Fatal(err)
	}
	ds, err := data.FromSlices(three, []int32{0, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Fit(t.Context(), ds, dl.FitConfig{ClassWeight: map[int]float64{0: 2}, Silent: true}); err == nil || !strings.Contains(err.Error(), "Step") {
		t.Errorf("expected ClassWeight to be refused for a Step, got %v", err)
	}
}
