package dl_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/callbacks"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func ExampleNotBuiltError() {
	m, err := dl.Sequential(layers.Dense{Units: 2})
	check(err)
	_, err = m.Weights()
	var e *dl.NotBuiltError
	fmt.Println(errors.As(err, &e), e.Model)
	// Output: true sequential
}

func ExampleNotCompiledError() {
	m, err := dl.Sequential(layers.Dense{Units: 2})
	check(err)
	_, err = m.Evaluate(context.Background(), points())
	var e *dl.NotCompiledError
	fmt.Println(errors.As(err, &e), e.Doing)
	// Output: true evaluate
}

func ExampleShapeError() {
	_, err := dl.Sequential(layers.Input{Shape: layers.Shape{5}}, layers.MaxPooling2D{Name: "pool"})
	var e *dl.ShapeError
	fmt.Println(errors.As(err, &e), e.Layer, e.Got)
	// Output: true pool (None, 5)
}

func ExampleFormatError() {
	path := filepath.Join(os.TempDir(), "gradbook-example-no-model")
	check(os.WriteFile(path, []byte("no model"), 0o600))
	defer func() { check(os.Remove(path)) }()
	_, err := dl.Load(path)
	var e *dl.FormatError
	fmt.Println(errors.As(err, &e), e.Path == path)
	// Output: true true
}

// What a program may do about a batch that is too large: halve it, as the model is as it was.
func ExampleOutOfMemoryError() {
	size := 256
	train := func(size int) error { // Fit with batches of a size
		if size > 64 {
			return &dl.OutOfMemoryError{Device: "cuda:0", For: fmt.Sprintf("a batch of %d examples", size), Err: errors.New("out of memory")}
		}
		return nil
	}
	var e *dl.OutOfMemoryError
	for errors.As(train(size), &e) {
		fmt.Println("no memory for", e.For)
		size /= 2
	}
	fmt.Println(size)
	// Output:
	// no memory for a batch of 256 examples
	// no memory for a batch of 128 examples
	// 64
}

// Shift is a layer of one's own, with a setting.
type Shift struct{ By float64 }

func (Shift) Build(in layers.Shape) (layers.Spec, error) { return layers.Spec{Output: in}, nil }

func (l Shift) Call(_ *layers.Context, x *dl.Node) *dl.Node { return ops.Add(x, l.By) }

func ExampleRegister() {
	square := activations.Func("my_square", ops.Square[*dl.Node])
	dl.Register(Shift{}, square)
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, Shift{By: 1}, layers.Activation{Activation: square})
	check(err)
	path := filepath.Join(os.TempDir(), "gradbook-example-register")
	check(m.Save(path))
	defer func() { check(os.Remove(path)) }()
	again, err := dl.Load(path)
	check(err)
	y, err := again.PredictOnBatch(tensor.Of([][]float32{{1, 2}}))
	check(err)
	fmt.Println(y[0].Value())
	// Output: [[4 9]]
}

func ExampleRegisterAs() {
	dl.RegisterAs("my_package>Shift", Shift{}) // what Keras's files would call it
	fmt.Println("known")
	// Output: known
}

func ExampleInputOf() {
	x := dl.InputOf(layers.Input{Shape: layers.Shape{10, 4}, BatchSize: 8, Name: "steps"})
	l, _, _ := x.Origin()
	fmt.Println(l.Name(), x.Shape())
	// Output: steps (None, 10, 4)
}

// asking is a callback that asks the model something after each epoch.
type asking struct{ callbacks.Base }

func (asking) OnEpochEnd(t *callbacks.Training, _ callbacks.Logs) error {
	y, err := dl.ModelOf(t).PredictOnBatch(tensor.Of([][]float32{{1}}))
	if err == nil {
		fmt.Println(t.Epoch, y[0].Shape().Dimensions)
	}
	return err
}

func ExampleModelOf() {
	m, err := dl.Sequential(layers.Dense{Units: 1})
	check(err)
	check(m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: optimizers.SGD{}}))
	ds, err := data.FromSlices([][]float32{{1}, {2}}, []float32{1, 2})
	check(err)
	_, err = m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 2, Silent: true, Callbacks: []callbacks.Callback{asking{}}})
	check(err)
	// Output:
	// 0 [1 1]
	// 1 [1 1]
}
