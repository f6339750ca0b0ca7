package losses_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/losses"
)

// TestKeras compares each loss, as the mean over a batch, and its gradient by
// the output.
func TestKeras(t *testing.T) {
	fixture := kerastest.Load(t, "losses.npz")
	for name, loss := range map[string]losses.Loss{
		"sparse":             losses.SparseCategoricalCrossentropy{},
		"sparse_logits":      losses.SparseCategoricalCrossentropy{Logits: true},
		"categorical":        losses.CategoricalCrossentropy{},
		"categorical_logits": losses.CategoricalCrossentropy{Logits: true},
		"categorical_smooth": losses.CategoricalCrossentropy{Logits: true, LabelSmoothing: 0.1},
		"binary":             losses.BinaryCrossentropy{},
		"binary_logits":      losses.BinaryCrossentropy{Logits: true},
		"binary_smooth":      losses.BinaryCrossentropy{Logits: true, LabelSmoothing: 0.2},
		"mse":                losses.MeanSquaredError{},
	} {
		t.Run(name, func(t *testing.T) {
			labels, output := fixture.Get(t, name+".labels"), fixture.Get(t, name+".output")
			if err := loss.Check(labels.Shape().Dimensions[1:], output.Shape().Dimensions[1:]); err != nil {
				t.Fatal(err)
			}
			out := kerastest.Run(t, func(in []*graph.Node) []*graph.Node {
				mean := graph.ReduceAllMean(loss.Compute(in[0], in[1]))
				return []*graph.Node{graph.Reshape(mean, 1), graph.Gradient(mean, in[1])[0]}
			}, labels, output)
			kerastest.Close(t, "loss", out[0], fixture.Get(t, name+".loss"), 1e-5)
			kerastest.Close(t, "gradient", out[1], fixture.Get(t, name+".gradient"), 1e-5)
		})
	}
}

// TestLogits computes losses of logits so large that their probabilities are 0
// and 1 in float32: the loss is still exact, and the gradient finite.
func TestLogits(t *testing.T) {
	logits := tensors.FromValue([][]float32{{200, -200}, {-200, 200}})
	out := kerastest.Run(t, func(in []*graph.Node) []*graph.Node {
		loss := losses.SparseCategoricalCrossentropy{Logits: true}.Compute(in[0], in[1])
		return []*graph.Node{loss, graph.Gradient(graph.ReduceAllSum(loss), in[1])[0]}
	}, tensors.FromValue([]int32{0, 0}), logits)
	kerastest.Close(t, "loss", out[0], tensors.FromValue([]float32{0, 400}), 0)
	kerastest.Close(t, "gradient", out[1], tensors.FromValue([][]float32{{0, 0}, {-1, 1}}), 0)
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name           string
		loss           losses.Loss
		labels, output []int
		ok             bool
	}{
		{"class numbers", losses.SparseCategoricalCrossentropy{}, nil, []int{10}, true},
		{"class numbers with an axis", losses.SparseCategoricalCrossentropy{}, []int{1}, []int{10}, true},
		{"one-hot to sparse", losses.SparseCategoricalCrossentropy{}, []int{10}, []int{10}, false},
		{"class numbers to one-hot", losses.CategoricalCrossentropy{}, nil, []int{10}, false},
		{"other classes", losses.CategoricalCrossentropy{}, []int{9}, []int{10}, false},
		{"smoothing of 1", losses.CategoricalCrossentropy{LabelSmoothing: 1}, []int{10}, []int{10}, false},
		{"binary", losses.BinaryCrossentropy{}, nil, []int{1}, true},
		{"binary of two", losses.BinaryCrossentropy{}, nil, []int{2}, false},
		{"regression", losses.MeanSquaredError{}, []int{3}, []int{3}, true},
		{"regression of other size", losses.MeanSquaredError{}, []int{3}, []int{2}, false},
	} {
		if err := c.loss.Check(c.labels, c.output); (err == nil) != c.ok {
			t.Errorf("%s: labels %v, output %v: got %v", c.name, c.labels, c.output, err)
		}
	}
}
