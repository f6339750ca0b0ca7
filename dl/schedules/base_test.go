package schedules_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/schedules"
)

// Halving halves the rate in each of the first steps.
type Halving struct {
	schedules.Base
	From float64
}

// Rate implements schedules.Schedule.
func (h Halving) Rate(step int) float64 { return h.From / float64(int(1)<<min(step, 20)) }

func ExampleBase() {
	var s schedules.Schedule = Halving{From: 0.1}
	fmt.Println(s.Rate(0), s.Rate(1), s.Rate(2), s.Check())
	// Output: 0.1 0.05 0.025 <nil>
}
