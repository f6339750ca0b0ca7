package optimizers_test

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/kerastest"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// TestKeras compares the weights after each of five steps.
func TestKeras(t *testing.T) {
	fixture := kerastest.Load(t, "optimizers.npz")
	for name, o := range map[string]optimizers.Optimizer{
		"sgd":          optimizers.SGD{},
		"sgd_momentum": optimizers.SGD{LearningRate: 0.1, Momentum: 0.9},
		"sgd_nesterov": optimizers.SGD{LearningRate: 0.1, Momentum: 0.9, Nesterov: true},
		"adam":         optimizers.Adam{},
		"adam_betas":   optimizers.Adam{LearningRate: 0.01, Beta1: 0.8, Beta2: 0.99, Epsilon: 1e-3},
	} {
		t.Run(name, func(t *testing.T) {
			if err := o.Check(); err != nil {
				t.Fatal(err)
			}
			want := fixture.Get(t, name)
			out := kerastest.Run(t, func(in []*graph.Node) []*graph.Node {
				return []*graph.Node{steps(o, in[0], in[1])}
			}, fixture.Get(t, "start"), fixture.Get(t, "gradients"))
			kerastest.Close(t, "weights", out[0], want, 1e-6)
		})
	}
}

// steps applies an optimizer to the gradients, one after the other, and stacks
// the weights after each.
func steps(o optimizers.Optimizer, w, gradients *graph.Node) *graph.Node {
	g := w.Graph()
	slots := make([]*graph.Node, len(o.Slots()))
	for i := range slots {
		slots[i] = graph.ZerosLike(w)
	}
	var all []*graph.Node
	for i := range gradients.Shape().Dimensions[0] {
		s := optimizers.Step{
			Iteration:    graph.Scalar(g, w.DType(), float64(i+1)),
			LearningRate: graph.Scalar(g, w.DType(), o.Rate()),
		}
		gradient := graph.Squeeze(graph.Slice(gradients, graph.AxisElem(i)), 0)
		w, slots = o.Apply(s, w, gradient, slots)
		all = append(all, w)
	}
	return graph.Stack(all, 0)
}

func TestCheck(t *testing.T) {
	for name, o := range map[string]optimizers.Optimizer{
		"negative rate":             optimizers.SGD{LearningRate: -1},
		"no number":                 optimizers.Adam{LearningRate: math.NaN()},
		"momentum of 1":             optimizers.SGD{Momentum: 1},
		"nesterov without momentum": optimizers.SGD{Nesterov: true},
		"beta of 1":                 optimizers.Adam{Beta2: 1},
		"negative epsilon":          optimizers.Adam{Epsilon: -1},
	} {
		if err := o.Check(); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
}
