package schedules_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/schedules"
)

func ExampleExponentialDecay() {
	s := schedules.ExponentialDecay{InitialLearningRate: 0.1, DecaySteps: 10, DecayRate: 0.5, Staircase: true}
	fmt.Println(s.Rate(0), s.Rate(9), s.Rate(10), s.Rate(20))
	// Output: 0.1 0.1 0.05 0.025
}

func ExampleCosineDecay() {
	s := schedules.CosineDecay{WarmupTarget: 1, WarmupSteps: 4, DecaySteps: 10}
	fmt.Printf("%.2f %.2f %.2f %.2f\n", s.Rate(2), s.Rate(4), s.Rate(9), s.Rate(14))
	// Output: 0.50 1.00 0.50 0.00
}

func ExampleCosineDecayRestarts() {
	s := schedules.CosineDecayRestarts{InitialLearningRate: 1, FirstDecaySteps: 10}
	fmt.Printf("%.2f %.2f %.2f\n", s.Rate(0), s.Rate(5), s.Rate(10))
	// Output: 1.00 0.50 1.00
}

func ExamplePiecewiseConstantDecay() {
	s := schedules.PiecewiseConstantDecay{Boundaries: []int{10}, Values: []float64{0.1, 0.01}}
	fmt.Println(s.Rate(10), s.Rate(11))
	// Output: 0.1 0.01
}

func ExamplePolynomialDecay() {
	s := schedules.PolynomialDecay{InitialLearningRate: 1, EndLearningRate: 0.5, DecaySteps: 10}
	fmt.Println(s.Rate(0), s.Rate(5), s.Rate(100))
	// Output: 1 0.75 0.5
}

func ExampleInverseTimeDecay() {
	s := schedules.InverseTimeDecay{InitialLearningRate: 1, DecaySteps: 10, DecayRate: 1}
	fmt.Println(s.Rate(0), s.Rate(10))
	// Output: 1 0.5
}
