package dl_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/schedules"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// points are examples of a line: y = 2x − 1.
func points() *data.Dataset {
	var x [][]float32
	var y []float32
	for i := range 20 {
		v := float32(i)/10 - 1
		x, y = append(x, []float32{v}), append(y, 2*v-1)
	}
	ds, err := data.FromSlices(x, y)
	check(err)
	return ds
}

// line is a model for it.
func layerNamed(m *dl.Model, name string) *dl.Layer {
	l, err := m.Layer(name)
	check(err)
	return l
}

func line() *dl.Model {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	check(err)
	check(m.Compile(dl.CompileConfig{Optimizer: optimizers.SGD{LearningRate: 0.5}, Loss: losses.MeanSquaredError{}}))
	return m
}

// Two inputs, a skip connection and two outputs.
func ExampleFunctional() {
	image, age := dl.Input(layers.Shape{8, 8, 1}), dl.Input(layers.Shape{1})
	x := image.Then(layers.Conv2D{Filters: 4, KernelSize: [2]int{3, 3}, Padding: layers.Same, Activation: activations.ReLU})
	x = dl.Apply(layers.Add{}, x, x.Then(layers.Conv2D{Filters: 4, KernelSize: [2]int{3, 3}, Padding: layers.Same}))
	x = dl.Apply(layers.Concatenate{}, x.Then(layers.GlobalAveragePooling2D{}), age)
	kind := x.Then(layers.Dense{Units: 3, Activation: activations.Softmax, Name: "kind"})
	size := x.Then(layers.Dense{Units: 1, Name: "size"})
	model, err := dl.Functional([]*dl.Symbol{image, age}, []*dl.Symbol{kind, size})
	check(err)
	check(model.Compile(dl.CompileConfig{
		Optimizer:   optimizers.Adam{},
		Losses:      map[string]losses.Loss{"kind": losses.SparseCategoricalCrossentropy{}, "size": losses.MeanSquaredError{}},
		LossWeights: map[string]float64{"size": 0.1},
	}))
	fmt.Println(len(model.Inputs()), len(model.Outputs()), layerNamed(model, "kind").OutputShape())
	// Output: 2 2 (None, 3)
}

// A mistake is reported where the model is made, and names the layer.
func ExampleSymbol_Err() {
	x := dl.Input(layers.Shape{4}).Then(layers.Conv1D{Filters: 2, KernelSize: 3}, layers.Flatten{})
	fmt.Println(x.Err())
	// Output: layer "conv1d" (Conv1D): expected input of shape (None, steps, channels), got (None, 4)
}

func ExampleNewLayer() {
	tower := dl.NewLayer(layers.Dense{Units: 8})
	a, b := dl.Input(layers.Shape{4}), dl.Input(layers.Shape{4})
	distance := dl.Apply(layers.Dot{Axes: [2]int{1, 1}, Normalize: true}, dl.Apply(tower, a), dl.Apply(tower, b))
	model, err := dl.Functional([]*dl.Symbol{a, b}, []*dl.Symbol{distance})
	check(err)
	fmt.Println(model.WeightNames())
	// Output: [dense/kernel dense/bias]
}

func ExampleApplyAll() {
	words := dl.Input(layers.Shape{10, 8})
	out, err := dl.ApplyAll(layers.LSTM{Units: 4, ReturnSequences: true, ReturnState: true}, words)
	check(err)
	for _, s := range out {
		fmt.Print(s.Shape(), " ")
	}
	// Output: (None, 10, 4) (None, 4) (None, 4)
}

// A model that ends at a layer of another shares its weights.
func ExampleLayer_Output() {
	m, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{28, 28, 1}},
		layers.Conv2D{Filters: 8, KernelSize: [2]int{3, 3}, Name: "edges"},
		layers.Flatten{},
		layers.Dense{Units: 10},
	)
	check(err)
	edges, err := dl.Functional(m.Inputs(), []*dl.Symbol{layerNamed(m, "edges").Output()})
	check(err)
	fmt.Println(edges.OutputShape())
	// Output: (None, 26, 26, 8)
}

func ExampleLayer_SetTrainable() {
	base, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 8})
	check(err)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, base.WithName("base"), layers.Dense{Units: 2})
	check(err)
	layerNamed(m, "base").SetTrainable(false)
	for line := range strings.SplitSeq(m.Summary(), "\n") {
		if strings.Contains(line, "rainable") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// Trainable params: 18 (72.00 B)
	// Non-trainable params: 40 (160.00 B)
}

func ExampleModel_Save() {
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "model.safetensors")
	m := line()
	_, err = m.Fit(context.Background(), points(), dl.FitConfig{Epochs: 3, Silent: true})
	check(err)
	check(m.Save(path))

	again, err := dl.Load(path)
	check(err)
	h, err := again.Fit(context.Background(), points(), dl.FitConfig{InitialEpoch: 3, Epochs: 5, Silent: true})
	check(err)
	fmt.Println(h.Epochs(), "more epochs")
	// Output: 2 more epochs
}

// Keras's own files are read too.
func ExampleLoad() {
	m, err := dl.Load("testdata/document.keras")
	check(err)
	fmt.Println(m.InputShape(), m.OutputShape(), len(m.Layers()))
	// Output: (None, 28, 28, 1) (None, 10) 8
}

// What Keras users do with a GradientTape.
func ExampleGradient() {
	x := tensors.FromValue([]float32{1, 2, 3})
	y, dx, err := dl.Gradient(func(x []*graph.Node) *graph.Node {
		return graph.ReduceAllSum(graph.Square(x[0]))
	}, x)
	check(err)
	fmt.Println(y.Value(), dx[0].Value())
	// Output: 14 [2 4 6]
}

func ExampleGradientCheck() {
	r, err := dl.GradientCheck(func(x []*graph.Node) *graph.Node {
		return graph.ReduceAllSum(graph.Tanh(x[0]))
	}, tensors.FromValue([]float32{-1, 0, 2}))
	check(err)
	fmt.Println(r.MaxError() < 1e-8)
	// Output: true
}

// The numbers of backpropagation, layer by layer.
func ExampleModel_Trace() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 3, Activation: activations.Tanh}, layers.Dense{Units: 1})
	check(err)
	check(m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}}))
	_, trace, err := m.Trace(tensors.FromValue([][]float32{{1, 2}}), tensors.FromValue([]float32{1}))
	check(err)
	fmt.Println(trace[0].Layer, trace[0].OutputGradient.Shape().Dimensions)
	for _, l := range trace[1:] {
		fmt.Println(l.Layer, l.Output.Shape().Dimensions, l.OutputGradient.Shape().Dimensions, l.WeightGradients["kernel"].Shape().Dimensions)
	}
	// Output:
	// input_layer [1 2]
	// dense [1 3] [1 3] [2 3]
	// dense_1 [1 1] [1 1] [3 1]
}

// A training step of one's own.
func ExampleStep() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	check(err)
	check(m.Compile(dl.CompileConfig{
		Optimizer: optimizers.SGD{LearningRate: 0.5},
		Step: func(s *dl.Step) {
			miss := graph.Sub(s.Forward(s.X...)[0], graph.InsertAxes(s.Y[0], -1))
			s.Report("worst", graph.ReduceAllMax(graph.Abs(miss)))
			s.Minimize(graph.ReduceAllMean(graph.Square(miss)))
		},
	}))
	h, err := m.Fit(context.Background(), points(), dl.FitConfig{Epochs: 50, Silent: true})
	check(err)
	fmt.Printf("%.3f\n", h.Last()["worst"])
	// Output: 0.000
}

func ExampleModel_TrainOnBatch() {
	m := line()
	x, y := tensors.FromValue([][]float32{{0}, {1}}), tensors.FromValue([]float32{-1, 1})
	var last float64
	for range 100 {
		logs, err := m.TrainOnBatch(x, y)
		check(err)
		last = logs["loss"]
	}
	fmt.Println(last < 1e-3)
	// Output: true
}

func ExampleModel_Diagram() {
	d, err := line().Diagram()
	check(err)
	for _, e := range d.Edges {
		fmt.Println(d.Nodes[e.From].Type, "→", d.Nodes[e.To].Type, d.Nodes[e.To].OutputShape)
	}
	// Output: InputLayer → Dense (None, 1)
}

func ExampleModel_Clone() {
	m := line()
	c, err := m.Clone()
	check(err)
	w, err := m.Weights()
	check(err)
	check(c.SetWeights(w))
	fmt.Println(c.OutputShape())
	// Output: (None, 1)
}

func ExampleSetDTypePolicy() {
	check(dl.SetDTypePolicy("mixed_bfloat16"))
	defer func() { check(dl.SetDTypePolicy("float32")) }()
	fmt.Println(dl.DTypePolicy())
	// Output: mixed_bfloat16
}

// Callbacks as in Keras: those that remember are used by address.
func ExampleFitConfig_callbacks() {
	stop := &callbacks.EarlyStopping{Monitor: "loss", Patience: 2, MinDelta: 1e-6, RestoreBestWeights: true}
	h, err := line().Fit(context.Background(), points(), dl.FitConfig{
		Epochs: 1000, Silent: true,
		Callbacks: []callbacks.Callback{stop, callbacks.TerminateOnNaN{}},
	})
	check(err)
	fmt.Println(h.Epochs() < 200, stop.StoppedEpoch > 0)
	// Output: true true
}

// A schedule, decay and clipping go with any optimizer.
func ExampleCompileConfig_optimizer() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	check(err)
	check(m.Compile(dl.CompileConfig{
		Optimizer: optimizers.AdamW{Options: optimizers.Options{
			Schedule:       schedules.CosineDecay{WarmupTarget: 0.1, WarmupSteps: 10, DecaySteps: 100},
			GlobalClipNorm: 1,
		}},
		Loss:    losses.Huber{},
		Metrics: []metrics.Metric{metrics.R2Score{}},
	}))
	h, err := m.Fit(context.Background(), points(), dl.FitConfig{Epochs: 100, Silent: true})
	check(err)
	fmt.Println(h.Last()["r2_score"] > 0.95)
	// Output: true
}

func ExampleLoadConfig() {
	// The file leaves the size of its images open.
	m, err := dl.Load("testdata/operations/open_axes.keras", dl.LoadConfig{Shapes: map[string]layers.Shape{"image": {32, 32, 3}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(m.InputShape(), m.OutputShape())
	// Output:
	// (None, 32, 32, 3) (None, 4)
}

// A model of whole numbers: what that costs, Evaluate says.
func ExampleQuantize() {
	dl.SetRandomSeed(1)
	var x [][]float32
	var y []int32
	for i := range 200 { // which half of 40 numbers is larger
		row := make([]float32, 40)
		for j := range row {
			row[j] = float32((i*j)%7) / 7
			if j/20 == i%2 {
				row[j]++
			}
		}
		x, y = append(x, row), append(y, int32(i%2))
	}
	ds, err := data.FromSlices(x, y)
	check(err)
	m, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{40}},
		layers.Dense{Units: 32, Activation: activations.ReLU, Name: "hidden"},
		layers.Dense{Units: 2, Activation: activations.Softmax, Name: "last"},
	)
	check(err)
	check(m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{}, Loss: losses.SparseCategoricalCrossentropy{}, Metrics: []metrics.Metric{metrics.SparseCategoricalAccuracy{}}}))
	_, err = m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 20, Silent: true})
	check(err)

	q, err := dl.Quantize(m, ds, dl.QuantizeConfig{Keep: []string{"last"}})
	check(err)
	logs, err := q.Evaluate(context.Background(), ds)
	check(err)
	fmt.Println(layerNamed(q, "hidden").Type(), layerNamed(q, "last").Type(), logs["sparse_categorical_accuracy"])
	// Output: QuantizedDense Dense 1
}

func ExampleModel_Parts() {
	model, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Dense{Units: 3}, layers.Dropout{Rate: 0.5})
	check(err)
	for name, layer := range model.Parts() {
		for part := range layer.(*dl.Layer).Parts() {
			fmt.Println(name, part)
		}
	}
	// Output:
	// dense config
	// dense kernel
	// dense bias
	// dropout config
}
