package activations_test

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
)

func ExampleFunc() {
	square := activations.Func("square", graph.Square)
	fmt.Println(square.Name())
	// Output: square
}

func ExampleGet() {
	a, err := activations.Get("swish")
	fmt.Println(a, err)
	_, err = activations.Get("rleu")
	fmt.Println(err)
	// Output:
	// silu <nil>
	// activations: unknown activation "rleu"; there are celu, elu, exponential, gelu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink
}
