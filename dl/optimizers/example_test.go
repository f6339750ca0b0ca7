package optimizers_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/optimizers"
)

func ExampleAdam() {
	fmt.Println(optimizers.Adam{}.Rate(), optimizers.Adam{LearningRate: 3e-4}.Rate())
	// Output: 0.001 0.0003
}

func ExampleSGD() {
	fmt.Println(optimizers.SGD{Nesterov: true}.Check())
	// Output: optimizers.SGD: expected a Momentum above 0 with Nesterov, got 0
}
