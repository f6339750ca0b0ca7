package dl_test

import (
	"context"
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/privacy"
	"github.com/gradbook/gradbook/dl/tensor"
)

// A model that reveals little of each of its examples.
func ExamplePrivacy() {
	x, y := make([]float32, 200), make([]float32, 200)
	for i := range x {
		x[i] = float32(i%20) / 20
		y[i] = 2 * x[i]
	}
	ds, err := data.New(tensor.New(x, 200, 1), tensor.New(y, 200, 1))
	if err != nil {
		panic(err)
	}
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1})
	if err != nil {
		panic(err)
	}
	err = m.Compile(dl.CompileConfig{
		Optimizer: optimizers.SGD{LearningRate: 0.1}, Loss: losses.MeanSquaredError{},
		Privacy: &privacy.SGD{ClipNorm: 1, NoiseMultiplier: 2, Delta: 1e-4},
	})
	if err != nil {
		panic(err)
	}
	if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 2, BatchSize: 20, Silent: true}); err != nil {
		panic(err)
	}
	spent := m.Privacy()
	epsilon, err := spent.Epsilon()
	fmt.Printf("%d steps: ε = %.2f for δ = %g %v\n", spent.Ledger.Steps(), epsilon, spent.Delta, err)
	// Output:
	// 20 steps: ε = 0.87 for δ = 0.0001 <nil>
}
