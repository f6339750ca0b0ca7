package initializers_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gradbook/gradbook/dl/initializers"
)

func ExampleGlorotUniform() {
	values := initializers.GlorotUniform{}.Init([]int{2, 4}, rand.New(rand.NewPCG(1, 2)))
	limit := math.Sqrt(6.0 / (2 + 4))
	within := true
	for _, v := range values {
		within = within && math.Abs(float64(v)) <= limit
	}
	fmt.Println(len(values), within)
	// Output: 8 true
}

func ExampleConstant() {
	fmt.Println(initializers.Constant{Value: 0.5}.Init([]int{3}, nil))
	// Output: [0.5 0.5 0.5]
}
