package dl_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// The whole way of a model: built, compiled, fitted, evaluated. It learns the
// exclusive or, which no single layer can.
func Example() {
	dl.SetRandomSeed(1)
	xor, err := data.FromSlices([][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int32{0, 1, 1, 0})
	if err != nil {
		panic(err)
	}
	model, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{2}},
		layers.Dense{Units: 8, Activation: activations.Tanh},
		layers.Dense{Units: 1, Activation: activations.Sigmoid},
	)
	if err != nil {
		panic(err)
	}
	err = model.Compile(dl.CompileConfig{
		Optimizer: optimizers.Adam{LearningRate: 0.1},
		Loss:      losses.BinaryCrossentropy{},
		Metrics:   []metrics.Metric{metrics.Accuracy{}},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if _, err := model.Fit(ctx, xor, dl.FitConfig{Epochs: 100, Silent: true}); err != nil {
		panic(err)
	}
	result, err := model.Evaluate(ctx, xor)
	if err != nil {
		panic(err)
	}
	fmt.Println("accuracy:", result["accuracy"])
	// Output: accuracy: 1
}

func ExampleSequential() {
	_, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{28, 28, 1}},
		layers.Flatten{},
		layers.Conv2D{Filters: 32, KernelSize: [2]int{3, 3}},
	)
	fmt.Println(err)
	// Output: dl: layer "conv2d" (Conv2D): expected input of shape (None, height, width, channels), got (None, 784)
}

func ExampleModel_Summary() {
	model, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{4}},
		layers.Dense{Units: 3, Name: "hidden"},
	)
	if err != nil {
		panic(err)
	}
	fmt.Print(model.Summary())
	// Output:
	// Model: "sequential"
	// ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
	// ┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
	// ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
	// │ hidden (Dense)                  │ (None, 3)              │            15 │
	// └─────────────────────────────────┴────────────────────────┴───────────────┘
	//  Total params: 15 (60.00 B)
	//  Trainable params: 15 (60.00 B)
	//  Non-trainable params: 0 (0.00 B)
}

func ExampleModel_Predict() {
	model, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1, NoBias: true})
	if err != nil {
		panic(err)
	}
	ds, err := data.FromSlices([][]float32{{0, 0}, {0, 0}}, nil)
	if err != nil {
		panic(err)
	}
	outputs, err := model.Predict(context.Background(), ds)
	if err != nil {
		panic(err)
	}
	fmt.Println(outputs.Value())
	// Output: [[0] [0]]
}

func ExampleModel_Fit_callback() {
	model, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	if err != nil {
		panic(err)
	}
	err = model.Compile(dl.CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.MeanSquaredError{}})
	if err != nil {
		panic(err)
	}
	line, err := data.FromSlices([][]float32{{0}, {1}}, []float32{0, 2})
	if err != nil {
		panic(err)
	}
	stop := callbacks.LambdaCallback{EpochEnd: func(t *callbacks.Training, _ callbacks.Logs) error {
		if t.Epoch == 2 {
			t.Stop()
		}
		return nil
	}}
	history, err := model.Fit(context.Background(), line, dl.FitConfig{
		Epochs: 10, Silent: true, Callbacks: []callbacks.Callback{stop},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("epochs:", history.Epochs())
	// Output: epochs: 3
}

func ExampleArgMax() {
	classes, err := dl.ArgMax(tensors.FromValue([][]float32{{0.1, 0.7, 0.2}, {0.6, 0.3, 0.1}}))
	fmt.Println(classes, err)
	// Output: [1 0] <nil>
}

func ExampleUseDevice() {
	if err := dl.UseDevice("go"); err != nil {
		panic(err)
	}
	info, err := dl.Device()
	fmt.Println(info.Kind, err)
	if err := dl.UseDevice(""); err != nil { // the best there is
		panic(err)
	}
	// Output: go <nil>
}

func ExampleModel_SetWeights() {
	model, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	if err != nil {
		panic(err)
	}
	err = model.SetWeights([]*tensors.Tensor{tensors.FromValue([][]float32{{2}}), tensors.FromValue([]float32{3})})
	if err != nil {
		panic(err)
	}
	weights, err := model.Weights()
	if err != nil {
		panic(err)
	}
	for i, name := range model.WeightNames() {
		fmt.Println(name, weights[i].Value())
	}
	// Output:
	// dense/kernel [[2]]
	// dense/bias [3]
}

// A Fit whose context is cancelled says how far it came; the model keeps what it
// has learned.
func ExampleInterruptedError() {
	model, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	if err != nil {
		panic(err)
	}
	err = model.Compile(dl.CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.MeanSquaredError{}})
	if err != nil {
		panic(err)
	}
	line, err := data.FromSlices([][]float32{{0}, {1}}, []float32{0, 2})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = model.Fit(ctx, line, dl.FitConfig{Epochs: 3, Silent: true})
	var interrupted *dl.InterruptedError
	fmt.Println(errors.As(err, &interrupted), interrupted.Epoch, "of", interrupted.Epochs)
	// Output: true 0 of 3
}

func ExampleSetRandomSeed() {
	first := func(seed uint64) string {
		dl.SetRandomSeed(seed)
		model, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 2})
		if err != nil {
			panic(err)
		}
		weights, err := model.Weights()
		if err != nil {
			panic(err)
		}
		return fmt.Sprint(weights[0].Value())
	}
	one, again, other := first(7), first(7), first(8)
	fmt.Println(one == again, one == other)
	// Output: true false
}

func ExampleModel_Evaluate() {
	model, err := dl.Sequential(
		layers.Input{Shape: layers.Shape{1}},
		layers.Dense{Units: 1, KernelInitializer: initializers.Ones{}},
	)
	if err != nil {
		panic(err)
	}
	if err := model.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}}); err != nil {
		panic(err)
	}
	line, err := data.FromSlices([][]float32{{0}, {1}}, []float32{0, 3})
	if err != nil {
		panic(err)
	}
	result, err := model.Evaluate(context.Background(), line)
	fmt.Println(result["loss"], err)
	// Output: 2 <nil>
}
