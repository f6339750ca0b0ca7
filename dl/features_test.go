package dl

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func layerNamed(t testing.TB, m *Model, name string) *Layer {
	t.Helper()
	return must(m.Layer(name))(t)
}

// TestSharedLayers: a layer that is applied twice has one set of weights, also in two
// models.
func TestSharedLayers(t *testing.T) {
	a, b := Input(layers.Shape{3}), Input(layers.Shape{3})
	tower := NewLayer(layers.Dense{Units: 2, KernelInitializer: initializers.Ones{}})
	m := must(Functional([]*Symbol{a, b}, []*Symbol{Apply(layers.Subtract{}, Apply(tower, a), Apply(tower, b))}))(t)
	if n := len(m.m.Weights); n != 2 {
		t.Errorf("expected a kernel and a bias, got %d weights", n)
	}
	half := must(Functional([]*Symbol{a}, []*Symbol{tower.Output()}))(t)
	if err := tower.SetWeights([]*tensors.Tensor{tensors.FromValue([][]float32{{1, 2}, {3, 4}, {5, 6}}), tensors.FromValue([]float32{1, 1})}); err != nil {
		t.Fatal(err)
	}
	x := must(data.FromSlices([][]float32{{1, 0, 0}}, nil))(t)
	y := must(data.FromSlices([][]float32{{0, 1, 0}}, nil))(t)
	kerastest.Close(t, "difference", must(m.Predict(t.Context(), data.Zip(x, y)))(t), tensors.FromValue([][]float32{{-2, -2}}), 1e-6)
	kerastest.Close(t, "one tower", must(half.Predict(t.Context(), x))(t), tensors.FromValue([][]float32{{2, 3}}), 1e-6)
	if s := m.Summary(); !strings.Contains(s, "Connected to") || !strings.Contains(s, "dense[1][0]") {
		t.Errorf("expected a summary with both calls of the layer, got\n%s", s)
	}
}

// TestTransfer freezes a model that is a layer of another, trains what is new, and reads
// features out of the middle.
func TestTransfer(t *testing.T) {
	base := must(Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Dense{Units: 4, Activation: activations.ReLU, Name: "features"}, layers.BatchNormalization{}))(t)
	m := must(Sequential(layers.Input{Shape: layers.Shape{3}}, base.WithName("base"), layers.Dense{Units: 3, Activation: activations.Softmax}))(t)
	layerNamed(t, m, "base").SetTrainable(false)
	if err := m.Compile(CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
		t.Fatal(err)
	}
	before := must(base.Weights())(t)
	head := must(layerNamed(t, m, "dense").Weights())(t)
	if _, err := m.Fit(t.Context(), spiral(t), FitConfig{Silent: true}); err != nil {
		t.Fatal(err)
	}
	for i, w := range must(base.Weights())(t) {
		kerastest.Close(t, "a frozen weight", w, before[i], 0)
	}
	if fmt.Sprint(must(layerNamed(t, m, "dense").Weights())(t)[0].Value()) == fmt.Sprint(head[0].Value()) {
		t.Error("expected the new layer to have learned")
	}
	// Set free, all of it learns; the running means too.
	layerNamed(t, m, "base").SetTrainable(true)
	if _, err := m.Fit(t.Context(), spiral(t), FitConfig{Silent: true}); err != nil {
		t.Fatal(err)
	}
	for i, w := range must(base.Weights())(t) {
		if fmt.Sprint(w.Value()) == fmt.Sprint(before[i].Value()) {
			t.Errorf("%s: expected it to have learned", base.WeightNames()[i])
		}
	}
	inner := layerNamed(t, m, "base").Config().(*Model)
	features := must(Functional(inner.Inputs(), []*Symbol{layerNamed(t, inner, "features").Output()}))(t)
	if got := features.OutputShape(); !got.Equal(layers.Shape{4}) {
		t.Errorf("expected 4 features, got %v", got)
	}
	if s := m.SummaryExpanded(); !strings.Contains(s, "└ features (Dense)") {
		t.Errorf("expected a summary with the layers inside, got\n%s", s)
	}
	d := must(m.Diagram())(t)
	if len(d.Nodes) != 3 || len(d.Edges) != 2 || d.Nodes[1].Model == nil || d.Nodes[1].Model.Nodes[1].Params != 16 {
		t.Errorf("expected a diagram of 3 nodes with one inside, got %+v", d)
	}
}

// TestCustomStep trains with a step of one's own, which Evaluate uses too.
func TestCustomStep(t *testing.T) {
	m := must(Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Dense{Units: 1}))(t)
	if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{LearningRate: 0.05}, Step: func(s *Step) {
		output := s.Forward(s.X...)[0]
		loss := s.Loss(losses.MeanSquaredError{}, s.Y[0], output)
		s.Report("largest", graph.ReduceAllMax(output))
		s.Minimize(loss)
	}}); err != nil {
		t.Fatal(err)
	}
	ds := must(data.FromSlices([][]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, []float32{1, 2, 3}))(t)
	h := must(m.Fit(t.Context(), ds, FitConfig{Epochs: 200, Silent: true}))(t)
	logs := must(m.Evaluate(t.Context(), ds))(t)
	if loss := h.Last()["loss"]; !(loss < 0.01) || math.Abs(logs["largest"]-3) > 0.3 {
		t.Errorf("expected a loss below 0.01 and a largest output of 3, got %v and %v", h.Last(), logs)
	}
	err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Step: func(s *Step) { s.Forward(s.X...) }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Fit(t.Context(), ds, FitConfig{Silent: true})
	wantError(t, err, "Step", "Minimize")
}

// TestMixedPrecision trains in 16 bits, with weights that stay in 32.
func TestMixedPrecision(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds; make check")
	}
	defer func() {
		if err := SetDTypePolicy("float32"); err != nil {
			t.Fatal(err)
		}
	}()
	for _, policy := range []string{"mixed_bfloat16", "mixed_float16"} {
		if err := SetDTypePolicy(policy); err != nil {
			t.Fatal(err)
		}
		SetRandomSeed(1)
		m := must(Sequential(layers.Input{Shape: layers.Shape{4, 3}}, layers.LSTM{Units: 6, ReturnSequences: true}, layers.LayerNormalization{}, layers.Flatten{}, layers.Dense{Units: 2, Activation: activations.Softmax}))(t)
		if err := m.Compile(CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.02}, Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
			t.Fatal(err)
		}
		x, y := make([]float32, 32*12), make([]int32, 32)
		for i := range x {
			x[i] = float32(math.Sin(float64(i)))
			y[i/12] = int32(i / 12 % 2)
		}
		ds := must(data.FromFlat(x, []int{4, 3}, y, nil))(t)
		h := must(m.Fit(t.Context(), ds, FitConfig{Epochs: 80, Silent: true}))(t)
		if first, last := h.Metrics["loss"][0], h.Last()["loss"]; !(last < first*0.8) {
			t.Errorf("%s: expected it to learn, got losses from %v to %v", policy, first, last)
		}
		if w := must(m.Weights())(t); w[0].DType().String() != "Float32" {
			t.Errorf("%s: expected weights of float32, got %v", policy, w[0].Shape())
		}
	}
}

// TestStateful carries the state on from batch to batch: two halves of a sequence give
// what the whole gives.
func TestStateful(t *testing.T) {
	whole := must(Sequential(layers.Input{Shape: layers.Shape{6, 2}}, layers.GRU{Units: 3}))(t)
	part := must(Sequential(layers.Input{Shape: layers.Shape{3, 2}, BatchSize: 1}, layers.GRU{Units: 3, Stateful: true}))(t)
	if err := part.SetWeights(must(whole.Weights())(t)); err != nil {
		t.Fatal(err)
	}
	x := []float32{1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6}
	want := must(whole.Predict(t.Context(), must(data.FromFlat(x, []int{6, 2}, []uint8(nil), nil))(t)))(t)
	halves := must(data.FromFlat(x, []int{3, 2}, []uint8(nil), nil))(t)
	for range 2 {
		got := must(part.Predict(t.Context(), halves.Batch(1)))(t)
		kerastest.Close(t, "after both halves", tensors.FromFlatDataAndDimensions(flat32(got)[3:], 1, 3), want, 1e-6)
		part.ResetStates()
	}
}

func flat32(t *tensors.Tensor) (out []float32) {
	for _, v := range kerastest.Floats(t) {
		out = append(out, float32(v))
	}
	return out
}

// TestLongSequence: 500 steps compile as fast as 5.
func TestLongSequence(t *testing.T) {
	m := must(Sequential(layers.Input{Shape: layers.Shape{500, 4}}, layers.LSTM{Units: 8}, layers.Dense{Units: 2}))(t)
	if err := m.Compile(CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 4*500*4)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)))
	}
	ds := must(data.FromFlat(x, []int{500, 4}, make([]float32, 8), []int{2}))(t)
	h := must(m.Fit(t.Context(), ds, FitConfig{Epochs: 5, Silent: true}))(t)
	if l := h.Metrics["loss"]; !(l[4] < l[0]) {
		t.Errorf("expected the loss to fall, got %v", l)
	}
}

// TestGradients compares gradients with what is known.
func TestGradients(t *testing.T) {
	x := tensors.FromValue([]float32{1, 2, 3})
	y, dx, err := Gradient(func(x []*graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Square(x[0])) }, x)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(y.Value(), dx[0].Value()); got != "14 [2 4 6]" {
		t.Errorf("expected 14 [2 4 6], got %s", got)
	}
	r := must(GradientCheck(func(x []*graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Tanh(graph.Mul(x[0], x[1]))) }, x, tensors.FromValue([]float32{0.1, -0.3, 2})))(t)
	if !(r.MaxError() < 1e-8) || len(r.Errors) != 2 || !strings.Contains(r.String(), "x1") {
		t.Errorf("expected gradients that differences confirm, got\n%s", r)
	}
	m := learner(t)
	in, labels := tensors.FromValue([][]float32{{1, 2, 3}, {-1, 0, 1}}), tensors.FromValue([]int32{0, 2})
	r = must(m.GradientCheck(in, labels))(t)
	if !(r.MaxError() < 1e-6) || len(r.Names) != 6 {
		t.Errorf("expected 6 weights whose gradients differences confirm, got\n%s", r)
	}
	wrong := must(GradientCheck(func(x []*graph.Node) *graph.Node { return graph.ReduceAllSum(graph.StopGradient(x[0])) }, x))(t)
	if wrong.MaxError() < 0.5 {
		t.Errorf("a gradient that is stopped: expected differences to show it, got %v", wrong.MaxError())
	}
	loss, trace, err := m.Trace(in, labels)
	if err != nil {
		t.Fatal(err)
	}
	logs := must(m.Evaluate(t.Context(), must(data.New(in, labels))(t)))(t)
	if math.Abs(loss-logs["loss"]) > 1e-6 {
		t.Errorf("expected the loss of Evaluate, %v, got %v", logs["loss"], loss)
	}
	if len(trace) != 5 || trace[1].Layer != "dense" || fmt.Sprint(trace[4].OutputGradient.Shape().Dimensions) != "[2 3]" || trace[1].WeightGradients["kernel"] == nil {
		t.Errorf("expected what happened in the input and 4 layers, got %+v", trace)
	}
	if trace[0].Type != "InputLayer" || !trace[0].Output.InDelta(in, 0) || fmt.Sprint(trace[0].OutputGradient.Shape().Dimensions) != "[2 3]" {
		t.Errorf("expected the input and the gradient by it first, got %+v", trace[0])
	}
	// Back through the last layer by hand: dW = xᵀ dz.
	z := trace[4].Weights["kernel"]
	if z == nil || trace[2].WeightGradients["moving_mean"] != nil {
		t.Error("expected the kernel of the last layer, and no gradient by a running mean")
	}
}

// TestZipAgain: datasets that are put side by side anew do not make a model compile anew.
func TestZipAgain(t *testing.T) {
	a, b := Input(layers.Shape{2}), Input(layers.Shape{2})
	m := must(Functional([]*Symbol{a, b}, []*Symbol{Apply(layers.Add{}, a, b)}))(t)
	for range 3 {
		x := must(data.New(tensors.FromValue([][]float32{{1, 2}}), nil))(t)
		must(m.Predict(t.Context(), data.Zip(x, x)))(t)
	}
	if _, compiled := m.m.Programs(); compiled != 1 {
		t.Errorf("expected one program, got %d", compiled)
	}
}

// TestTraceAgain traces batches that it has compiled for: the weights, the loss and the
// size of the batch are those of the call.
func TestTraceAgain(t *testing.T) {
	m := learner(t)
	in, labels := tensors.FromValue([][]float32{{1, 2, 3}, {-1, 0, 1}}), tensors.FromValue([]int32{0, 2})
	one, answer := tensors.FromValue([][]float32{{1, 2, 3}}), tensors.FromValue([]int32{0})
	check := func(when string, x, y *tensors.Tensor, tracers int) {
		t.Helper()
		loss, layers, err := m.Trace(x, y)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		logs := must(m.Evaluate(t.Context(), must(data.New(x, y))(t)))(t)
		if math.Abs(loss-logs["loss"]) > 1e-6 {
			t.Errorf("%s: expected the loss of Evaluate, %v, got %v", when, logs["loss"], loss)
		}
		if !layers[0].Output.InDelta(x, 0) {
			t.Errorf("%s: expected the batch %v, got %v", when, x, layers[0].Output)
		}
		if compiled, _ := m.m.Programs(); compiled != tracers {
			t.Errorf("%s: expected %d compiled, got %d", when, tracers, compiled)
		}
	}
	check("first", in, labels, 1)
	check("again", in, labels, 1)
	check("another size", one, answer, 2)
	must(m.TrainOnBatch(in, labels))(t)
	check("trained", in, labels, 2)
	if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.SparseCategoricalCrossentropy{Logits: true}}); err != nil {
		t.Fatal(err)
	}
	check("compiled anew", in, labels, 1)
}

// TestStreams trains on a generator, ahead of which a goroutine reads, and validates.
func TestStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds; make check")
	}
	ds := must(data.FromGenerator(func() iter.Seq2[data.Example, error] {
		return func(yield func(data.Example, error) bool) {
			for i := range 50 {
				x := float32(i%10)/10 - 0.5
				if !yield(data.Example{X: []float32{x, -x}, Y: []float32{2 * x}}, nil) {
					return
				}
			}
		}
	}))(t)
	table := must(ds.Cache())(t)
	for name, ds := range map[string]*data.Dataset{"stream": ds, "ahead": ds.Prefetch(4), "mixed": ds.Shuffle(1), "without end": ds.Repeat(0)} {
		m := must(Sequential(layers.Dense{Units: 1}))(t)
		if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{LearningRate: 0.5}, Loss: losses.MeanSquaredError{}, Metrics: []metrics.Metric{metrics.R2Score{}}}); err != nil {
			t.Fatal(err)
		}
		config := FitConfig{Epochs: 20, BatchSize: 8, ValidationData: table, Silent: true}
		if name == "without end" {
			config.StepsPerEpoch = 7
		}
		h, err := m.Fit(t.Context(), ds, config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := h.Last(); !(got["loss"] < 1e-3) || !(got["val_r2_score"] > 0.99) {
			t.Errorf("%s: expected it to learn, got %v", name, got)
		}
	}
}

// TestTrainOnBatch does single steps.
func TestTrainOnBatch(t *testing.T) {
	a, b := learner(t), learner(t)
	x, y := tensors.FromValue([][]float32{{1, 2, 3}, {-1, 0, 1}}), tensors.FromValue([]int32{0, 2})
	for range 3 {
		if _, err := a.TrainOnBatch(x, y); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Fit(t.Context(), must(data.New(x, y))(t), FitConfig{Epochs: 3, NoShuffle: true, Silent: true}); err != nil {
		t.Fatal(err)
	}
	sameWeights(t, a, b)
	_, err := a.TrainOnBatch(x, tensors.FromValue([]int32{0}))
	if err == nil || !strings.Contains(err.Error(), "labels") {
		t.Errorf("expected an error that says labels, got %v", err)
	}
}

// TestKerasCallbacks uses those of Keras in real trainings.
func TestKerasCallbacks(t *testing.T) {
	ds, dir := spiral(t), t.TempDir()
	stop := &callbacks.EarlyStopping{Monitor: "loss", Mode: callbacks.Max, RestoreBestWeights: true, Patience: 2} // the wrong way, so that it stops
	csv := &callbacks.CSVLogger{Path: filepath.Join(dir, "log.csv")}
	board := &callbacks.TensorBoard{LogDir: filepath.Join(dir, "logs"), UpdateFreq: 2}
	save := &callbacks.ModelCheckpoint{Path: filepath.Join(dir, "sub", "m-{epoch:02d}-{loss:.1f}.safetensors"), Monitor: "loss", SaveBestOnly: true}
	m := learner(t)
	h := must(m.Fit(t.Context(), ds, FitConfig{Epochs: 50, Silent: true, ValidationSplit: 0.2, Callbacks: []callbacks.Callback{csv, board, save, stop}}))(t)
	if h.Epochs() > 20 || stop.StoppedEpoch != h.Epochs()-1 {
		t.Errorf("expected training to stop early, got %d epochs and %d", h.Epochs(), stop.StoppedEpoch)
	}
	text := must(os.ReadFile(filepath.Join(dir, "log.csv")))(t)
	if lines := bytes.Count(text, []byte("\n")); lines != h.Epochs()+1 || !bytes.HasPrefix(text, []byte("epoch,accuracy,loss,val_accuracy,val_loss\n")) {
		t.Errorf("expected a line for each epoch, got %s", text)
	}
	for _, run := range []string{"train", "validation"} {
		files := must(filepath.Glob(filepath.Join(dir, "logs", run, "events.out.tfevents.*")))(t)
		if len(files) != 1 {
			t.Fatalf("%s: expected one file of events, got %v", run, files)
		}
		if n := len(must(os.ReadFile(files[0]))(t)); n < 200 {
			t.Errorf("%s: expected events, got %d bytes", run, n)
		}
	}
	files := must(filepath.Glob(filepath.Join(dir, "sub", "m-01-*.safetensors")))(t)
	if len(files) != 1 {
		t.Fatalf("expected a checkpoint of the first epoch, got %v", files)
	}
	if _, err := Load(files[0]); err != nil {
		t.Error(err)
	}
	m = must(Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Dense{Units: 3, Activation: activations.Softmax}))(t)
	if err := m.Compile(CompileConfig{Optimizer: optimizers.SGD{LearningRate: 0.1}, Loss: losses.SparseCategoricalCrossentropy{}}); err != nil {
		t.Fatal(err)
	}
	reduce := &callbacks.ReduceLROnPlateau{Monitor: "loss", MinDelta: 100, Patience: 1, Factor: 0.5, MinLR: 0.03}
	var rates []float64
	watch := callbacks.LambdaCallback{EpochEnd: func(t *callbacks.Training, _ callbacks.Logs) error {
		rates = append(rates, t.LearningRate())
		return nil
	}}
	if _, err := m.Fit(t.Context(), ds, FitConfig{Epochs: 5, Silent: true, Callbacks: []callbacks.Callback{reduce, watch}}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rates); got != "[0.1 0.05 0.03 0.03 0.03]" {
		t.Errorf("expected the rate to fall to 0.03, got %s", got)
	}
	plan := callbacks.LearningRateScheduler{Schedule: func(epoch int, _ float64) float64 { return 1 / float64(epoch+1) }}
	rates = nil
	if _, err := m.Fit(t.Context(), ds, FitConfig{Epochs: 2, Silent: true, Callbacks: []callbacks.Callback{plan, watch}}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rates); got != "[1 0.5]" {
		t.Errorf("expected the rates of the schedule, got %s", got)
	}
}

// TestImageFolder trains on pictures in folders.
func TestImageFolder(t *testing.T) {
	dir := t.TempDir()
	for class, shade := range map[string]uint8{"dark": 20, "light": 220} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			img := image.NewGray(image.Rect(0, 0, 12, 9))
			for p := range img.Pix {
				img.Pix[p] = shade + uint8(i)
			}
			img.Set(i, 0, color.White)
			var b bytes.Buffer
			if err := png.Encode(&b, img); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, class, fmt.Sprintf("%d.png", i)), b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	ds := must(data.ImageFolder(dir, data.ImageFolderConfig{Height: 8, Width: 8, Gray: true}))(t)
	if ds.Len() != 16 || ds.ClassName(1) != "light" || fmt.Sprint(ds.InputShape()) != "[8 8 1]" {
		t.Errorf("expected 16 images of two classes, got %v", ds)
	}
	m := must(Sequential(layers.RandomFlip{}, layers.RandomRotation{Factor: layers.PlusMinus(0.1)}, layers.RandomZoom{HeightFactor: layers.PlusMinus(0.2)},
		layers.RandomTranslation{HeightFactor: layers.PlusMinus(0.1), WidthFactor: layers.PlusMinus(0.1)}, layers.RandomContrast{Factor: [2]float64{0.1, 0.1}, ValueRange: [2]float64{0, 1}},
		layers.RandomBrightness{Factor: layers.PlusMinus(0.1), ValueRange: [2]float64{0, 1}}, layers.GaussianNoise{Stddev: 0.01}, layers.SpatialDropout2D{Rate: 0.1}, layers.GlobalAveragePooling2D{}, layers.Dense{Units: 2, Activation: activations.Softmax}))(t)
	if err := m.Compile(CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.1}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.Accuracy{}}}); err != nil {
		t.Fatal(err)
	}
	h := must(m.Fit(t.Context(), ds.Shuffle(1).Map(data.Rescale(1/255.0)), FitConfig{Epochs: 60, Silent: true}))(t)
	logs := must(m.Evaluate(t.Context(), ds.Map(data.Rescale(1/255.0))))(t)
	if logs["accuracy"] < 1 {
		t.Errorf("expected dark to be told from light, got %v after %v", logs, h.Last())
	}
}

// TestGradientCheckPenalties: what layers and regularizers add to the loss is in the
// gradients that are checked.
func TestGradientCheckPenalties(t *testing.T) {
	x, y := tensors.FromValue([][]float32{{1, 2}, {-1, 3}}), tensors.FromValue([][]float32{{1}, {0}})
	slope := func(hidden ...layers.Layer) []float64 {
		SetRandomSeed(1)
		stack := append([]layers.Layer{layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3}}, hidden...)
		m := must(Sequential(append(stack, layers.Dense{Units: 1})...))(t)
		if err := m.Compile(CompileConfig{Loss: losses.MeanSquaredError{}}); err != nil {
			t.Fatal(err)
		}
		r := must(m.GradientCheck(x, y))(t)
		if r.MaxError() > 1e-6 {
			t.Errorf("expected gradients as differences show them, got\n%s", r)
		}
		return must(train.Doubles(r.Analytic[0]))(t)
	}
	plain, more := slope(), slope(layers.ActivityRegularization{L2: 0.5})
	if slices.Equal(plain, more) {
		t.Errorf("expected the penalty in the gradient, got %v with it and without", plain)
	}
}
