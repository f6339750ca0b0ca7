package metrics_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/metrics"
)

// Accuracy takes class numbers and one-hot labels alike; others do not fit.
func ExampleAccuracy() {
	fmt.Println(metrics.Accuracy{}.Check(nil, []int{10}), metrics.Accuracy{}.Check([]int{10}, []int{10}))
	fmt.Println(metrics.Accuracy{}.Check([]int{3}, []int{10}) != nil)
	// Output:
	// <nil> <nil>
	// true
}
