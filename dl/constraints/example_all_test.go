package constraints_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// weightAfter prints a weight that is started with [3 −4], after a step.
func weightAfter(c constraints.Constraint) {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{
		Units: 1, NoBias: true, KernelInitializer: start{}, KernelConstraint: c,
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

func ExampleMaxNorm() {
	weightAfter(constraints.MaxNorm{})
	// Output:
	// loss 0.00, weight [[1.20] [-1.60]]
}

func ExampleMinMaxNorm() {
	weightAfter(constraints.MinMaxNorm{})
	// Output:
	// loss 0.00, weight [[0.60] [-0.80]]
}

func ExampleNonNeg() {
	weightAfter(constraints.NonNeg{})
	// Output:
	// loss 0.00, weight [[3.00] [0.00]]
}

func ExampleUnitNorm() {
	weightAfter(constraints.UnitNorm{})
	// Output:
	// loss 0.00, weight [[0.60] [-0.80]]
}
