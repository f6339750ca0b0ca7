package datasets_test

import (
	"fmt"

	"github.com/gradbook/gradbook/datasets"
)

func ExampleMNIST() {
	train, test, err := datasets.MNIST()
	if err != nil {
		panic(err)
	}
	labels, err := train.Take(5).Labels()
	if err != nil {
		panic(err)
	}
	fmt.Println(train.Len(), test.Len(), train.InputShape(), labels)
	// Output: 60000 10000 [28 28 1] [5 0 4 1 9]
}
