package losses_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/losses"
)

// Labels of the wrong kind are found before anything is computed.
func ExampleSparseCategoricalCrossentropy() {
	fmt.Println(losses.SparseCategoricalCrossentropy{}.Check([]int{10}, []int{10}))
	// Output: expected one class number an example (labels of shape []) for an output of shape [10], got labels of shape [10]; for one-hot labels use CategoricalCrossentropy
}
