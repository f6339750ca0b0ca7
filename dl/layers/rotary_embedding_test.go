package layers_test

import (
	"math"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func ExampleRotaryEmbedding() { // of queries of 8 heads
	shape(layers.RotaryEmbedding{}, 128, 8, 64)
	// Output: (None, 128, 8, 64) 0
}

// TestRotaryEmbedding compares with the reference implementation of ONNX 1.23's
// RotaryEmbedding, whose caches are the angles of a wavelength of 100.
func TestRotaryEmbedding(t *testing.T) {
	want := []float32{
		0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7,
		-0.409229, 0.785687, 1.213479, 1.184355, -0.529697, 1.143755, 1.766188, 1.62229,
		-2.30257, 1.288642, 0.705812, 2.199864, -2.832748, 1.6012, 0.903072, 2.671358,
	}
	x := make([]float32, len(want))
	for i := range x {
		x[i] = float32(i) / 10
	}
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{3, 2, 4}}, layers.RotaryEmbedding{MaxWavelength: 100})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := data.New(tensor.New(x, 1, 3, 2, 4), nil)
	if err != nil {
		t.Fatal(err)
	}
	y, err := m.Predict(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tensor.Flat[float32](y)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i]-w)) < 2e-6) {
			t.Errorf("number %d: expected %v, got %v", i, w, got[i])
		}
	}
	if _, err := (layers.RotaryEmbedding{}).Build(layers.Shape{3, 5}); err == nil {
		t.Error("5 features: expected an error, got none")
	}
}
