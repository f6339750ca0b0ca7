package explain_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/explain"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// near compares up to a part of the largest number, for what chance has a hand in.
func near(t *testing.T, name string, got *tensor.Tensor, want []float64, part float64) {
	t.Helper()
	flat, err := tensor.Flat[float32](got)
	fatal(t, err)
	if len(flat) != len(want) {
		t.Fatalf("%s: expected %d numbers, got %d", name, len(want), len(flat))
	}
	most := 0.0
	for _, v := range want {
		most = max(most, math.Abs(v))
	}
	for i, v := range flat {
		if math.Abs(float64(v)-want[i]) > part*most {
			t.Errorf("%s: number %d: expected %g, got %g", name, i, want[i], v)
		}
	}
}

// TestLIME compares with scikit-learn's regression of the same sets, and with lime's of other
// rows.
func TestLIME(t *testing.T) {
	m, x, p := rows(t)
	got, err := explain.LIME{}.Attribute(m, x, explain.Class(1))
	fatal(t, err)
	compare(t, "LIME", got, p.LIME)
	sampled, err := explain.LIME{Samples: 50}.Attribute(m, x, explain.Class(1))
	fatal(t, err)
	near(t, "LIME of 50", sampled, p.LIME, 0.5)
	table := explain.LIMETable{Data: tensor.New(floats(p.Table), 40, 6), Samples: 40000}
	got, err = table.Attribute(m, part(x, 1), explain.Class(1))
	fatal(t, err)
	near(t, "LIMETable", got, p.LIMETable, 0.05)
}

// TestSmoothGrad compares with Captum's NoiseTunnel, which has other noise.
func TestSmoothGrad(t *testing.T) {
	m, x, p := convolution(t)
	got, err := explain.SmoothGrad{Samples: 2000}.Attribute(m, part(x, 1), explain.Class(p.Target[0]))
	fatal(t, err)
	near(t, "SmoothGrad", got, p.Smooth, 0.06)
}

// TestWords compares what is explained of words with Captum's layer methods.
func TestWords(t *testing.T) {
	_, _, p := convolution(t)
	m := weighted(t, p.Words.Weights, layers.Input{Shape: layers.Shape{5}}, layers.Embedding{InputDim: 9, OutputDim: 3},
		layers.Flatten{}, layers.Dense{Units: 4, Activation: activations.Tanh}, layers.Dense{Units: 2})
	x := tensor.New(floats(p.Words.IDs), 2, 5)
	for _, c := range []struct {
		name   string
		method explain.Method
		want   []float64
	}{
		{"Saliency", explain.Saliency{}, p.Words.Saliency},
		{"InputXGradient", explain.InputXGradient{}, p.Words.InputXGradient},
		{"IntegratedGradients", explain.IntegratedGradients{Baseline: tensor.New([]float32{5, 5, 5, 5, 5}, 5)}, p.Words.Integrated},
	} {
		got, err := c.method.Attribute(m, x, explain.Class(1))
		fatal(t, err)
		compare(t, c.name, got, c.want)
		if d := got.Shape().Dimensions; len(d) != 2 || d[1] != 5 {
			t.Errorf("%s: expected a number for each of 5 words, got %v", c.name, d)
		}
	}
	inner, err := dl.Functional(m.Inputs(), m.Outputs())
	fatal(t, err)
	nested, err := dl.Sequential(layers.Input{Shape: layers.Shape{5}}, inner)
	fatal(t, err)
	got, err := explain.Saliency{}.Attribute(nested, x, explain.Class(1))
	fatal(t, err)
	compare(t, "Saliency of a nested model", got, p.Words.Saliency)
}

// TestJoined compares with Captum's integrated gradients of a model of two inputs.
func TestJoined(t *testing.T) {
	_, _, p := convolution(t)
	a, b := dl.Input(layers.Shape{2}), dl.Input(layers.Shape{3})
	sum := dl.Apply(layers.Add{}, dl.Apply(layers.Dense{Units: 4}, a), dl.Apply(layers.Dense{Units: 4}, b))
	out := dl.Apply(layers.Dense{Units: 1}, dl.Apply(layers.Activation{Activation: activations.Tanh}, sum))
	m, err := dl.Functional([]*dl.Symbol{a, b}, []*dl.Symbol{out})
	fatal(t, err)
	set(t, m, p.Two.Weights)
	one, err := explain.Joined(m)
	fatal(t, err)
	x, err := explain.Join(tensor.New(floats(p.Two.Inputs[0]), 2, 2), tensor.New(floats(p.Two.Inputs[1]), 2, 3))
	fatal(t, err)
	got, err := explain.IntegratedGradients{}.Attribute(one, x, explain.Target{})
	fatal(t, err)
	parts, err := explain.Split(m, got)
	fatal(t, err)
	for i, part := range parts {
		compare(t, "input", part, p.Two.Integrated[i])
	}
	if _, err := explain.Join(x, part(x, 1)); err == nil {
		t.Error("expected batches of different sizes to be refused")
	}
	if _, err := explain.Split(m, part(parts[0], 1)); err == nil {
		t.Error("expected attributions of another shape to be refused")
	}
}

// TestScikit compares importance and dependence with scikit-learn's.
func TestScikit(t *testing.T) {
	m, _, p := rows(t)
	x := tensor.New(floats(p.Table), 40, 6)
	got, err := explain.PartialDependence(m, x, explain.Class(1), []int{2}, slices.Collect(slices.Chunk(floats(p.Grid), 1)))
	fatal(t, err)
	for i, v := range got {
		if math.Abs(v-p.Dependence[i]) > 1e-4 {
			t.Errorf("partial dependence at %g: expected %g, got %g", p.Grid[i], p.Dependence[i], v)
		}
	}
	score := func(x *tensor.Tensor) (float64, error) {
		out, err := m.PredictOnBatch(x)
		if err != nil {
			return 0, err
		}
		flat, err := tensor.Flat[float32](out[0])
		sum := 0.0
		for i, y := range p.Truth {
			sum -= (float64(flat[3*i+1]) - y) * (float64(flat[3*i+1]) - y) / 40
		}
		return sum, err
	}
	all, err := explain.PermutationImportance(x, 300, 2, score)
	fatal(t, err)
	for i, one := range all {
		if want := p.Permuted[i]; math.Abs(one.Mean-want) > 0.02*want+5*one.Deviation/math.Sqrt(300) {
			t.Errorf("importance of column %d: expected %g, got %g", i, want, one.Mean)
		}
	}
}

// TestDirection compares TCAV's classifier with scikit-learn's.
func TestDirection(t *testing.T) {
	_, _, p := convolution(t)
	var a, b [][]float64
	for i := 0; i < 30; i++ {
		row := p.Labelled[3*i : 3*i+3]
		if i < 15 {
			a = append(a, row)
		} else {
			b = append(b, row)
		}
	}
	w, bias, err := explain.Logistic(a, b, 0.01)
	fatal(t, err)
	for i, v := range append(w, bias) {
		if math.Abs(v-p.Direction[i]) > 1e-4 {
			t.Errorf("expected %v, got %v and %g", p.Direction, w, bias)
		}
	}
}

// TestTCAV are a concept that moves the target, one that the model cannot see, and bad input.
func TestTCAV(t *testing.T) {
	m := weighted(t, [][]float64{{1, 0, 0, 1, 0, 0}, {0, 0}, {3, -1}, {0}},
		layers.Input{Shape: layers.Shape{3}}, layers.Dense{Units: 2, Activation: activations.Tanh, Name: "hidden"}, layers.Dense{Units: 1})
	r := rand.New(rand.NewPCG(1, 1))
	cloud := func(n int, move ...float64) *tensor.Tensor {
		var flat []float32
		for range n {
			for _, d := range move {
				flat = append(flat, float32(d+0.3*r.NormFloat64()))
			}
		}
		return tensor.New(flat, n, 3)
	}
	others, x := cloud(60, 0, 0, 0), cloud(20, 0, 0, 0)
	seen, err := explain.TCAV{Layer: "hidden", Concept: cloud(20, 1, 0, 0), Others: others}.Score(m, x, explain.Target{})
	fatal(t, err)
	if seen.Score < 0.99 || seen.P > 0.05 || seen.Accuracy < 0.9 {
		t.Errorf("expected a concept that is told and moves the target, got %+v", seen)
	}
	unseen, err := explain.TCAV{Layer: "hidden", Concept: cloud(20, 0, 0, 3), Others: others}.Score(m, x, explain.Target{})
	fatal(t, err)
	if unseen.Accuracy > 0.7 || unseen.P < 0.01 {
		t.Errorf("expected a concept that the layer does not know, got %+v", unseen)
	}
	for name, c := range map[string]explain.TCAV{
		"layer":  {Layer: "none", Concept: others, Others: others},
		"others": {Layer: "hidden", Concept: others, Others: others},
		"runs":   {Layer: "hidden", Runs: 1, Concept: others, Others: others},
		"nil":    {Layer: "hidden"},
	} {
		if _, err := c.Score(m, x, explain.Target{}); err == nil {
			t.Errorf("%s: expected an error", name)
		}
	}
}

// TestCounterfactual are the nearest of a linear model, which is known; whole numbers, columns
// that stay, and one of a curved model whose answer is what it says.
func TestCounterfactual(t *testing.T) {
	_, _, p := rows(t)
	data := tensor.New(floats(p.Table), 40, 6)
	m := weighted(t, [][]float64{{1, -2, 3, 0.5, -1, 2}, {0}}, layers.Input{Shape: layers.Shape{6}}, layers.Dense{Units: 1})
	x := tensor.New([]float32{1, 1, 1, 1, 1, 1}, 1, 6)
	c := explain.Counterfactual{Data: data}
	all, err := c.Find(m, x, explain.Target{}, 5, false) // from 3.5
	fatal(t, err)
	if a := all[0]; math.Abs(a.Value-5) > 1e-3 || len(a.Changed) != 1 || a.Changed[0] != 4 && a.Changed[0] != 1 {
		t.Errorf("expected one column moved until 5, got %+v", a)
	}
	c.Fixed, c.Whole = []int{1, 4}, []int{2}
	all, err = c.Find(m, x, explain.Target{}, 0, true)
	fatal(t, err)
	for _, f := range all[0].Changed {
		if f == 1 || f == 4 {
			t.Errorf("expected fixed columns to stay, got %+v", all[0])
		}
	}
	if v := float64(all[0].Row[2]); v != math.Round(v) || all[0].Value > 0 {
		t.Errorf("expected a whole number and a target of at most 0, got %+v", all[0])
	}
	curved, own, _ := rows(t)
	all, err = explain.Counterfactual{Data: data}.Find(curved, own, explain.Class(1), 0.3, false)
	fatal(t, err)
	for _, a := range all {
		out, err := curved.PredictOnBatch(tensor.New(a.Row, 1, 6))
		fatal(t, err)
		flat, err := tensor.Flat[float32](out[0])
		fatal(t, err)
		if math.Abs(float64(flat[1])-a.Value) > 1e-5 || a.Value < 0.3 {
			t.Errorf("expected a target of 0.3 at least, as the model says, got %g and %g", a.Value, flat[1])
		}
	}
	nan := tensor.New(append([]float32{float32(math.NaN())}, make([]float32, 11)...), 2, 6)
	for _, bad := range []explain.Counterfactual{{}, {Data: nan}, {Data: data, Fixed: []int{6}}, {Data: data, Steps: -1}} {
		if _, err := bad.Find(m, x, explain.Target{}, 5, false); err == nil {
			t.Errorf("expected %+v to be refused", bad)
		}
	}
}

// TestManyFeatures are a linear model's shares, which are known, of more features than sets can
// be tried of; and their sum, of a curved one.
func TestManyFeatures(t *testing.T) {
	const n = 40
	r := rand.New(rand.NewPCG(1, 2))
	w, flat := make([]float64, n), make([]float32, n)
	for i := range w {
		w[i], flat[i] = r.NormFloat64(), float32(r.NormFloat64())
	}
	m := weighted(t, [][]float64{w, {1}}, layers.Input{Shape: layers.Shape{n}}, layers.Dense{Units: 1})
	x := tensor.New(flat, 1, n)
	got, err := explain.KernelSHAP{Samples: 400}.Attribute(m, x, explain.Target{})
	fatal(t, err)
	want := make([]float64, n)
	for i := range want {
		want[i] = w[i] * float64(flat[i])
	}
	compare(t, "KernelSHAP", got, want)
	_, err = explain.KernelSHAP{Samples: 10}.Attribute(m, x, explain.Target{})
	if err == nil {
		t.Error("expected too few samples to be refused")
	}
	conv, images, p := convolution(t)
	for _, method := range []explain.Method{explain.DeepSHAP{}, explain.KernelSHAP{Samples: 600}} {
		a, err := method.Attribute(conv, part(images, 1), explain.Class(p.Target[0]))
		fatal(t, err)
		ig, err := explain.IntegratedGradients{Steps: 200}.Attribute(conv, part(images, 1), explain.Class(p.Target[0]))
		fatal(t, err)
		if s, w := total(t, a), total(t, ig); math.Abs(s-w) > 1e-3 {
			t.Errorf("%T: expected shares that add up to %g, got %g", method, w, s)
		}
	}
}

func total(t *testing.T, a *tensor.Tensor) (sum float64) {
	t.Helper()
	flat, err := tensor.Flat[float32](a)
	fatal(t, err)
	for _, v := range flat {
		sum += float64(v)
	}
	return sum
}

// TestSuperpixels are parts without gaps that hang together, and follow an edge.
func TestSuperpixels(t *testing.T) {
	const h, w = 24, 30
	img := make([]float32, h*w*3)
	for i := range img {
		if i/3%w > i/3/w { // an edge along the diagonal
			img[i] = 1
		}
	}
	groups, err := explain.Superpixels(tensor.New(img, h, w, 3), 12, 0)
	fatal(t, err)
	light := make(map[int]map[float32]int)
	for i := 0; i < len(img); i += 3 {
		if groups[i] != groups[i+1] || groups[i] != groups[i+2] {
			t.Fatal("expected the channels of a pixel in one part")
		}
		if light[groups[i]] == nil {
			light[groups[i]] = make(map[float32]int)
		}
		light[groups[i]][img[i]]++
	}
	if len(light) < 6 || len(light) > 20 {
		t.Errorf("expected about 12 parts, got %d", len(light))
	}
	mixed := 0
	for _, own := range light {
		mixed += min(own[0], own[1])
	}
	if mixed > h*w/50 {
		t.Errorf("expected parts of one colour, got %d pixels in others", mixed)
	}
	conv, x, p := convolution(t)
	own, err := explain.Superpixels(tensor.New(floats(p.X[:128]), 8, 8, 2), 8, 0)
	fatal(t, err)
	if _, err := (explain.LIME{Groups: own}).Attribute(conv, part(x, 1), explain.Class(0)); err != nil {
		t.Error(err)
	}
	if _, err := explain.Superpixels(tensor.New(img, h, w, 3), 0, 0); err == nil {
		t.Error("expected no parts to be refused")
	}
}
