package dl_test

import (
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TestSameColumns: a dataset is what it is, whatever another one of the same columns was: two inputs, or an input and
// a label.
func TestSameColumns(t *testing.T) {
	a, err := data.New(tensor.Of([][]float32{{1}, {2}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := data.New(tensor.Of([][]float32{{3}, {4}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	left, right := dl.Input(layers.Shape{1}), dl.Input(layers.Shape{1})
	two, err := dl.Functional([]*dl.Symbol{left, right}, []*dl.Symbol{dl.Apply(layers.Add{}, left, right)})
	if err != nil {
		t.Fatal(err)
	}
	one, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Compile(dl.CompileConfig{Optimizer: optimizers.SGD{}, Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := two.Predict(t.Context(), data.Zip(a, b)); err != nil {
			t.Error(err)
		}
		if _, err := one.Fit(t.Context(), a.WithLabels(b), dl.FitConfig{Silent: true}); err != nil {
			t.Error(err)
		}
	}
}
