package explain_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/explain"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

var rowsOfTwo = tensor.Of([][]float32{{0, 0}, {1, 1}, {2, 0}, {3, 3}})

func ExampleKernelSHAP() {
	show(explain.KernelSHAP{Background: rowsOfTwo}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [-1 -3] <nil>
}

func ExampleDeepSHAP() {
	show(explain.DeepSHAP{Background: rowsOfTwo}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [-1 -3] <nil>
}

func ExampleLIME() {
	show(explain.LIME{Ridge: 1e-9}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -6] <nil>
}

func ExampleLIMETable() { // slopes, for each standard deviation
	show(explain.LIMETable{Data: rowsOfTwo, Ridge: 1e-9}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2.24 -3.67] <nil>
}

func ExampleSuperpixels() {
	img := make([]float32, 4*6)
	for i := range img {
		img[i] = float32(i % 6 / 3) // dark on the left, light on the right
	}
	groups, err := explain.Superpixels(tensor.New(img, 4, 6, 1), 2, 0)
	fmt.Println(groups[:6], err)
	// Output:
	// [0 0 0 1 1 1] <nil>
}

func ExampleRule() {
	usual := explain.LRP{Rule: explain.GammaRule(0.25), Rules: map[string]explain.Rule{"dense": explain.EpsilonRule(0.1)}}
	_, err := usual.Attribute(line(), two, explain.Target{})
	fmt.Println(err)
	// Output:
	// <nil>
}

func ExampleEpsilonRule() {
	show(explain.LRP{Rule: explain.EpsilonRule(4)}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [1 -3] <nil>
}

func ExampleGammaRule() {
	show(explain.LRP{Rule: explain.GammaRule(0.5)}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [4 -8] <nil>
}

func ExampleAlphaBetaRule() {
	show(explain.LRP{Rule: explain.AlphaBetaRule(2, 1)}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [-8 4] <nil>
}

func ExampleJoined() {
	a, b := dl.Input(layers.Shape{1}), dl.Input(layers.Shape{2})
	sum := dl.Apply(layers.Dense{Units: 1}, dl.Apply(layers.Concatenate{}, a, b))
	m, err := dl.Functional([]*dl.Symbol{a, b}, []*dl.Symbol{sum})
	if err != nil {
		panic(err)
	}
	if err := m.SetWeights([]*tensor.Tensor{tensor.Of([][]float32{{1}, {2}, {3}}), tensor.Of([]float32{0})}); err != nil {
		panic(err)
	}
	one, err := explain.Joined(m)
	if err != nil {
		panic(err)
	}
	x, err := explain.Join(tensor.Of([][]float32{{1}}), tensor.Of([][]float32{{1, 1}}))
	if err != nil {
		panic(err)
	}
	all, err := explain.InputXGradient{}.Attribute(one, x, explain.Target{})
	if err != nil {
		panic(err)
	}
	parts, err := explain.Split(m, all)
	fmt.Println(parts[0].Value(), parts[1].Value(), err)
	// Output:
	// [[1]] [[2 3]] <nil>
}

func ExampleJoin() {
	x, err := explain.Join(tensor.Of([][]float32{{1}, {2}}), tensor.Of([][]float32{{3, 4}, {5, 6}}))
	fmt.Println(x.Value(), err)
	// Output:
	// [[1 3 4] [2 5 6]] <nil>
}

func ExampleSplit() {
	parts, err := explain.Split(line(), two) // a model of one input
	fmt.Println(parts[0].Value(), err)
	// Output:
	// [[1 2]] <nil>
}

// squares are rows near a place.
func squares(x, y float32, n int) *tensor.Tensor {
	var flat []float32
	for i := range n {
		flat = append(flat, x+float32(i%4)/4, y+float32(i/4%4)/4)
	}
	return tensor.New(flat, n, 2)
}

func ExampleTCAV() {
	concept := explain.TCAV{Layer: "dense", Concept: squares(1, 0, 16), Others: squares(-2, 0, 40)}
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 2, Name: "dense"}, layers.Dense{Units: 1})
	if err == nil {
		err = m.SetWeights([]*tensor.Tensor{
			tensor.Of([][]float32{{1, 0}, {0, 1}}), tensor.Of([]float32{0, 0}), tensor.Of([][]float32{{1}, {0}}), tensor.Of([]float32{0}),
		})
	}
	if err != nil {
		panic(err)
	}
	s, err := concept.Score(m, squares(0, 0, 4), explain.Target{})
	fmt.Printf("%.2f %.2f %v\n", s.Score, s.Accuracy, err)
	// Output:
	// 1.00 1.00 <nil>
}

func ExampleConceptScore() {
	s := explain.ConceptScore{Score: 0.9, Chance: 0.5, P: 0.001, Accuracy: 0.97}
	fmt.Println("told from others:", s.Accuracy > 0.8, "more than chance:", s.P < 0.05)
	// Output:
	// told from others: true more than chance: true
}

func ExampleCounterfactual() {
	c := explain.Counterfactual{Data: rowsOfTwo}
	all, err := c.Find(line(), two, explain.Target{}, 0, false) // from -4 to 0
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f, changed %v\n", all[0].Row, all[0].Changed)
	c.Fixed = []int{0, 1}
	_, err = c.Find(line(), two, explain.Target{}, 0, false)
	fmt.Println(errors.Is(err, explain.ErrNoCounterfactual))
	// Output:
	// [3.00 2.00], changed [0]
	// true
}

func ExampleAlternative() {
	a := explain.Alternative{Row: []float32{3, 2}, Value: 0, Changed: []int{0}, Distance: 2}
	fmt.Println(a.Changed, a.Distance)
	// Output:
	// [0] 2
}

func ExampleLabelRandomization() {
	fit := func(m *dl.Model, labels *tensor.Tensor) error {
		if err := m.Compile(dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 0.05}, Loss: losses.MeanSquaredError{}}); err != nil {
			return err
		}
		ds, err := data.New(squares(0, 0, 16), labels)
		if err == nil {
			_, err = m.Fit(context.Background(), ds, dl.FitConfig{Epochs: 20, BatchSize: 16, Silent: true})
		}
		return err
	}
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 8, Activation: activations.Tanh}, layers.Dense{Units: 1})
	if err != nil {
		panic(err)
	}
	var labels []float32
	for i := range 16 {
		labels = append(labels, float32(i%4))
	}
	y := tensor.New(labels, 16, 1)
	if err := fit(m, y); err != nil {
		panic(err)
	}
	all, err := explain.LabelRandomization(m, y, 1, fit, squares(0, 0, 16), explain.Target{}, 0.5, edges{})
	fmt.Println(all[0].Fails, err)
	// Output:
	// true <nil>
}
