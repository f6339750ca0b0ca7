package audit_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/notebooks/audit"
)

const small = "age,job,paid\n20,cook,no\n30,nurse,yes\n40,cook,yes\n50,smith,no\n"

func ExampleRead() {
	t, err := audit.Read(strings.NewReader(small), "paid", "no")
	fmt.Println(t.Names, t.Rows[3], t.Positive, err)
	fmt.Println(t.Without("job").Names, t.Scaled([]int{0, 1})[2][0])
	_, err = audit.Read(strings.NewReader(small), "wage", "no")
	fmt.Println(err)
	// Output:
	// [age job = cook job = nurse job = smith] [50 0 0 1] [true false false true] <nil>
	// [age] 3
	// audit: expected a column "wage", got ["age" "job" "paid"]
}

func ExampleAUC() {
	scores := []float64{0.9, 0.4, 0.4, 0.1}
	fmt.Println(audit.AUC(scores, []int{0, 1}, []int{2, 3}))
	// Output: 0.875
}

func ExampleDifference() {
	flagged := make([]bool, 200)
	var a, b []int
	for i := range flagged {
		if i < 100 {
			a, flagged[i] = append(a, i), i < 60
		} else {
			b, flagged[i] = append(b, i), i < 130
		}
	}
	d, low, high := audit.Difference(flagged, a, b)
	fmt.Printf("%.2f (%.1f to %.1f)\n", d, low, high) // a normal approximation: 0.30 ± 0.13
	// Output: 0.30 (0.2 to 0.4)
}

func ExampleTable_Fair() {
	t, err := audit.Read(strings.NewReader("age,paid\n1,no\n1,yes\n1,yes\n9,no\n9,yes\n9,yes\n"), "paid", "no")
	scores := []float64{0.9, 0.8, 0.7, 0.5, 0.4, 0.1}
	young := func(i int) bool { return t.Values("age")[i] < 5 }
	fmt.Println(audit.Flag(scores, 0.5), t.Fair(scores, 0.5, young), err)
	// Output: [true true true false false false] [true true false true true false] <nil>
}

// TestCredit: the table of credits is as its source describes it.
func TestCredit(t *testing.T) {
	table, err := audit.Read(datasets.GermanCredit(), "creditability", "bad")
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, len(table.Rows))
	for i := range all {
		all[i] = i
	}
	bad, good := table.Split(all)
	if len(bad) != 300 || len(good) != 700 || len(table.Names) != 61 {
		t.Errorf("expected 300 bad and 700 good credits in 61 columns, got %d, %d and %d", len(bad), len(good), len(table.Names))
	}
	a, b := table.Halves(1)
	if len(a) != 500 || len(b) != 500 {
		t.Errorf("expected halves, got %d and %d", len(a), len(b))
	}
	mean := 0.0
	for _, i := range a {
		mean += float64(table.Scaled(a)[i][1]) / 500
	}
	if math.Abs(mean) > 1e-3 {
		t.Errorf("expected a mean of 0 where it was taken, got %v", mean)
	}
}
