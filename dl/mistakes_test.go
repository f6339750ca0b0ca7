package dl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/schedules"
)

// TestLayerMistakes: each is reported when the model is built, with the layer's name,
// what was expected and what came.
func TestLayerMistakes(t *testing.T) {
	vector, sequence, image := layers.Shape{4}, layers.Shape{5, 3}, layers.Shape{8, 8, 2}
	for _, c := range []struct {
		layer layers.Layer
		in    layers.Shape
		parts []string
	}{
		{layers.Conv1D{Filters: 2, KernelSize: 6}, sequence, []string{"conv1d", "KernelSize 6", "(None, 5, 3)"}},
		{layers.Conv1D{Filters: 2, KernelSize: 2}, image, []string{"(None, steps, channels)", "(None, 8, 8, 2)"}},
		{layers.Conv2D{Filters: 2, KernelSize: [2]int{3, 3}, Padding: layers.Causal}, image, []string{"Valid or Same", "causal"}},
		{layers.Conv3D{Filters: 2, KernelSize: [3]int{2, 2, 2}}, image, []string{"conv3d", "depth"}},
		{layers.Conv2DTranspose{Filters: -2, KernelSize: [2]int{3, 3}}, image, []string{"conv2d_transpose", "Filters", "-2"}},
		{layers.DepthwiseConv2D{KernelSize: [2]int{9, 9}}, image, []string{"depthwise_conv2d", "[9 9]"}},
		{layers.SeparableConv2D{KernelSize: [2]int{3, 3}}, image, []string{"Filters", "0"}},
		{layers.MaxPooling1D{PoolSize: -1}, sequence, []string{"PoolSize", "-1"}},
		{layers.GlobalAveragePooling2D{}, sequence, []string{"height", "(None, 5, 3)"}},
		{layers.UpSampling2D{Size: [2]int{-1, 2}}, image, []string{"Size", "[-1 2]"}},
		{layers.ZeroPadding2D{Padding: [2][2]int{{-1, 0}, {0, 0}}}, image, []string{"Padding", "-1"}},
		{layers.Cropping2D{Cropping: [2][2]int{{4, 4}, {0, 0}}}, image, []string{"Cropping", "leave"}},
		{layers.Reshape{TargetShape: []int{3}}, vector, []string{"4 values", "[3]"}},
		{layers.Reshape{TargetShape: []int{-1, -1}}, vector, []string{"one of -1"}},
		{layers.Permute{Dims: []int{1, 1}}, sequence, []string{"Dims", "[1 1]"}},
		{layers.RepeatVector{N: 0}, vector, []string{"N", "0"}},
		{layers.Embedding{InputDim: 0, OutputDim: 2}, vector, []string{"InputDim"}},
		{layers.LSTM{Units: 0}, sequence, []string{"lstm", "Units"}},
		{layers.GRU{Units: 2}, vector, []string{"gru", "(None, steps, features)", "(None, 4)"}},
		{layers.SimpleRNN{Units: 2, Dropout: 1}, sequence, []string{"Rate", "1"}},
		{layers.LSTM{Units: 2, Stateful: true}, sequence, []string{"lstm", "BatchSize"}},
		{layers.Bidirectional{}, sequence, []string{"Layer", "nil"}},
		{layers.TimeDistributed{Layer: layers.Dense{}}, sequence, []string{"time_distributed", "Units"}},
		{layers.MultiHeadAttention{NumHeads: 2}, sequence, []string{"KeyDim"}},
		{layers.MultiHeadAttention{NumHeads: 2, KeyDim: 2}, vector, []string{"query", "steps"}},
		{layers.BatchNormalization{Axis: 5}, vector, []string{"Axis", "5"}},
		{layers.BatchNormalization{Momentum: 2}, vector, []string{"Momentum", "2"}},
		{layers.GroupNormalization{Groups: 3}, vector, []string{"Groups", "4 channels", "3"}},
		{layers.LayerNormalization{Axes: []int{0}}, vector, []string{"Axes", "batch"}},
		{layers.GaussianNoise{Stddev: -1}, vector, []string{"Stddev", "-1"}},
		{layers.SpatialDropout2D{Rate: 0.5}, vector, []string{"(None, 4)"}},
		{layers.Add{}, vector, []string{"at least 2 inputs", "1"}},
		{layers.Normalization{}, vector, []string{"Adapt"}},
		{layers.Normalization{Mean: []float64{1, 2}, Variance: []float64{1, 1}}, vector, []string{"2 features"}},
		{layers.CategoryEncoding{NumTokens: 3, OutputMode: "x"}, vector, []string{"OutputMode", `"x"`}},
		{layers.Discretization{BinBoundaries: []float64{2, 1}}, vector, []string{"rise"}},
		{layers.RandomFlip{Mode: "diagonal"}, image, []string{"Mode", "diagonal"}},
		{layers.RandomRotation{Factor: [2]float64{1, -1}}, image, []string{"Factor"}},
		{layers.RandomZoom{Fill: layers.Fill{FillMode: "x"}}, image, []string{"FillMode"}},
		{layers.CenterCrop{Height: 9, Width: 2}, image, []string{"9 by 2"}},
		{layers.RNN{}, sequence, []string{"Cell", "nil"}},
		{layers.RNN{Cell: layers.LSTMCell{}}, sequence, []string{"Cell", "Units", "0"}},
		{layers.RNN{Cell: layers.StackedRNNCells{}}, sequence, []string{"Cells", "none"}},
		{layers.RNN{Cell: layers.GRUCell{Units: 2}}, vector, []string{"steps", "(None, 4)"}},
		{layers.RNN{Cell: layers.GRUCell{Units: 2}, Stateful: true}, sequence, []string{"rnn", "BatchSize"}},
		{layers.SpectralNormalization{}, vector, []string{"Layer", "nil"}},
		{layers.SpectralNormalization{Layer: layers.ReLU{}}, vector, []string{"kernel"}},
		{layers.ChannelsFirst{Layer: layers.Conv2D{Filters: 2, KernelSize: [2]int{9, 9}}}, image, []string{"channels last"}},
		{layers.ChannelsFirst{Layer: layers.Flatten{}}, vector, []string{"axis of space", "(None, 4)"}},
		{layers.RandomCrop{Height: 2}, image, []string{"Width", "0"}},
		{layers.ReLU{MaxValue: -1}, vector, []string{"MaxValue"}},
		{layers.Dropout{NoiseShape: []int{1}}, vector, []string{"NoiseShape"}},
	} {
		_, err := Sequential(layers.Input{Shape: c.in}, c.layer)
		wantError(t, err, append(c.parts, fmt.Sprintf("(%s)", NewLayer(c.layer).Type()))...)
	}
}

// TestGraphMistakes: mistakes in how layers are connected.
func TestGraphMistakes(t *testing.T) {
	a, b := Input(layers.Shape{4}), Input(layers.Shape{5})
	dense := NewLayer(layers.Dense{Units: 2})
	Apply(dense, a)
	whole := func(in, out *Symbol) error {
		_, err := Functional([]*Symbol{in}, []*Symbol{out})
		return err
	}
	wantError(t, whole(a, Apply(layers.Add{}, a, b)), "add", "(None, 4) (None, 5)")
	wantError(t, whole(a, Apply(dense, b)), "weights are for input", "(None, 5)")
	wantError(t, whole(a, Apply(layers.Dense{Units: 2}, a, a)), "one input", "2")
	wantError(t, whole(a, Apply(layers.Dense{Units: 2}, nil)), "nil")
	wantError(t, whole(a, Apply(layers.Concatenate{Axis: 3}, a, a)), "Axis", "3")
	wantError(t, whole(a, Apply(layers.Dense{Units: 0}, a).Then(layers.Dense{Units: 2})), "Units", "0")
	wantError(t, whole(a, Apply(layers.Add{}, a.Then(layers.Dense{Units: 5}), b)), "missing", "InputLayer")
	wantError(t, whole(a, Apply(layers.LSTM{Units: 2, ReturnState: true}, Input(layers.Shape{3, 2}))), "ApplyAll")
	wantError(t, whole(a, Apply(layers.Dot{Axes: [2]int{1, 1}}, a, b)), "one size")
	wantError(t, whole(nil, a), "nil")
	_, err := Functional(nil, []*Symbol{a})
	wantError(t, err, "at least one input")
	m, err := Functional([]*Symbol{a, b}, []*Symbol{Apply(layers.Concatenate{}, a, b)})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := data.FromSlices([][]float32{{1, 2, 3, 4}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Predict(t.Context(), ds)
	wantError(t, err, "2 inputs", "1")
	_, err = m.Predict(t.Context(), data.Zip(ds, ds))
	wantError(t, err, "(None, 5)", "(None, 4)")
	_, err = m.Layer("x")
	wantError(t, err, `no layer "x"`, "concatenate")
}

// TestTrainingMistakes: whatever goes wrong, the model stays as it was.
func TestTrainingMistakes(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a quarter of a minute; make check")
	}
	newModel := func() *Model {
		m, err := Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Embedding{InputDim: 5, OutputDim: 2, Name: "words"}, layers.Flatten{}, layers.Dense{Units: 3, Activation: activations.Softmax})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	set := func(x any, y any) *data.Dataset {
		ds, err := data.FromSlices(x, y)
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	good := set([][]float32{{1, 2, 3}, {0, 4, 1}}, []int32{0, 2})
	nan := float32(math.NaN())
	failing, err := data.FromGenerator(func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			for i := range 10 {
				if i == 7 {
					yield(data.Example{}, errors.New("the disk is on fire"))
					return
				}
				if !yield(data.Example{X: []float32{1, 2, 3}, Y: int32(i % 3)}, nil) {
					return
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ragged, err := data.FromGenerator(func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			_ = yield(data.Example{X: []float32{1, 2, 3}, Y: int32(0)}, nil) && yield(data.Example{X: []float32{1}, Y: int32(0)}, nil)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ds     *data.Dataset
		config FitConfig
		ctx    context.Context
		parts  []string
	}{
		"words out of range":     {ds: set([][]float32{{1, 2, 5}}, []int32{0}), parts: []string{"words", "0 to 4", "5", "example 0"}},
		"half a word":            {ds: set([][]float32{{1, 2, 0.5}}, []int32{0}), parts: []string{"0.5"}},
		"labels out of range":    {ds: set([][]float32{{1, 2, 3}}, []int32{3}), parts: []string{"0 to 2", "3"}},
		"no number":              {ds: set([][]float32{{1, nan, 3}}, []int32{0}), parts: []string{"finite", "NaN"}},
		"another shape":          {ds: set([][]float32{{1, 2}}, []int32{0}), parts: []string{"words", "(None, 3)", "(None, 2)"}},
		"two labels":             {ds: good.WithLabels(set([]float32{1, 2}, nil)), parts: []string{"1 labels", "2"}},
		"labels with labels":     {ds: good.WithLabels(good), parts: []string{"labels of its own"}},
		"no labels":              {ds: set([][]float32{{1, 2, 3}}, nil), parts: []string{"labels"}},
		"no examples":            {ds: good.Take(0), parts: []string{"empty"}},
		"no dataset":             {parts: []string{"a dataset", "nil"}},
		"weights that are few":   {ds: good.WithWeights([]float32{1}), parts: []string{"2 weights", "1"}},
		"negative weights":       {ds: good.WithWeights([]float32{1, -1}), parts: []string{"-1"}},
		"class weight of none":   {ds: good, config: FitConfig{ClassWeight: map[int]float64{3: 1}}, parts: []string{"0 to 2", "class 3"}},
		"negative class weight":  {ds: good, config: FitConfig{ClassWeight: map[int]float64{1: -1}}, parts: []string{"-1"}},
		"negative steps":         {ds: good, config: FitConfig{StepsPerEpoch: -1}, parts: []string{"StepsPerEpoch", "-1"}},
		"a failing generator":    {ds: failing.Batch(2), parts: []string{"batch 4", "fire", "keeps"}},
		"a ragged generator":     {ds: ragged.Batch(1), parts: []string{"example 1", "first example"}},
		"a cancelled context":    {ds: good, ctx: cancelled, parts: []string{"interrupted", "0 of 1 epochs"}},
		"a failing callback":     {ds: good, config: FitConfig{Callbacks: []callbacks.Callback{callbacks.LambdaCallback{EpochEnd: func(*callbacks.Training, callbacks.Logs) error { return errors.New("no") }}}}, parts: []string{"LambdaCallback", "no"}},
		"nothing to monitor":     {ds: good, config: FitConfig{Callbacks: []callbacks.Callback{&callbacks.EarlyStopping{}}}, parts: []string{"EarlyStopping", "loss", "val_loss"}},
		"a checkpoint of no log": {ds: good, config: FitConfig{Callbacks: []callbacks.Callback{&callbacks.ModelCheckpoint{Path: t.TempDir() + "/{val_loss}"}}}, parts: []string{"val_loss"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newModel()
			before, err := m.Weights()
			if err != nil {
				t.Fatal(err)
			}
			if c.ctx == nil {
				c.ctx = t.Context()
			}
			c.config.Silent = true
			_, err = m.Fit(c.ctx, c.ds, c.config)
			if err == nil || !strings.Contains(err.Error(), "data: ") {
				wantError(t, err, c.parts...)
			} else {
				for _, p := range c.parts {
					if !strings.Contains(err.Error(), p) {
						t.Errorf("expected an error that says %q, got %q", p, err)
					}
				}
			}
			if strings.HasPrefix(name, "a failing") || strings.HasPrefix(name, "nothing") || strings.HasPrefix(name, "a ragged") || strings.HasPrefix(name, "a checkpoint") {
				before = nil // what was learned before it is kept
			}
			after, err := m.Weights()
			if err != nil {
				t.Fatal(err)
			}
			for i := range before {
				kerastest.Close(t, "a weight that must not change", after[i], before[i], 0)
			}
			if _, err := m.Fit(t.Context(), good, FitConfig{Silent: true}); err != nil {
				t.Errorf("expected to go on with good data, got %v", err)
			}
		})
	}
}

// TestCompileMistakes: mistakes in how a model is compiled.
func TestCompileMistakes(t *testing.T) {
	a := Input(layers.Shape{4})
	m, err := Functional([]*Symbol{a}, []*Symbol{a.Then(layers.Dense{Units: 1, Name: "left"}), a.Then(layers.Dense{Units: 1, Name: "right"})})
	if err != nil {
		t.Fatal(err)
	}
	mse := losses.MeanSquaredError{}
	for _, c := range []struct {
		config CompileConfig
		parts  []string
	}{
		{CompileConfig{}, []string{"Loss"}},
		{CompileConfig{Loss: mse, Losses: map[string]losses.Loss{"left": mse}}, []string{"both"}},
		{CompileConfig{Losses: map[string]losses.Loss{"middle": mse}}, []string{"left", "right", "middle"}},
		{CompileConfig{Loss: mse, LossWeights: map[string]float64{"x": 1}}, []string{"x"}},
		{CompileConfig{Loss: mse, Metrics: []metrics.Metric{nil}}, []string{"nil"}},
		{CompileConfig{Loss: mse, Metrics: []metrics.Metric{metrics.MeanAbsoluteError{}, metrics.MeanAbsoluteError{}}}, []string{"twice"}},
		{CompileConfig{Loss: mse, Optimizer: optimizers.Adam{Options: optimizers.Options{Schedule: schedules.PiecewiseConstantDecay{}}}}, []string{"PiecewiseConstantDecay"}},
		{CompileConfig{Loss: mse, Optimizer: optimizers.SGD{LearningRate: math.Inf(1)}}, []string{"LearningRate"}},
	} {
		wantError(t, m.Compile(c.config), c.parts...)
	}
	if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: mse}); err != nil {
		t.Fatal(err)
	}
	m.SetTrainable(false)
	x := [][]float32{{1, 2, 3, 4}}
	ds, err := data.FromSlices(x, []float32{1})
	if err != nil {
		t.Fatal(err)
	}
	more, err := data.FromSlices([]float32{2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Fit(t.Context(), ds.WithLabels(more), FitConfig{Silent: true})
	wantError(t, err, "trainable")
	wantError(t, SetDTypePolicy("float8"), "mixed_bfloat16", "float8")
	_, _, err = Gradient(func(x []*graph.Node) *graph.Node { return x[0] }, tensors.FromValue([]float32{1, 2}))
	wantError(t, err, "scalar")
	_, err = GradientCheck(func(x []*graph.Node) *graph.Node { return graph.ReduceAllSum(x[0]) }, nil)
	wantError(t, err, "nil")
	_, _, err = m.Trace(nil, nil)
	wantError(t, err, "to trace")
	one := pair(t, optimizers.SGD{})
	_, _, err = one.Trace(nil, nil)
	wantError(t, err, "to trace", "nil")
	_, err = one.GradientCheck(nil, nil)
	wantError(t, err, "to check", "nil")
	_, err = one.GradientCheck(tensors.FromValue([][]float32{{1, 2, 3}}), tensors.FromValue([][]float32{{1}}))
	wantError(t, err, "(None, 2)")
	_, err = one.GradientCheck(tensors.FromValue([][]float32{{1, 2}}), tensors.FromValue(float32(1)))
	wantError(t, err, "labels of a batch")
}

// TestNaN: TerminateOnNaN ends a training whose loss is no number.
func TestNaN(t *testing.T) {
	m, err := Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{LearningRate: 1e30}, Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	ds, err := data.FromSlices([][]float32{{1e9}, {2e9}}, []float32{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Fit(t.Context(), ds, FitConfig{Epochs: 50, BatchSize: 1, Silent: true, Callbacks: []callbacks.Callback{callbacks.TerminateOnNaN{}}})
	wantError(t, err, "TerminateOnNaN", "loss is", "learning rate")
}

// TestTooLarge: a model and a batch that do not fit into memory are errors.
func TestTooLarge(t *testing.T) {
	_, err := Sequential(layers.Input{Shape: layers.Shape{1 << 20}}, layers.Dense{Units: 1 << 22})
	wantError(t, err, "dense", "memory")
	m, err := Sequential(layers.Input{Shape: layers.Shape{64, 64, 1}}, layers.UpSampling2D{Size: [2]int{1 << 14, 1 << 14}}, layers.GlobalMaxPooling2D{})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := data.FromFlat(make([]float32, 64*64), []int{64, 64, 1}, []uint8(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Predict(t.Context(), ds)
	wantError(t, err, "up_sampling2d", "memory", "(None, 1048576, 1048576, 1)")
}
