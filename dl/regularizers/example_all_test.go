package regularizers_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// weightAfter prints a weight that is started with [3 −4], after a step.
func weightAfter(r regularizers.Regularizer) {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{
		Units: 1, NoBias: true, KernelInitializer: start{}, KernelRegularizer: r,
	})
	if err != nil {
		panic(err)
	}
	if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: optimizers.SGD{LearningRate: 0.1}}); err != nil {
		panic(err)
	}
	logs, err := m.TrainOnBatch(tensor.Of([][]float32{{0, 0}}), tensor.Of([][]float32{{0}}))
	if err != nil {
		panic(err)
	}
	w, err := m.Weights()
	if err != nil {
		panic(err)
	}
	fmt.Printf("loss %.2f, weight %.2f\n", logs["loss"], w[0].Value())
}

type start struct{}

func (start) Init([]int, *rand.Rand) []float32 { return []float32{3, -4} }

func ExampleL1() {
	weightAfter(regularizers.L1{Factor: 0.1})
	// Output:
	// loss 0.70, weight [[2.99] [-3.99]]
}

func ExampleL2() {
	weightAfter(regularizers.L2{Factor: 0.1})
	// Output:
	// loss 2.50, weight [[2.94] [-3.92]]
}

func ExampleL1L2() {
	weightAfter(regularizers.L1L2{L1: 0.1, L2: 0.1})
	// Output:
	// loss 3.20, weight [[2.93] [-3.91]]
}

func ExampleOrthogonalRegularizer() {
	weightAfter(regularizers.OrthogonalRegularizer{})
	// Output:
	// loss 0.01, weight [[3.00] [-4.00]]
}
