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

func ExampleFlag() {
	flagged := audit.Flag([]float64{0.9, 0.8, 0.7, 0.5}, 0.5)
	fmt.Println(flagged, audit.Share(flagged, []int{1, 2}))
	// Output: [1 1 0 0] 0.5
}

func ExampleTable_Answers() {
	t, err := audit.Read(strings.NewReader(small), "paid", "no")
	fmt.Println(t.Answers(), err)
	// Output: [1 0 0 1] <nil>
}

// TestCredit: the table of credits is as its source describes it.
func TestCredit(t *testing.T) {
	table, err := audit.Read(datasets.GermanCredit(), "creditability", "bad")
	if err != nil {
		t.Fatal(err)
	}
	bad, good := table.Split(table.All())
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
