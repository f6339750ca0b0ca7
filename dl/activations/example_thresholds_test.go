package activations_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Sparsemax gives what is far behind nothing at all.
func ExampleActivation() {
	for _, a := range []activations.Activation{activations.Softmax, activations.Sparsemax, activations.HardTanh} {
		m, err := dl.Sequential(layers.Input{Shape: layers.Shape{3}}, layers.Activation{Activation: a})
		if err != nil {
			panic(err)
		}
		y, err := m.PredictOnBatch(tensor.Of([][]float32{{1, 0.5, -2}}))
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s %.3g\n", a.Name(), y[0].Value())
	}
	// Output:
	// softmax [[0.604 0.366 0.0301]]
	// sparsemax [[0.75 0.25 0]]
	// hard_tanh [[1 0.5 -1]]
}
