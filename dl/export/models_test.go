package export

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/export/internal/golang"
	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx"
	"github.com/gradbook/gradbook/dl/tensor"
)

// shaped are stacks of layers that go on one input.
var shaped = []struct {
	name  string
	in    layers.Shape
	stack []layers.Layer
}{
	{"dense", layers.Shape{7}, []layers.Layer{layers.Dense{Units: 33, Activation: activations.ReLU}, layers.Dense{Units: 5, Activation: activations.Softmax}}},
	{"dense of sequences", layers.Shape{3, 4, 70}, []layers.Layer{layers.Dense{Units: 65, Activation: activations.GELU}, layers.Dense{Units: 1}}},
	{"document", layers.Shape{28, 28, 1}, []layers.Layer{
		layers.Conv2D{Filters: 32, KernelSize: [2]int{3, 3}, Activation: activations.ReLU},
		layers.MaxPooling2D{PoolSize: [2]int{2, 2}},
		layers.Conv2D{Filters: 64, KernelSize: [2]int{3, 3}, Activation: activations.ReLU},
		layers.MaxPooling2D{PoolSize: [2]int{2, 2}},
		layers.Flatten{},
		layers.Dropout{Rate: 0.5},
		layers.Dense{Units: 10, Activation: activations.Softmax},
	}},
	{"convolutions", layers.Shape{13, 11, 3}, []layers.Layer{
		layers.Conv2D{Filters: 9, KernelSize: [2]int{3, 2}, Strides: [2]int{2, 1}, Padding: layers.Same, Activation: activations.ReLU},
		layers.BatchNormalization{},
		layers.Conv2D{Filters: 20, KernelSize: [2]int{2, 3}, DilationRate: [2]int{2, 1}, Activation: activations.Tanh},
		layers.DepthwiseConv2D{KernelSize: [2]int{3, 3}, Padding: layers.Same, Strides: [2]int{2, 2}},
		layers.SeparableConv2D{Filters: 6, KernelSize: [2]int{1, 3}},
		layers.LeakyReLU{},
		layers.GlobalAveragePooling2D{},
	}},
	{"one and three axes", layers.Shape{9, 8, 6, 2}, []layers.Layer{
		layers.Conv3D{Filters: 4, KernelSize: [3]int{2, 3, 2}, Padding: layers.Same},
		layers.MaxPooling3D{PoolSize: [3]int{2, 2, 1}},
		layers.Reshape{TargetShape: layers.Shape{16, 24}},
		layers.Conv1D{Filters: 5, KernelSize: 4, Strides: 3, Activation: activations.SiLU},
		layers.AveragePooling1D{PoolSize: 2, Padding: layers.Same},
		layers.Flatten{},
	}},
	{"transposed", layers.Shape{5, 6, 3}, []layers.Layer{
		layers.Conv2DTranspose{Filters: 7, KernelSize: [2]int{3, 2}, Strides: [2]int{2, 3}, Padding: layers.Same},
		layers.UpSampling2D{Size: [2]int{2, 2}, Interpolation: layers.Bilinear},
		layers.Conv2DTranspose{Filters: 2, KernelSize: [2]int{2, 2}},
	}},
	{"recurrent", layers.Shape{6, 5}, []layers.Layer{
		layers.LSTM{Units: 7, ReturnSequences: true},
		layers.GRU{Units: 35, ReturnSequences: true},
		layers.Bidirectional{Layer: layers.SimpleRNN{Units: 4, ReturnSequences: true}},
		layers.Bidirectional{Layer: layers.LSTM{Units: 3}},
		layers.Dense{Units: 2},
	}},
	{"reset before", layers.Shape{4, 3}, []layers.Layer{layers.GRU{Units: 5, ResetBefore: true, GoBackwards: true}}},
	{"normalizations", layers.Shape{4, 6, 8}, []layers.Layer{
		layers.LayerNormalization{}, layers.GroupNormalization{Groups: 4}, layers.UnitNormalization{}, layers.RMSNormalization{},
	}},
	{"activations", layers.Shape{50}, []layers.Layer{
		layers.ELU{},
		layers.Activation{Activation: activations.SELU},
		layers.Activation{Activation: activations.Softplus},
		layers.Activation{Activation: activations.Softsign},
		layers.Activation{Activation: activations.HardSigmoid},
		layers.Activation{Activation: activations.Mish},
		layers.Activation{Activation: activations.Exponential},
	}},
	{"rearranged", layers.Shape{6, 8, 3}, []layers.Layer{
		layers.ZeroPadding2D{Padding: [2][2]int{{1, 2}, {0, 1}}},
		layers.Cropping2D{Cropping: [2][2]int{{1, 1}, {2, 0}}},
		layers.Permute{Dims: []int{3, 1, 2}},
		layers.Flatten{},
		layers.RepeatVector{N: 3},
		layers.TimeDistributed{Layer: layers.Dense{Units: 4}},
	}},
}

// built are all models that are exported.
func built(t *testing.T) map[string]*dl.Model {
	t.Helper()
	dl.SetRandomSeed(5)
	all := make(map[string]*dl.Model)
	check := func(name string, m *dl.Model, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = m
	}
	for _, s := range shaped {
		m, err := dl.Sequential(append([]layers.Layer{layers.Input{Shape: s.in}}, s.stack...)...)
		check(s.name, m, err)
	}
	x := dl.Input(layers.Shape{7, 8})
	a := dl.Apply(layers.MultiHeadAttention{NumHeads: 2, KeyDim: 5}, x, x)
	y := dl.Apply(layers.Add{}, x, a).Then(layers.LayerNormalization{})
	m, err := dl.Functional([]*dl.Symbol{x}, []*dl.Symbol{y, dl.Apply(layers.Concatenate{}, x, y)})
	check("attention", m, err)
	p, q := dl.Input(layers.Shape{9, 9, 4}), dl.Input(layers.Shape{9, 9, 4})
	c := layers.Conv2D{Filters: 4, KernelSize: [2]int{3, 3}, Padding: layers.Same, Activation: activations.ReLU}
	sum := dl.Apply(layers.Add{}, p.Then(c, layers.BatchNormalization{}), dl.Apply(layers.Multiply{}, q, p.Then(c)))
	m, err = dl.Functional([]*dl.Symbol{p, q}, []*dl.Symbol{sum.Then(c), dl.Apply(layers.Maximum{}, p, q).Then(layers.Flatten{})})
	check("two inputs", m, err)
	m, err = dl.Sequential(layers.Input{Shape: layers.Shape{6}}, layers.Embedding{InputDim: 11, OutputDim: 5}, layers.GRU{Units: 4})
	check("embedding", m, err)
	return all
}

// random are examples for a model: whole numbers below 11 for an embedding.
func random(m *dl.Model, n int) []*tensor.Tensor {
	r := rand.New(rand.NewPCG(3, 4))
	var all []*tensor.Tensor
	for _, s := range m.Inputs() {
		x := make([]float32, n)
		for _, d := range s.Shape() {
			x = append(x, make([]float32, len(x)*(d-1))...)
		}
		for i := range x {
			x[i] = float32(r.NormFloat64())
			if _, err := m.Layer("embedding"); err == nil {
				x[i] = float32(r.IntN(11))
			}
		}
		all = append(all, tensor.New(x, append([]int{n}, s.Shape()...)...))
	}
	return all
}

func predicted(t *testing.T, m *dl.Model, in []*tensor.Tensor) [][]float32 {
	t.Helper()
	out, err := m.PredictOnBatch(in[0], dl.BatchConfig{Inputs: in[1:]})
	if err != nil {
		t.Fatal(err)
	}
	var all [][]float32
	for _, o := range out {
		all = append(all, flat(t, o))
	}
	return all
}

func flat(t *testing.T, x *tensor.Tensor) []float32 {
	t.Helper()
	v, err := tensor.Flat[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// graphOf is a model's graph in ONNX.
func graphOf(t *testing.T, m *dl.Model) *proto.Model {
	t.Helper()
	var b bytes.Buffer
	if err := onnx.Write(&b, m); err != nil {
		t.Fatal(err)
	}
	g, err := proto.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestModels compares what exported models compute with Predict, on whatever the processor has
// and with Go's own kernels, in batches of one, a few and many.
func TestModels(t *testing.T) {
	p := newProgram(t)
	cases, want, names := make(map[string]string), make(map[string][][]float32), make(map[string]string)
	i := 0
	for name, m := range built(t) {
		for _, n := range []int{1, 5, 19} {
			if why := p.model(t, name, graphOf(t, m), i, golang.Options{From: name, Apart: true}); why != "" {
				t.Fatalf("%s: %s", name, why)
			}
			id := fmt.Sprintf("case%d", i)
			i++
			in := random(m, n)
			cases[id], names[id], want[id] = t.TempDir(), fmt.Sprintf("%s, %d", name, n), predicted(t, m, in)
			for k, x := range in {
				raw, err := binary.Append(nil, binary.LittleEndian, flat(t, x))
				if err != nil {
					t.Fatal(err)
				}
				shape, _ := json.Marshal([]int{len(raw) / 4})
				write(t, filepath.Join(cases[id], fmt.Sprintf("in_%d.raw", k)), raw)
				write(t, filepath.Join(cases[id], fmt.Sprintf("in_%d.json", k)), shape)
			}
		}
	}
	for _, env := range []string{"", "GRADBOOK_KERNELS=avx2", "GRADBOOK_KERNELS=go"} {
		said := p.start(t, cases, env)
		for id, dir := range cases {
			if said[id] != "" {
				t.Errorf("%s: %s", names[id], said[id])
				continue
			}
			for k, w := range want[id] {
				raw, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("got_%d.raw", k)))
				if err != nil {
					t.Fatal(err)
				}
				near(t, fmt.Sprintf("%s, output %d %s", names[id], k, env), reals(proto.Float, raw), w)
			}
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// near wants numbers that differ by 1e-5 of the largest one.
func near(t *testing.T, what string, got []float64, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d numbers, want %d", what, len(got), len(want))
		return
	}
	largest := 1.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	worst, at := 0.0, 0
	for i, v := range want {
		if d := math.Abs(got[i] - float64(v)); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= 1e-5*largest) {
		t.Errorf("%s: number %d of %d: got %v, want %v", what, at, len(want), got[at], want[at])
	}
}
