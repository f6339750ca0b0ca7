// Package optimizers turns gradients into changes of a model's weights.
//
// The zero value of each is Keras's default.
//
//	dl.CompileConfig{Optimizer: optimizers.Adam{LearningRate: 3e-4}}
//
// Source: https://keras.io/api/optimizers/
package optimizers

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// Optimizer is a rule for one weight, applied to each in turn.
type Optimizer interface {
	// Name is Keras's name, for example "adam".
	Name() string
	// Check reports settings that cannot work.
	Check() error
	// Rate is the learning rate that training starts with.
	Rate() float64
	// Slots names the tensors that the rule remembers for each weight from step
	// to step. Each has the weight's shape and starts at zero.
	Slots() []string
	// Apply returns the weight's next value and that of its slots.
	Apply(s Step, weight, gradient *graph.Node, slots []*graph.Node) (next *graph.Node, nextSlots []*graph.Node)
}

// Step is what all weights of a training step share.
type Step struct {
	// Iteration counts steps from 1: a float32 scalar.
	Iteration *graph.Node
	// LearningRate is the rate of this step: a float32 scalar.
	LearningRate *graph.Node
}

func checkRate(rate float64) error {
	if rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
		return fmt.Errorf("expected a LearningRate above 0 (or 0 for the default), got %g", rate)
	}
	return nil
}

func checkFraction(name string, v float64) error {
	if !(v >= 0 && v < 1) {
		return fmt.Errorf("expected %s in [0, 1), got %g", name, v)
	}
	return nil
}

func orDefault(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}
