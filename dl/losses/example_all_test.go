package losses_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// lossOf prints a loss of outputs by labels, over a batch.
func lossOf(l losses.Loss, labels, output any) {
	x := tensor.Of(output)
	m, err := dl.Sequential(layers.Input{Shape: x.Shape().Dimensions[1:]}, layers.Activation{Activation: activations.Linear})
	if err != nil {
		panic(err)
	}
	if err := m.Compile(dl.CompileConfig{Loss: l}); err != nil {
		panic(err)
	}
	logs, err := m.TestOnBatch(x, tensor.Of(labels))
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %.4f\n", l.Name(), logs["loss"])
}

func ExampleBinaryFocalCrossentropy() {
	lossOf(losses.BinaryFocalCrossentropy{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// binary_focal_crossentropy 0.0252
}

func ExampleCategoricalCrossentropy() {
	lossOf(losses.CategoricalCrossentropy{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// categorical_crossentropy 0.4338
}

func ExampleCategoricalFocalCrossentropy() {
	lossOf(losses.CategoricalFocalCrossentropy{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// categorical_focal_crossentropy 0.0142
}

func ExampleCategoricalHinge() {
	lossOf(losses.CategoricalHinge{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// categorical_hinge 0.6000
}

func ExampleCTC() {
	// Two steps that say 1 with a probability of 1/2 each, and nothing otherwise.
	lossOf(losses.CTC{}, [][]float32{{1}}, [][][]float32{{{0, 0}, {0, 0}}}) // −log(3/4)
	// Output:
	// ctc 0.2877
}

func ExampleCosineSimilarity() {
	lossOf(losses.CosineSimilarity{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// cosine_similarity -0.9793
}

func ExampleDice() {
	lossOf(losses.Dice{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// dice 0.2093
}

func ExampleHinge() {
	lossOf(losses.Hinge{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.5, -1}, {-0.3, 2}})
	// Output:
	// hinge 0.3000
}

func ExampleKLDivergence() {
	lossOf(losses.KLDivergence{}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}}, [][]float32{{0.6, 0.3, 0.1}, {0.2, 0.7, 0.1}})
	// Output:
	// kl_divergence 0.0280
}

func ExampleLogCosh() {
	lossOf(losses.LogCosh{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// log_cosh 0.1685
}

func ExampleMeanAbsoluteError() {
	lossOf(losses.MeanAbsoluteError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// mean_absolute_error 0.5000
}

func ExampleMeanAbsolutePercentageError() {
	lossOf(losses.MeanAbsolutePercentageError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// mean_absolute_percentage_error 23.9583
}

func ExampleMeanSquaredLogarithmicError() {
	lossOf(losses.MeanSquaredLogarithmicError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// mean_squared_logarithmic_error 0.0354
}

func ExamplePoisson() {
	lossOf(losses.Poisson{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// poisson 0.0281
}

func ExampleSquaredHinge() {
	lossOf(losses.SquaredHinge{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.5, -1}, {-0.3, 2}})
	// Output:
	// squared_hinge 0.1850
}

func ExampleTversky() {
	lossOf(losses.Tversky{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// tversky 0.2093
}

func ExampleFunc() {
	worst := losses.Func("worst", func(labels, output *dl.Node) *dl.Node {
		return ops.Max(ops.Absolute(ops.Subtract(labels, output)), -1)
	})
	lossOf(worst, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// worst 0.7500
}

func ExampleClasses() {
	var l losses.Loss = losses.SparseCategoricalCrossentropy{}
	if c, ok := l.(losses.Classes); ok {
		fmt.Println(c.NumClasses([]int{10}))
	}
	// Output:
	// 10 true
}

func ExampleFromLogits() {
	var l losses.Loss = losses.BinaryCrossentropy{}
	better, ok := l.(losses.FromLogits).OfLogits(activations.SigmoidLogits)
	fmt.Printf("%+v %v\n", better, ok)
	// Output:
	// {Logits:true LabelSmoothing:0} true
}
