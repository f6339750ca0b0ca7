package optimizers_test

import (
	"math"
	"testing"

	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/schedules"
)

func TestCheck(t *testing.T) {
	for name, o := range map[string]optimizers.Optimizer{
		"negative rate":             optimizers.SGD{LearningRate: -1},
		"no number":                 optimizers.Adam{LearningRate: math.NaN()},
		"momentum of 1":             optimizers.SGD{Momentum: 1},
		"nesterov without momentum": optimizers.SGD{Nesterov: true},
		"beta of 1":                 optimizers.Adam{Beta2: 1},
		"negative epsilon":          optimizers.Adam{Epsilon: -1},
		"two ways of clipping":      optimizers.SGD{Options: optimizers.Options{ClipNorm: 1, ClipValue: 1}},
		"negative weight decay":     optimizers.AdamW{WeightDecay: -1},
		"momentum of a mean":        optimizers.SGD{Options: optimizers.Options{EMAMomentum: 2}},
		"negative accumulation":     optimizers.SGD{Options: optimizers.Options{GradientAccumulationSteps: -1}},
		"a schedule of no steps":    optimizers.SGD{Options: optimizers.Options{Schedule: schedules.CosineDecay{InitialLearningRate: 1}}},
		"values that do not fit":    optimizers.SGD{Options: optimizers.Options{Schedule: schedules.PiecewiseConstantDecay{Boundaries: []int{1}, Values: []float64{1}}}},
	} {
		if err := o.Check(); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
}
