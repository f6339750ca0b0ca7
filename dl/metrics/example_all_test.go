package metrics_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// nothing is a loss of 0, where only a metric is of interest.
var nothing = losses.Func("nothing", func(_, output *dl.Node) *dl.Node { return ops.Mean(ops.Multiply(output, 0), -1) })

// measure prints a metric of outputs by labels, over a batch.
func measure(m metrics.Metric, labels, output any) {
	x := tensor.Of(output)
	model, err := dl.Sequential(layers.Input{Shape: x.Shape().Dimensions[1:]}, layers.Activation{Activation: activations.Linear})
	if err != nil {
		panic(err)
	}
	if err := model.Compile(dl.CompileConfig{Loss: nothing, Metrics: []metrics.Metric{m}}); err != nil {
		panic(err)
	}
	logs, err := model.TestOnBatch(x, tensor.Of(labels))
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %.4f\n", m.Name(), logs[m.Name()])
}

func ExampleAUC() {
	measure(metrics.AUC{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// auc 1.0000
}

func ExampleBinaryAccuracy() {
	measure(metrics.BinaryAccuracy{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// binary_accuracy 1.0000
}

func ExampleBinaryCrossentropy() {
	measure(metrics.BinaryCrossentropy{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// binary_crossentropy 0.2656
}

func ExampleCategoricalAccuracy() {
	measure(metrics.CategoricalAccuracy{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// categorical_accuracy 1.0000
}

func ExampleCategoricalCrossentropy() {
	measure(metrics.CategoricalCrossentropy{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// categorical_crossentropy 0.4338
}

func ExampleCategoricalHinge() {
	measure(metrics.CategoricalHinge{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// categorical_hinge 0.6000
}

func ExampleCosineSimilarity() {
	measure(metrics.CosineSimilarity{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// cosine_similarity 0.9793
}

func ExampleF1Score() {
	measure(metrics.F1Score{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// f1_score 0.6667
}

func ExampleFBetaScore() {
	measure(metrics.FBetaScore{}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// fbeta_score 0.6667
}

func ExampleFalseNegatives() {
	measure(metrics.FalseNegatives{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// false_negatives 0.0000
}

func ExampleFalsePositives() {
	measure(metrics.FalsePositives{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// false_positives 0.0000
}

func ExampleHinge() {
	measure(metrics.Hinge{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.5, -1}, {-0.3, 2}})
	// Output:
	// hinge 0.3000
}

func ExampleKLDivergence() {
	measure(metrics.KLDivergence{}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}}, [][]float32{{0.6, 0.3, 0.1}, {0.2, 0.7, 0.1}})
	// Output:
	// kl_divergence 0.0280
}

func ExampleLogCoshError() {
	measure(metrics.LogCoshError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// logcosh 0.1685
}

func ExampleMeanAbsoluteError() {
	measure(metrics.MeanAbsoluteError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// mean_absolute_error 0.5000
}

func ExampleMeanAbsolutePercentageError() {
	measure(metrics.MeanAbsolutePercentageError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// mean_absolute_percentage_error 23.9583
}

func ExampleMeanSquaredError() {
	measure(metrics.MeanSquaredError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// mean_squared_error 0.3750
}

func ExampleMeanSquaredLogarithmicError() {
	measure(metrics.MeanSquaredLogarithmicError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// mean_squared_logarithmic_error 0.0354
}

func ExamplePerplexity() {
	measure(metrics.Perplexity{}, []int32{0, 2}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// perplexity 3.7796
}

func ExamplePoisson() {
	measure(metrics.Poisson{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// poisson 0.0281
}

func ExamplePrecision() {
	measure(metrics.Precision{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// precision 1.0000
}

func ExampleRecall() {
	measure(metrics.Recall{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// recall 1.0000
}

func ExampleRootMeanSquaredError() {
	measure(metrics.RootMeanSquaredError{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// root_mean_squared_error 0.6124
}

func ExampleSparseCategoricalAccuracy() {
	measure(metrics.SparseCategoricalAccuracy{}, []int32{0, 2}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// sparse_categorical_accuracy 0.5000
}

func ExampleSparseCategoricalCrossentropy() {
	measure(metrics.SparseCategoricalCrossentropy{}, []int32{0, 2}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// sparse_categorical_crossentropy 1.3296
}

func ExampleSquaredHinge() {
	measure(metrics.SquaredHinge{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.5, -1}, {-0.3, 2}})
	// Output:
	// squared_hinge 0.1850
}

func ExampleTrueNegatives() {
	measure(metrics.TrueNegatives{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// true_negatives 2.0000
}

func ExampleTruePositives() {
	measure(metrics.TruePositives{}, [][]float32{{1, 0}, {0, 1}}, [][]float32{{0.9, 0.2}, {0.4, 0.8}})
	// Output:
	// true_positives 2.0000
}

func ExampleR2Score() {
	measure(metrics.R2Score{}, [][]float32{{1, 2}, {3, 4}}, [][]float32{{1.5, 2}, {2, 4.5}})
	// Output:
	// r2_score 0.6250
}

func ExampleMeanIoU() {
	measure(metrics.MeanIoU{NumClasses: 3}, []int32{0, 2}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// mean_io_u 0.3333
}

func ExampleTopKCategoricalAccuracy() {
	measure(metrics.TopKCategoricalAccuracy{K: 2}, [][]float32{{1, 0, 0}, {0, 1, 0}}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// top_k_categorical_accuracy 1.0000
}

func ExampleSparseTopKCategoricalAccuracy() {
	measure(metrics.SparseTopKCategoricalAccuracy{K: 2}, []int32{0, 2}, [][]float32{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}})
	// Output:
	// sparse_top_k_categorical_accuracy 0.5000
}

func ExampleFunc() {
	within := metrics.Func("within_one", func(labels, output *dl.Node) *dl.Node {
		return ops.Cast(ops.LessEqual(ops.Absolute(ops.Subtract(labels, output)), 1), "float32")
	})
	measure(within, [][]float32{{1}, {2}, {5}}, [][]float32{{1.5}, {4}, {5}})
	// Output:
	// within_one 0.6667
}
