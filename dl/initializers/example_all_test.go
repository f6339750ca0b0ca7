package initializers_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gradbook/gradbook/dl/initializers"
)

// show prints the first values of a matrix that is started so.
func show(i initializers.Initializer) {
	fmt.Printf("%.2f\n", i.Init([]int{2, 2}, rand.New(rand.NewPCG(1, 2))))
}

func ExampleGlorotNormal() {
	show(initializers.GlorotNormal{})
	// Output:
	// [0.31 0.06 0.16 -0.90]
}

func ExampleHeNormal() {
	show(initializers.HeNormal{})
	// Output:
	// [0.43 0.08 0.23 -1.28]
}

func ExampleHeUniform() {
	show(initializers.HeUniform{})
	// Output:
	// [0.61 -0.13 0.03 -0.24]
}

func ExampleIdentity() {
	show(initializers.Identity{})
	// Output:
	// [1.00 0.00 0.00 1.00]
}

func ExampleLeCunNormal() {
	show(initializers.LeCunNormal{})
	// Output:
	// [0.31 0.06 0.16 -0.90]
}

func ExampleLeCunUniform() {
	show(initializers.LeCunUniform{})
	// Output:
	// [0.43 -0.09 0.02 -0.17]
}

func ExampleOrthogonal() {
	show(initializers.Orthogonal{})
	// Output:
	// [0.98 0.19 0.19 -0.98]
}

func ExampleRandomNormal() {
	show(initializers.RandomNormal{})
	// Output:
	// [0.02 0.00 0.01 -0.06]
}

func ExampleRandomUniform() {
	show(initializers.RandomUniform{})
	// Output:
	// [0.02 -0.00 0.00 -0.01]
}

func ExampleTruncatedNormal() {
	show(initializers.TruncatedNormal{})
	// Output:
	// [0.02 0.00 0.01 -0.06]
}

func ExampleZeros() {
	show(initializers.Zeros{})
	// Output:
	// [0.00 0.00 0.00 0.00]
}

func ExampleVarianceScaling() {
	show(initializers.VarianceScaling{Scale: 2, Mode: initializers.FanOut})
	// Output:
	// [0.43 0.08 0.23 -1.28]
}
