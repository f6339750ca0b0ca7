package explain_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/explain"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TestRefused: what a method cannot explain is refused, and says so, where an answer would be wrong.
func TestRefused(t *testing.T) {
	m, x, p := convolution(t)
	words := dl.Input(layers.Shape{4})
	one := dl.Apply(layers.Embedding{InputDim: 9, OutputDim: 3}, words)
	two := dl.Apply(layers.Embedding{InputDim: 9, OutputDim: 3}, words)
	out := dl.Apply(layers.Dense{Units: 2}, dl.Apply(layers.Flatten{}, dl.Apply(layers.Concatenate{}, one, two)))
	twice, err := dl.Functional([]*dl.Symbol{words}, []*dl.Symbol{out})
	fatal(t, err)
	behind, err := dl.Sequential(layers.Input{Shape: layers.Shape{2, 2}}, layers.Reshape{TargetShape: layers.Shape{4}},
		layers.Embedding{InputDim: 9, OutputDim: 3}, layers.Flatten{}, layers.Dense{Units: 2})
	fatal(t, err)
	ids, square := tensor.New([]float32{1, 2, 3, 4}, 1, 4), tensor.New([]float32{1, 2, 3, 4}, 1, 2, 2)
	line := weighted(t, [][]float64{{2, 3}, {0}}, layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1})
	far := tensor.New([]float32{30, 0}, 1, 2)
	data := tensor.New([]float32{0, 1, 1, 0, 0, 0, 1, 1}, 4, 2)
	broken, err := m.Clone()
	fatal(t, err)
	bad := make([][]float64, len(p.Weights))
	for i, w := range p.Weights {
		bad[i] = append([]float64{math.NaN()}, w[1:]...)
	}
	set(t, broken, bad)
	nan := tensor.New(append([]float32{float32(math.NaN())}, make([]float32, 127)...), 8, 8, 2)
	others := tensor.New(make([]float32, 12*128), 12, 8, 8, 2)
	for want, f := range map[string]func() error{
		"goes to one Embedding": func() error { return attribute(explain.IntegratedGradients{}, twice, ids) },
		"and nothing else":      func() error { return attribute(explain.Saliency{}, behind, square) },
		"larger Width":          func() error { return attribute(explain.LIMETable{Data: data}, line, far) },
		"got the weight of":     func() error { return attribute(explain.LIME{Width: 0.01}, line, far) },
		"output in [0, 1)": func() error {
			_, err := explain.DeepSHAP{}.Attribute(m, x, explain.Target{Output: 5})
			return err
		},
		"finite attributions": func() error {
			_, err := explain.Randomization(m, broken, x, explain.Class(0), 0.5, explain.Saliency{})
			return err
		},
		"baseline of finite": func() error { return attribute(explain.IntegratedGradients{Baseline: nan}, m, x) },
		"1e-30":              func() error { return attribute(explain.LRP{Rule: explain.EpsilonRule(1e-60)}, m, x) },
		"depends on": func() error {
			_, err := explain.TCAV{Layer: "out", Concept: part(x, 3), Others: others}.Score(m, x, explain.Class(0))
			return err
		},
		"an image, got nil": func() error { _, err := explain.Superpixels(nil, 2, 0); return err },
		"got none or nil":   func() error { _, err := explain.Join(nil); return err },
		"attributions, got": func() error { _, err := explain.Split(m, nil); return err },
		"a table, got nil": func() error {
			_, err := explain.PermutationImportance(nil, 1, 1, nil)
			return err
		},
		"mixes them": func() error {
			_, err := explain.DeepSHAP{}.Attribute(m, x, explain.Target{Probability: true})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}

func attribute(how explain.Method, m *dl.Model, x *tensor.Tensor) error {
	_, err := how.Attribute(m, x, explain.Class(0))
	return err
}

// TestEnds: a last softmax that is a layer, and one of another output, are no matter.
func TestEnds(t *testing.T) {
	in := dl.Input(layers.Shape{3})
	first := dl.Apply(layers.Softmax{}, dl.Apply(layers.Dense{Units: 2}, in))
	second := dl.Apply(layers.Dense{Units: 2, Activation: activations.Softmax}, in)
	m, err := dl.Functional([]*dl.Symbol{in}, []*dl.Symbol{first, second})
	fatal(t, err)
	x := tensor.New([]float32{1, 2, 3}, 1, 3)
	for k := range 2 {
		deep, err := explain.DeepSHAP{}.Attribute(m, x, explain.Target{Output: k})
		fatal(t, err)
		simple, err := explain.InputXGradient{}.Attribute(m, x, explain.Target{Output: k})
		fatal(t, err)
		want, err := tensor.Flat[float32](simple)
		fatal(t, err)
		var all []float64
		for _, v := range want {
			all = append(all, float64(v))
		}
		compare(t, "DeepSHAP", deep, all)
	}
}

// TestMasked: relevance does not go to what a mask leaves out.
func TestMasked(t *testing.T) {
	m := weighted(t, [][]float64{{1, 2, 3, 1, 2, 2, 1, 1, 1, 1}, {1, 2}}, layers.Input{Shape: layers.Shape{4}},
		layers.Embedding{InputDim: 5, OutputDim: 2, MaskZero: true}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1, NoBias: true})
	x := tensor.New([]float32{1, 2, 0, 0}, 1, 4)
	lrp, err := explain.LRP{}.Attribute(m, x, explain.Target{})
	fatal(t, err)
	plain, err := explain.InputXGradient{}.Attribute(m, x, explain.Target{})
	fatal(t, err)
	want, err := tensor.Flat[float32](plain)
	fatal(t, err)
	var all []float64
	for _, v := range want {
		all = append(all, float64(v))
	}
	compare(t, "LRP", lrp, all)
	if all[2] != 0 || all[3] != 0 {
		t.Errorf("expected nothing for padding, got %v", all)
	}
}

// TestNarrow: a model that computes in 16 bits is explained as one in 32, but for their digits;
// what goes back through its layers is refused.
func TestNarrow(t *testing.T) {
	stack := []layers.Layer{layers.Input{Shape: layers.Shape{6}}, layers.Dense{Units: 8, Activation: activations.Tanh}, layers.Dense{Units: 3}}
	wide, x, p := rows(t)
	fatal(t, dl.SetDTypePolicy("mixed_bfloat16"))
	narrow, err := dl.Sequential(stack...)
	fatal(t, dl.SetDTypePolicy("float32"))
	fatal(t, err)
	set(t, narrow, p.Dense)
	for _, how := range []explain.Method{explain.Saliency{}, explain.IntegratedGradients{}, explain.KernelSHAP{}, explain.LIME{}, explain.Occlusion{}} {
		want, err := how.Attribute(wide, x, explain.Class(1))
		fatal(t, err)
		got, err := how.Attribute(narrow, x, explain.Class(1))
		fatal(t, err)
		flat, err := tensor.Flat[float32](want)
		fatal(t, err)
		var all []float64
		for _, v := range flat {
			all = append(all, float64(v))
		}
		near(t, "16 bits", got, all, 0.1)
	}
	if err := attribute(explain.LRP{}, narrow, x); err == nil || !strings.Contains(err.Error(), "float32") {
		t.Errorf("expected LRP to want float32, got %v", err)
	}
}
