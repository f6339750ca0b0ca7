package tensor_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/tensor"
)

// isFloat says whether there are numbers between 0 and 1.
func isFloat(t tensor.DType) bool { return t.IsFloat() }

// first is the first number of a tensor of any type.
func first[T tensor.Number](t *tensor.Tensor) T {
	values, err := tensor.Flat[T](t)
	if err != nil {
		panic(err)
	}
	return values[0]
}

func ExampleOf() {
	x := tensor.Of([][]float32{{1, 2}, {3, 4}})
	fmt.Println(x.Shape().Dimensions, isFloat(x.DType()))
	// Output:
	// [2 2] true
}

func ExampleNew() {
	x := tensor.New([]int32{1, 2, 3, 4, 5, 6}, 2, 3)
	fmt.Println(x.Value())
	// Output:
	// [[1 2 3] [4 5 6]]
}

func ExampleFlat() {
	values, err := tensor.Flat[float32](tensor.Of([][]float32{{1, 2}, {3, 4}}))
	fmt.Println(values, err)
	// Output:
	// [1 2 3 4] <nil>
}

func ExampleNumber() {
	fmt.Println(first[int64](tensor.New([]int64{1, 2}, 2)))
	// Output:
	// 1
}
