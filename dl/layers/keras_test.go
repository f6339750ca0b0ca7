package layers_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/layers"
)

// TestKeras compares each layer with Keras's on the same weights and input: the
// shapes, the output, and the gradients by the input and by each weight.
func TestKeras(t *testing.T) {
	k33 := [2]int{3, 3}
	fixture := kerastest.Load(t, "layers.npz")
	for name, layer := range map[string]layers.Layer{
		"dense":                     layers.Dense{Units: 5},
		"dense_relu":                layers.Dense{Units: 5, Activation: activations.ReLU},
		"dense_3d":                  layers.Dense{Units: 3, Activation: activations.Tanh},
		"dense_nobias":              layers.Dense{Units: 2, NoBias: true},
		"conv2d":                    layers.Conv2D{Filters: 4, KernelSize: k33},
		"conv2d_same":               layers.Conv2D{Filters: 4, KernelSize: [2]int{3, 2}, Padding: layers.Same, Activation: activations.ReLU},
		"conv2d_strides":            layers.Conv2D{Filters: 4, KernelSize: k33, Strides: [2]int{2, 3}},
		"conv2d_same_strides":       layers.Conv2D{Filters: 4, KernelSize: k33, Strides: [2]int{2, 2}, Padding: layers.Same},
		"conv2d_dilation":           layers.Conv2D{Filters: 4, KernelSize: k33, DilationRate: [2]int{2, 2}},
		"conv2d_groups":             layers.Conv2D{Filters: 4, KernelSize: k33, Groups: 2},
		"max_pooling2d":             layers.MaxPooling2D{},
		"max_pooling2d_odd":         layers.MaxPooling2D{},
		"max_pooling2d_3x2":         layers.MaxPooling2D{PoolSize: [2]int{3, 2}},
		"max_pooling2d_same":        layers.MaxPooling2D{Padding: layers.Same},
		"max_pooling2d_overlap":     layers.MaxPooling2D{PoolSize: k33, Strides: [2]int{2, 2}},
		"average_pooling2d":         layers.AveragePooling2D{},
		"average_pooling2d_odd":     layers.AveragePooling2D{PoolSize: [2]int{2, 3}},
		"average_pooling2d_same":    layers.AveragePooling2D{Padding: layers.Same},
		"average_pooling2d_overlap": layers.AveragePooling2D{PoolSize: k33, Strides: [2]int{2, 2}},
		"flatten":                   layers.Flatten{},
		"dropout":                   layers.Dropout{Rate: 0.5},
		"activation":                layers.Activation{Activation: activations.Sigmoid},
	} {
		t.Run(name, func(t *testing.T) { compare(t, fixture, name, layer) })
	}
}

// TestKerasActivations compares each activation and its gradient.
func TestKerasActivations(t *testing.T) {
	fixture := kerastest.Load(t, "layers.npz")
	for _, a := range []activations.Activation{
		activations.Linear, activations.ReLU, activations.ReLU6, activations.LeakyReLU, activations.ELU,
		activations.SELU, activations.GELU, activations.SiLU, activations.Sigmoid, activations.HardSigmoid,
		activations.Tanh, activations.Softplus, activations.Softsign, activations.Exponential, activations.Mish,
		activations.Softmax, activations.LogSoftmax,
	} {
		t.Run(a.Name(), func(t *testing.T) {
			compare(t, fixture, "activation_"+a.Name(), layers.Activation{Activation: a})
			if got, err := activations.Get(a.Name()); err != nil || got.Name() != a.Name() {
				t.Errorf("Get(%q) = %v, %v", a.Name(), got, err)
			}
		})
	}
}

// compare runs a layer on a case of the fixture.
func compare(t *testing.T, fixture kerastest.Fixture, name string, layer layers.Layer) {
	t.Helper()
	x, want := fixture.Get(t, name+".x"), fixture.Get(t, name+".y")
	spec, err := layer.Build(x.Shape().Dimensions[1:])
	if err != nil {
		t.Fatal(err)
	}
	if got := layers.Shape(want.Shape().Dimensions[1:]); !spec.Output.Equal(got) {
		t.Errorf("Build: expected output %v, got %v", got, spec.Output)
	}
	in := []*tensors.Tensor{x, fixture.Get(t, name+".r")}
	for i, w := range spec.Weights {
		value := fixture.Get(t, fmt.Sprintf("%s.w%d", name, i))
		if !w.Shape.Equal(value.Shape().Dimensions) {
			t.Fatalf("weight %q: expected shape %v, got %v", w.Name, value.Shape().Dimensions, w.Shape)
		}
		in = append(in, value)
	}
	if extra := fixture[fmt.Sprintf("%s.w%d", name, len(spec.Weights))]; extra != nil {
		t.Fatalf("expected more than %d weights", len(spec.Weights))
	}
	out := kerastest.Run(t, func(in []*graph.Node) []*graph.Node {
		weights := make(map[string]*graph.Node)
		for i, w := range spec.Weights {
			weights[w.Name] = in[2+i]
		}
		y := layer.Call(layers.NewPass(false, nil).Layer(name, weights), in[0])
		by := append([]*graph.Node{in[0]}, in[2:]...)
		return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[1])), by...)...)
	}, in...)
	kerastest.Close(t, "output", out[0], want, 1e-5)
	kerastest.Close(t, "gradient by the input", out[1], fixture.Get(t, name+".dx"), 1e-5)
	for i, w := range spec.Weights {
		kerastest.Close(t, "gradient by "+w.Name, out[2+i], fixture.Get(t, fmt.Sprintf("%s.dw%d", name, i)), 1e-5)
	}
}
