package dl_test

import (
	"context"
	"math"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/privacy"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TestPrivateOutliers: an example whose gradient is not finite moves nothing, in models with rules
// and in those that go example by example.
func TestPrivateOutliers(t *testing.T) {
	for name, stack := range map[string][]layers.Layer{
		"dense":     {layers.Input{Shape: layers.Shape{2, 2}}, layers.Flatten{}, layers.Dense{Units: 3}, layers.Dense{Units: 1, Activation: activations.Exponential}},
		"recurrent": {layers.Input{Shape: layers.Shape{2, 2}}, layers.SimpleRNN{Units: 2}, layers.Dense{Units: 1}},
	} {
		for _, far := range []float32{1000, -1000, 3e38, -3e38} {
			x, y := make([]float32, 16*4), make([]float32, 16)
			for i := range x {
				x[i] = float32(i%5) / 5
			}
			for k := range 4 {
				x[k] = far
			}
			y[0] = far
			ds, err := data.New(tensor.New(x, 16, 2, 2), tensor.New(y, 16, 1))
			if err != nil {
				t.Fatal(err)
			}
			m, err := dl.Sequential(stack...)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Compile(dl.CompileConfig{
				Optimizer: optimizers.SGD{LearningRate: 0.1}, Loss: losses.MeanSquaredError{},
				Privacy: &privacy.SGD{ClipNorm: 1, NoiseMultiplier: 1, Delta: 1e-3},
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 2, BatchSize: 16, Silent: true}); err != nil {
				t.Fatal(err)
			}
			weights, err := m.Weights()
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range weights {
				flat, err := tensor.Flat[float32](w)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range flat {
					if f := float64(v); math.IsNaN(f) || math.Abs(f) > 20 {
						t.Fatalf("%s: expected weights that one example of %g has not moved beyond its bound, got %v", name, far, flat)
					}
				}
			}
		}
	}
}
