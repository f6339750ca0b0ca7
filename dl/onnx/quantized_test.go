package onnx_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx"
)

// TestQuantized has onnxruntime run quantized models, by its QuantizeLinear and DequantizeLinear: it computes
// what they compute here, but where a number in the middle of two is rounded the other way.
func TestQuantized(t *testing.T) {
	relu := activations.ReLU
	models := map[string][]layers.Layer{
		"dense":  {layers.Input{Shape: layers.Shape{70}}, layers.Dense{Units: 50, Activation: relu}, layers.Dense{Units: 37, Activation: activations.Tanh}, layers.Dense{Units: 3, NoBias: true}},
		"steps":  {layers.Input{Shape: layers.Shape{5, 40}}, layers.Dense{Units: 33}, layers.Conv1D{Filters: 20, KernelSize: 3, Activation: relu, Padding: layers.Same}, layers.Conv1D{Filters: 9, KernelSize: 2, DilationRate: 2}},
		"images": {layers.Input{Shape: layers.Shape{11, 13, 4}}, layers.Conv2D{Filters: 24, KernelSize: [2]int{3, 3}, Activation: relu, Padding: layers.Same}, layers.Conv2D{Filters: 40, KernelSize: [2]int{1, 1}, NoBias: true}, layers.Conv2D{Filters: 17, KernelSize: [2]int{3, 2}, Strides: [2]int{2, 2}, Activation: activations.Sigmoid}},
		"spread": {layers.Input{Shape: layers.Shape{11, 13, 33}}, layers.Conv2D{Filters: 16, KernelSize: [2]int{2, 3}, DilationRate: [2]int{2, 2}, Padding: layers.Same}, layers.Flatten{}, layers.Dense{Units: 10}},
	}
	r := runtime{t.TempDir()}
	made, inputs := make(map[string]*dl.Model), make(map[string]*tensors.Tensor)
	rng := rand.New(rand.NewPCG(1, 2))
	for name, all := range models {
		m, err := dl.Sequential(all...)
		if err != nil {
			t.Fatal(err)
		}
		shape := append([]int{9}, all[0].(layers.Input).Shape...)
		values := make([]float32, tensors.FromFlatDataAndDimensions(make([]float32, product(shape)), shape...).Shape().Size())
		for i := range values {
			values[i] = float32(rng.NormFloat64())
		}
		x := tensors.FromFlatDataAndDimensions(values, shape...)
		ds, err := data.New(x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if made[name], err = dl.Quantize(m, ds); err != nil {
			t.Fatal(err)
		}
		inputs[name] = x
		if err := r.add(t, name, made[name], x); err != nil {
			t.Fatal(err)
		}
	}
	r.run(t)
	for name, m := range made {
		outs, err := r.outputs(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		back, err := onnx.Load(filepath.Join(r.dir, name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		want := outs[0].tensor()
		near(t, name, predict(t, m, inputs[name])[0], want)
		near(t, name+" read back", predict(t, back, inputs[name])[0], want)
	}
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// near wants most numbers equal, and the others off by little more than one step of a rounding: one that goes the
// other way is seen by all numbers of a dense layer that follows.
func near(t *testing.T, name string, got, want *tensors.Tensor) {
	t.Helper()
	a, b := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	largest, off := 0.0, 0
	for _, v := range b {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range b {
		d := math.Abs(float64(a[i] - b[i]))
		if d > 1e-5*largest {
			off++
		}
		if d > 0.01*largest {
			t.Fatalf("%s: number %d: expected %v, got %v; the largest is %v", name, i, b[i], a[i], largest)
		}
	}
	if off > len(b)/5 {
		t.Errorf("%s: expected at most one number in 5 to be rounded otherwise, got %d of %d", name, off, len(b))
	}
}
