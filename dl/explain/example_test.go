package explain_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/explain"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// line is the model 2a − 3b.
func line() *dl.Model {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 1})
	if err == nil {
		err = m.SetWeights([]*tensor.Tensor{tensor.Of([][]float32{{2}, {-3}}), tensor.Of([]float32{0})})
	}
	if err != nil {
		panic(err)
	}
	return m
}

func show(a *tensor.Tensor, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	flat, err := tensor.Flat[float32](a)
	fmt.Printf("%.3g %v\n", flat, err)
}

var two = tensor.Of([][]float32{{1, 2}})

func ExampleMethod() {
	for _, m := range []explain.Method{explain.Saliency{}, explain.InputXGradient{}} {
		show(m.Attribute(line(), two, explain.Target{}))
	}
	// Output:
	// [2 3] <nil>
	// [2 -6] <nil>
}

func ExampleSaliency() {
	show(explain.Saliency{Signed: true}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -3] <nil>
}

func ExampleInputXGradient() {
	show(explain.InputXGradient{}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -6] <nil>
}

func ExampleSmoothGrad() {
	show(explain.SmoothGrad{}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -3] <nil>
}

func ExampleIntegratedGradients() {
	a, lacks, err := explain.IntegratedGradients{Baseline: tensor.Of([]float32{1, 1})}.Completeness(line(), two, explain.Target{})
	show(a, err)
	fmt.Printf("lacks %.1g\n", lacks[0])
	// Output:
	// [0 -3] <nil>
	// lacks 0
}

func ExampleOcclusion() {
	show(explain.Occlusion{}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -6] <nil>
}

func ExampleShapley() {
	show(explain.Shapley{}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -6] <nil>
}

func ExampleGradCAM() {
	show(explain.GradCAM{}.Attribute(line(), two, explain.Target{}))
	// Output:
	// explain: expected images, (batch, height, width, channels), for GradCAM, got (Float32)[1, 2]
}

func ExampleTarget() {
	show(explain.Saliency{}.Attribute(line(), two, explain.Target{Unit: 1}))
	// Output:
	// explain: expected a target in [0, 1), got 1 of example 0
}

func ExampleClass() {
	fmt.Println(explain.Class(7).Unit)
	// Output:
	// 7
}

func ExampleClasses() {
	fmt.Println(explain.Classes(7, 2).Units)
	// Output:
	// [7 2]
}

func ExamplePredicted() {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{2}}, layers.Dense{Units: 2})
	if err == nil {
		err = m.SetWeights([]*tensor.Tensor{tensor.Of([][]float32{{1, 0}, {0, 1}}), tensor.Of([]float32{0, 0})})
	}
	if err != nil {
		panic(err)
	}
	t, err := explain.Predicted(m, two)
	fmt.Println(t.Units, err)
	// Output:
	// [1] <nil>
}

func ExampleRandomization() {
	random, err := line().Clone()
	if err != nil {
		panic(err)
	}
	_, err = explain.Randomization(line(), random, two, explain.Target{}, 0.5)
	fmt.Println(err)
	// Output:
	// explain: expected at least one method, got none
}

func ExampleVerdict() {
	fmt.Println(explain.Verdict{Method: explain.Saliency{}, Similarity: 0.9, Fails: true}.Fails)
	// Output:
	// true
}

func ExampleGuidedBackprop() {
	show(explain.GuidedBackprop{}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -3] <nil>
}

func ExamplePermutationImportance() {
	x := tensor.Of([][]float32{{1, 5}, {2, 5}, {3, 5}})
	all, err := explain.PermutationImportance(x, 10, 1, func(x *tensor.Tensor) (float64, error) {
		flat, err := tensor.Flat[float32](x)
		return float64(flat[4] - flat[0]), err // of the last row and the first
	})
	fmt.Println(all[0].Mean > 0, all[1].Mean, err)
	// Output:
	// true 0 <nil>
}

func ExampleImportance() {
	_, err := explain.PermutationImportance(two, 1, 1, nil)
	fmt.Println(err)
	// Output:
	// explain: expected a table of two rows at least, and to shuffle once at least, got (Float32)[1, 2] and 1
}

func ExamplePartialDependence() {
	fmt.Println(explain.PartialDependence(line(), two, explain.Target{}, []int{1}, [][]float32{{0}, {1}}))
	// Output:
	// [2 -1] <nil>
}

func ExampleLRP() {
	show(explain.LRP{}.Attribute(line(), two, explain.Target{}))
	// Output:
	// [2 -6] <nil>
}
