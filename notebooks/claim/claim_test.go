package claim_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gradbook/gradbook/notebooks/claim"
)

func ExampleThat() {
	defer func() { fmt.Println(recover()) }()
	accuracy := 0.93
	claim.That(accuracy > 0.9, "more than 90 %%")
	claim.That(accuracy > 0.98, "at least 98 %%, it is %.2f", accuracy)
	// Output: the text claims what is not so: at least 98 %, it is 0.93
}

func ExampleNear() {
	defer func() { fmt.Println(recover()) }()
	claim.Near("the halves", []float64{0.5, 1}, []float32{0.5, 1.001}, 1e-2)
	claim.Near("the halves", []float64{0.5, 1}, []float32{0.5, 1.001}, 1e-5)
	// Output: the text claims what is not so: the halves: number 1 is 1 and 1.001
}

func TestNear(t *testing.T) {
	for _, c := range [][2][]float64{{{1}, nil}, {{math.NaN()}, {math.NaN()}}, {{math.Inf(1)}, {1}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("expected %v and %v to differ", c[0], c[1])
				}
			}()
			claim.Near("", c[0], c[1], 1)
		}()
	}
}
