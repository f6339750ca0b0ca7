package explain_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/explain"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

type peers struct {
	Weights, Dense      [][]float64
	X, Rows             []float64
	Target              []int
	Saliency, Signed    []float64
	InputXGradient      []float64 `json:"input_x_gradient"`
	Integrated          []float64
	Guided              []float64
	LRP                 []float64
	LRPGamma            []float64 `json:"lrp_gamma"`
	LRPMixed            []float64 `json:"lrp_mixed"`
	GradCAM             []float64 `json:"grad_cam"`
	GradCAMPlusPlus     []float64 `json:"grad_cam_plus_plus"`
	Occlusion, Shapley  []float64
	Smooth              []float64
	DeepLIFT            []float64 `json:"deep_lift"`
	DeepSHAP            []float64 `json:"deep_shap"`
	Images              []float64
	Background, Kernel  []float64
	LIME, Table         []float64
	LIMETable           []float64 `json:"lime_table"`
	Grid, Truth         []float64
	Dependence          []float64
	Permuted            []float64
	Labelled, Direction []float64
	Words               struct {
		IDs            []float64
		Weights        [][]float64
		Saliency       []float64
		InputXGradient []float64 `json:"input_x_gradient"`
		Integrated     []float64
	}
	Two struct {
		Weights, Inputs, Integrated [][]float64
	}
}

func floats(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, f := range v {
		out[i] = float32(f)
	}
	return out
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func weighted(t *testing.T, weights [][]float64, stack ...layers.Layer) *dl.Model {
	t.Helper()
	m, err := dl.Sequential(stack...)
	fatal(t, err)
	set(t, m, weights)
	return m
}

func set(t *testing.T, m *dl.Model, weights [][]float64) {
	t.Helper()
	all, err := m.Weights()
	fatal(t, err)
	var own []*tensor.Tensor
	for i, w := range all {
		own = append(own, tensor.New(floats(weights[i]), w.Shape().Dimensions...))
	}
	fatal(t, m.SetWeights(own))
}

func convolution(t *testing.T) (*dl.Model, *tensor.Tensor, peers) {
	t.Helper()
	text, err := os.ReadFile("testdata/peers.json")
	fatal(t, err)
	var p peers
	fatal(t, json.Unmarshal(text, &p))
	m := weighted(t, p.Weights,
		layers.Input{Shape: layers.Shape{8, 8, 2}},
		layers.Conv2D{Filters: 4, KernelSize: [2]int{3, 3}, Activation: activations.ReLU, Name: "first"},
		layers.MaxPooling2D{},
		layers.Conv2D{Filters: 3, KernelSize: [2]int{2, 2}, Name: "last"},
		layers.Activation{Activation: activations.Tanh},
		layers.Flatten{},
		layers.Dense{Units: 5, Activation: activations.Softmax, Name: "out"},
	)
	return m, tensor.New(floats(p.X), 3, 8, 8, 2), p
}

// TestCaptum compares with Captum on the same network.
func TestCaptum(t *testing.T) {
	m, x, p := convolution(t)
	images := tensor.New(floats(p.Images), 3, 8, 8, 2)
	base := make([]float32, 128)
	for i := range base {
		base[i] = 0.2
	}
	for _, c := range []struct {
		name   string
		method explain.Method
		want   []float64
	}{
		{"Saliency", explain.Saliency{}, p.Saliency},
		{"signed", explain.Saliency{Signed: true}, p.Signed},
		{"InputXGradient", explain.InputXGradient{}, p.InputXGradient},
		{"IntegratedGradients", explain.IntegratedGradients{Baseline: tensor.New(base, 8, 8, 2)}, p.Integrated},
		{"GuidedBackprop", explain.GuidedBackprop{}, p.Guided},
		{"LRP", explain.LRP{}, p.LRP},
		{"LRP γ", explain.LRP{Rule: explain.GammaRule(0.25), Rules: map[string]explain.Rule{"out": explain.EpsilonRule(1e-6)}}, p.LRPGamma},
		{"DeepLIFT", explain.DeepSHAP{Background: part(images, 1)}, p.DeepLIFT},
		{"DeepSHAP", explain.DeepSHAP{Background: images}, p.DeepSHAP},
		{"Occlusion", explain.Occlusion{Window: []int{3, 3, 2}}, p.Occlusion},
	} {
		got, err := c.method.Attribute(m, x, explain.Classes(p.Target...))
		fatal(t, err)
		compare(t, c.name, got, c.want)
	}
	for name, c := range map[string]struct {
		method explain.GradCAM
		want   []float64
	}{
		"GradCAM":   {explain.GradCAM{Layer: "last", Signed: true}, p.GradCAM},
		"GradCAM++": {explain.GradCAM{Layer: "last", PlusPlus: true}, p.GradCAMPlusPlus},
	} {
		cam, err := c.method.Attribute(m, x, explain.Classes(p.Target...))
		fatal(t, err)
		flat, err := tensor.Flat[float32](cam)
		fatal(t, err)
		one := make([]float32, 0, len(flat)/2) // of two channels, which are the same
		for i := 0; i < len(flat); i += 2 {
			one = append(one, flat[i])
		}
		compare(t, name, tensor.New(one, len(one)), c.want)
	}
}

// part are the first examples.
func part(x *tensor.Tensor, n int) *tensor.Tensor {
	d := x.Shape().Dimensions
	flat, err := tensor.Flat[float32](x)
	if err != nil {
		panic(err)
	}
	return tensor.New(flat[:len(flat)/d[0]*n], append([]int{n}, d[1:]...)...)
}

func compare(t *testing.T, name string, got *tensor.Tensor, want []float64) {
	t.Helper()
	flat, err := tensor.Flat[float32](got)
	fatal(t, err)
	if len(flat) != len(want) {
		t.Fatalf("%s: expected %d numbers, got %d", name, len(want), len(flat))
	}
	for i, v := range flat {
		if math.Abs(float64(v)-want[i]) > 1e-4 {
			t.Fatalf("%s: number %d: expected %g, got %g", name, i, want[i], v)
		}
	}
}

func rows(t *testing.T) (*dl.Model, *tensor.Tensor, peers) {
	t.Helper()
	_, _, p := convolution(t)
	m := weighted(t, p.Dense, layers.Input{Shape: layers.Shape{6}}, layers.Dense{Units: 8, Activation: activations.Tanh}, layers.Dense{Units: 3})
	return m, tensor.New(floats(p.Rows), 2, 6), p
}

// TestShap compares with shap's exact explainer and its KernelExplainer.
func TestShap(t *testing.T) {
	m, x, p := rows(t)
	got, err := explain.Shapley{}.Attribute(m, x, explain.Class(1))
	fatal(t, err)
	compare(t, "Shapley", got, p.Shapley)
	background := tensor.New(floats(p.Background), 4, 6)
	for name, method := range map[string]explain.Method{
		"KernelSHAP":             explain.KernelSHAP{Background: background},
		"Shapley of four":        explain.Shapley{Background: background},
		"KernelSHAP of 60 of 62": explain.KernelSHAP{Background: background, Samples: 62},
	} {
		got, err = method.Attribute(m, x, explain.Class(1))
		fatal(t, err)
		compare(t, name, got, p.Kernel)
	}
}

// TestShapleyProperties are efficiency and symmetry, of more features than can be exact, too.
func TestShapleyProperties(t *testing.T) {
	const n = 16
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{n}}, layers.Dense{Units: 4, Activation: activations.Tanh}, layers.Dense{Units: 1})
	fatal(t, err)
	all, err := m.Weights()
	fatal(t, err)
	w, err := tensor.Flat[float32](all[0])
	fatal(t, err)
	copy(w[4:8], w[:4]) // the second feature does what the first does
	fatal(t, m.SetWeights(append([]*tensor.Tensor{tensor.New(w, n, 4)}, all[1:]...)))
	flat := make([]float32, n)
	for i := range flat {
		flat[i] = float32(1+i%3) / 2
	}
	flat[1] = flat[0]
	x := tensor.New(flat, 1, n)
	a, err := explain.Shapley{Orders: 400}.Attribute(m, x, explain.Target{})
	fatal(t, err)
	shares, err := tensor.Flat[float32](a)
	fatal(t, err)
	_, lacks, err := explain.IntegratedGradients{}.Completeness(m, x, explain.Target{})
	fatal(t, err)
	ig, err := explain.IntegratedGradients{}.Attribute(m, x, explain.Target{})
	fatal(t, err)
	integrated, err := tensor.Flat[float32](ig)
	fatal(t, err)
	sum, want := 0.0, lacks[0]
	for i := range shares {
		sum += float64(shares[i])
		want += float64(integrated[i])
	}
	if math.Abs(sum-want) > 1e-4 {
		t.Errorf("expected shares that add up to %g, got %g", want, sum)
	}
	if math.Abs(lacks[0]) > 1e-4 {
		t.Errorf("expected integrated gradients to be complete, they lack %g", lacks[0])
	}
	if math.Abs(float64(shares[0]-shares[1])) > 0.05 {
		t.Errorf("expected the same of features that do the same, got %g and %g", shares[0], shares[1])
	}
	groups := make([]int, n)
	for i := range groups {
		groups[i] = i / 4
	}
	grouped, err := explain.Shapley{Groups: groups}.Attribute(m, x, explain.Target{})
	fatal(t, err)
	shares, err = tensor.Flat[float32](grouped)
	fatal(t, err)
	sum = 0
	for _, v := range shares {
		sum += float64(v)
	}
	if math.Abs(sum-want) > 1e-4 {
		t.Errorf("expected shares of groups that add up to %g, got %g", want, sum)
	}
}

// edges is a method that does not look at the model.
type edges struct{}

func (edges) Attribute(_ *dl.Model, x *tensor.Tensor, _ explain.Target) (*tensor.Tensor, error) {
	return x, nil
}

func TestRandomization(t *testing.T) {
	m, x, _ := convolution(t)
	random, err := m.Clone()
	fatal(t, err)
	all, err := explain.Randomization(m, random, x, explain.Class(2), 0.5, edges{}, explain.Saliency{})
	fatal(t, err)
	if !all[0].Fails || all[0].Similarity < 0.999 {
		t.Errorf("expected a method that shows the input to fail, got %+v", all[0])
	}
	if all[1].Fails {
		t.Errorf("expected gradients to pass, got %+v", all[1])
	}
}

func TestBadInput(t *testing.T) {
	m, x, _ := convolution(t)
	words, err := dl.Sequential(layers.Input{Shape: layers.Shape{4}}, layers.Embedding{InputDim: 5, OutputDim: 3}, layers.Flatten{}, layers.Dense{Units: 2})
	fatal(t, err)
	ids := tensor.New([]float32{1, 2, 3, 4}, 1, 4)
	unbuilt, err := dl.Sequential(layers.Dense{Units: 2})
	fatal(t, err)
	nan := tensor.New(append([]float32{float32(math.NaN())}, make([]float32, 127)...), 1, 8, 8, 2)
	for want, f := range map[string]func() (*tensor.Tensor, error){
		"[0, 5), got 5 of example 0": func() (*tensor.Tensor, error) { return explain.Saliency{}.Attribute(m, x, explain.Class(5)) },
		"each of 3 examples, got 1":  func() (*tensor.Tensor, error) { return explain.Saliency{}.Attribute(m, x, explain.Classes(1)) },
		"got NaN of example 0":       func() (*tensor.Tensor, error) { return explain.Occlusion{}.Attribute(m, nan, explain.Class(0)) },
		"numbers of words":           func() (*tensor.Tensor, error) { return explain.DeepSHAP{}.Attribute(words, ids, explain.Class(0)) },
		"examples of (None, 4)":      func() (*tensor.Tensor, error) { return explain.Saliency{}.Attribute(words, x, explain.Class(0)) },
		"built model of one input":   func() (*tensor.Tensor, error) { return explain.Saliency{}.Attribute(unbuilt, x, explain.Class(0)) },
		`layer "none"`: func() (*tensor.Tensor, error) {
			return explain.GradCAM{Layer: "none"}.Attribute(m, x, explain.Class(0))
		},
		"for GradCAM, got": func() (*tensor.Tensor, error) { return explain.GradCAM{}.Attribute(words, ids, explain.Class(0)) },
		"Window of 1 to 8": func() (*tensor.Tensor, error) {
			return explain.Occlusion{Window: []int{9, 1, 1}}.Attribute(m, x, explain.Class(0))
		},
		"without gaps": func() (*tensor.Tensor, error) {
			return explain.Shapley{Groups: []int{0, 0, 2, 2}}.Attribute(words, ids, explain.Class(0))
		},
		"background: explain: expected an input of shape": func() (*tensor.Tensor, error) {
			return explain.Shapley{Background: x}.Attribute(words, ids, explain.Class(0))
		},
		"output in [0, 1), got 1": func() (*tensor.Tensor, error) { return explain.Saliency{}.Attribute(m, x, explain.Target{Output: 1}) },
	} {
		if _, err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
	got, err := explain.Shapley{}.Attribute(words, ids, explain.Class(0))
	if err != nil || got.Shape().Size() != 4 {
		t.Errorf("expected Shapley values of words, got %v, %v", got, err)
	}
}

// TestTables are a column that counts, and one that does not.
func TestTables(t *testing.T) {
	m := line()
	x := tensor.Of([][]float32{{1, 0}, {2, 0}, {3, 0}, {4, 0}})
	score := func(x *tensor.Tensor) (float64, error) {
		flat, err := tensor.Flat[float32](x)
		sum := 0.0
		for i := range 4 {
			sum -= math.Abs(float64(2*flat[2*i]) - float64(2*(i+1)))
		}
		return sum, err
	}
	all, err := explain.PermutationImportance(x, 20, 1, score)
	fatal(t, err)
	if all[0].Mean < 1 || all[1].Mean != 0 {
		t.Errorf("expected the first column to count, and no other, got %+v", all)
	}
	curve, err := explain.PartialDependence(m, x, explain.Target{}, []int{0}, [][]float32{{0}, {10}})
	fatal(t, err)
	if math.Abs(curve[1]-curve[0]-20) > 1e-4 {
		t.Errorf("expected a slope of 2, got %v", curve)
	}
	if _, err := explain.PartialDependence(m, x, explain.Target{}, []int{2}, nil); err == nil {
		t.Error("expected a column out of range to be refused")
	}
}
