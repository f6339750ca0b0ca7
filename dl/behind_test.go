package dl_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
)

// TestBehind: what is computed together with the convolution before it, as normalizations, sums and ReLUs are in
// predictions, is what each layer computes by itself, as in Trace, also where a result is needed twice.
func TestBehind(t *testing.T) {
	conv := func(filters int, stride int, a activations.Activation) layers.Layer {
		return layers.Conv2D{Filters: filters, KernelSize: [2]int{3, 3}, Strides: [2]int{stride, stride}, Padding: layers.Same, NoBias: a == nil, Activation: a}
	}
	bn, relu6 := layers.BatchNormalization{}, layers.Activation{Activation: activations.ReLU6}
	in := dl.Input(layers.Shape{9, 8, 5})
	x := in.Then(conv(32, 1, nil), bn, layers.Activation{Activation: activations.ReLU})
	y := dl.Apply(layers.Add{}, x.Then(conv(32, 1, nil), bn), x).Then(relu6)    // a block of ResNet
	twice := y.Then(conv(32, 1, nil))                                           // seen by two
	z := dl.Apply(layers.Add{}, twice.Then(bn), twice.Then(relu6))              // whose results are added
	deep := z.Then(layers.DepthwiseConv2D{KernelSize: [2]int{3, 3}}, bn, relu6) // a window for each channel
	both := dl.Apply(layers.Add{}, deep.Then(conv(32, 2, activations.ReLU)), deep.Then(conv(32, 2, nil)), deep.Then(conv(32, 2, activations.ReLU), bn))
	out := both.Then(layers.Flatten{}, layers.Dense{Units: 3})
	m, err := dl.Functional([]*dl.Symbol{in}, []*dl.Symbol{out})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	random := func(like *dl.Tensor, low float64) *dl.Tensor {
		values := make([]float32, like.Shape().Size())
		for i := range values {
			values[i] = float32(low + rng.Float64())
		}
		return tensors.FromFlatDataAndDimensions(values, like.Shape().Dimensions...)
	}
	for _, l := range m.Layers() {
		weights, err := l.Weights()
		if err != nil {
			t.Fatal(err)
		}
		if l.Type() != "BatchNormalization" {
			continue
		}
		for i, low := range []float64{0.5, -0.5, -0.5, 0.5} {
			weights[i] = random(weights[i], low)
		}
		if err := l.SetWeights(weights); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}}); err != nil {
		t.Fatal(err)
	}
	images := random(tensors.FromFlatDataAndDimensions(make([]float32, 7*9*8*5), 7, 9, 8, 5), -0.5)
	got, err := m.PredictOnBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	_, traces, err := m.Trace(images, tensors.FromFlatDataAndDimensions(make([]float32, 21), 7, 3))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range traces[:len(traces)-1] {
		if g := tensors.MustCopyFlatData[float32](l.OutputGradient); norm(g) == 0 {
			t.Errorf("%s: expected a gradient by what it computes, got zeros", l.Layer)
		}
	}
	a, b := tensors.MustCopyFlatData[float32](got[0]), tensors.MustCopyFlatData[float32](traces[len(traces)-1].Output)
	for i := range b {
		if d := math.Abs(float64(a[i] - b[i])); !(d <= 1e-5*(1+math.Abs(float64(b[i])))) {
			t.Errorf("number %d: expected %v, got %v", i, b[i], a[i])
		}
	}
}

func norm(values []float32) (sum float64) {
	for _, v := range values {
		sum += float64(v) * float64(v)
	}
	return sum
}
