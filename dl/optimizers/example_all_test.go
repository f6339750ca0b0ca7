package optimizers_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// steps prints a weight that begins with 1 after each of three steps towards 0.
func steps(o optimizers.Optimizer) {
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{1}}, layers.Dense{Units: 1, NoBias: true, KernelInitializer: initializers.Ones{}})
	if err != nil {
		panic(err)
	}
	if err := m.Compile(dl.CompileConfig{Loss: losses.MeanSquaredError{}, Optimizer: o}); err != nil {
		panic(err)
	}
	for range 3 {
		if _, err := m.TrainOnBatch(tensor.Of([][]float32{{1}}), tensor.Of([][]float32{{0}})); err != nil {
			panic(err)
		}
		w, err := m.Weights()
		if err != nil {
			panic(err)
		}
		fmt.Printf("%.4f ", w[0].Value().([][]float32)[0][0])
	}
	fmt.Println()
}

// halving is an optimizer of one's own: it takes half of the gradient, whatever the rate.
type halving struct{ optimizers.Options }

func (halving) Name() string             { return "halving" }
func (halving) Check() error             { return nil }
func (halving) Slots() []optimizers.Slot { return nil }
func (halving) Rate() float64            { return 0.5 }

func (h halving) Apply(s optimizers.Step, w, gradient *dl.Node, _ []*dl.Node) (*dl.Node, []*dl.Node) {
	return ops.Subtract(w, ops.Multiply(gradient, s.LearningRate)), nil
}

func ExampleAdadelta() {
	steps(optimizers.Adadelta{LearningRate: 0.1})
	// Output:
	// 0.9999 0.9997 0.9996
}

func ExampleAdagrad() {
	steps(optimizers.Adagrad{LearningRate: 0.1})
	// Output:
	// 0.9012 0.8347 0.7823
}

func ExampleAdamax() {
	steps(optimizers.Adamax{LearningRate: 0.1})
	// Output:
	// 0.9000 0.8052 0.7155
}

func ExampleLion() {
	steps(optimizers.Lion{LearningRate: 0.1})
	// Output:
	// 0.9000 0.8000 0.7000
}

func ExampleNadam() {
	steps(optimizers.Nadam{LearningRate: 0.1})
	// Output:
	// 0.8937 0.8202 0.7547
}

func ExampleRMSprop() {
	steps(optimizers.RMSprop{LearningRate: 0.1})
	// Output:
	// 0.6838 0.4989 0.3692
}

func ExampleStep() {
	steps(halving{})
	// Output:
	// 0.0000 0.0000 0.0000
}
