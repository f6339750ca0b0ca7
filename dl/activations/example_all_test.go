package activations_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/activations"
)

func ExampleLogits() {
	for _, a := range []activations.Activation{activations.Softmax, activations.Sigmoid, activations.ReLU} {
		logits := activations.NoLogits
		if p, ok := a.(activations.Probabilities); ok {
			logits = p.Logits()
		}
		fmt.Println(a.Name(), logits == activations.SoftmaxLogits, logits == activations.SigmoidLogits)
	}
	// Output:
	// softmax true false
	// sigmoid false true
	// relu false false
}

func ExampleLooped() {
	_, fast := activations.Tanh.(activations.Looped)
	_, other := activations.GELU.(activations.Looped)
	fmt.Println(fast, other)
	// Output:
	// true false
}
