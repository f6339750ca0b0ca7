package metrics_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/metrics"
)

// TestKeras compares each metric over a batch.
func TestKeras(t *testing.T) {
	fixture := kerastest.Load(t, "losses.npz")
	for _, m := range []metrics.Metric{
		metrics.SparseCategoricalAccuracy{},
		metrics.CategoricalAccuracy{},
		metrics.BinaryAccuracy{},
		metrics.MeanAbsoluteError{},
		metrics.MeanSquaredError{},
	} {
		t.Run(m.Name(), func(t *testing.T) { compare(t, fixture, m, m.Name()) })
	}
	// Accuracy is whichever of them fits.
	for _, name := range []string{"sparse_categorical_accuracy", "categorical_accuracy"} {
		t.Run("accuracy as "+name, func(t *testing.T) { compare(t, fixture, metrics.Accuracy{}, name) })
	}
}

func compare(t *testing.T, fixture kerastest.Fixture, m metrics.Metric, name string) {
	t.Helper()
	labels, output := fixture.Get(t, "metric_"+name+".labels"), fixture.Get(t, "metric_"+name+".output")
	if err := m.Check(labels.Shape().Dimensions[1:], output.Shape().Dimensions[1:]); err != nil {
		t.Fatal(err)
	}
	out := kerastest.Run(t, func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Reshape(graph.ReduceAllMean(m.Compute(in[0], in[1])), 1)}
	}, labels, output)
	kerastest.Close(t, m.Name(), out[0], fixture.Get(t, "metric_"+name+".value"), 1e-6)
}

func TestAccuracyOfOneOutput(t *testing.T) {
	if err := (metrics.Accuracy{}).Check(nil, []int{1}); err != nil {
		t.Error(err)
	}
	if err := (metrics.Accuracy{}).Check([]int{4}, []int{5}); err == nil {
		t.Error("labels of another shape: expected an error, got none")
	}
	if err := (metrics.BinaryAccuracy{Threshold: 1}).Check(nil, []int{1}); err == nil {
		t.Error("threshold of 1: expected an error, got none")
	}
}
