package classic_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/stat"

	"github.com/gradbook/gradbook/datasets"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/notebooks/classic"
)

func Example() {
	x := [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}} // exclusive or
	y := []int{0, 1, 1, 0}
	for _, c := range []classic.Classifier{&classic.Logistic{}, &classic.SVM{C: 100}, &classic.SVM{C: 100, Gamma: 1}, &classic.Tree{}} {
		if err := c.Fit(x, y); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%T: %.2f\n", c, classic.Accuracy(c, x, y))
	}
	// Output:
	// *classic.Logistic: 0.50
	// *classic.SVM: 0.50
	// *classic.SVM: 1.00
	// *classic.Tree: 1.00
}

// table is one of scikit-learn's, scaled as peers.py scales it, its even and odd rows.
func table(t *testing.T, d *data.Dataset) (x [2][][]float64, y [2][]int) {
	t.Helper()
	labels, err := d.Labels()
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]float64
	for batch, err := range d.Batch(1).Batches() {
		if err != nil {
			t.Fatal(err)
		}
		var row []float64
		for _, v := range tensors.MustCopyFlatData[float32](batch.X) {
			row = append(row, float64(v))
		}
		rows = append(rows, row)
	}
	for k := range rows[0] {
		column := make([]float64, len(rows))
		for i := range rows {
			column[i] = rows[i][k]
		}
		mean, deviation := stat.PopMeanStdDev(column, nil)
		for i := range rows {
			rows[i][k] = (rows[i][k] - mean) / deviation
		}
	}
	for i := range rows {
		x[i%2], y[i%2] = append(x[i%2], rows[i]), append(y[i%2], labels[i])
	}
	return x, y
}

// TestPeers: the methods find what scikit-learn's find.
func TestPeers(t *testing.T) {
	raw, err := os.ReadFile("testdata/peers.json")
	if err != nil {
		t.Fatal(err)
	}
	var peers map[string]json.RawMessage
	if err := json.Unmarshal(raw, &peers); err != nil {
		t.Fatal(err)
	}
	iris, err := datasets.Iris()
	cancer, err2 := datasets.BreastCancer()
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for name, d := range map[string]*data.Dataset{"iris": iris, "cancer": cancer} {
		var want struct {
			Logistic     [][]float64
			Linear       []float64
			RBF          []float64
			Tree, Forest []float64
		}
		if err := json.Unmarshal(peers[name], &want); err != nil {
			t.Fatal(err)
		}
		x, y := table(t, d)
		fit := func(c classic.Classifier) classic.Classifier {
			if err := c.Fit(x[0], y[0]); err != nil {
				t.Fatal(err)
			}
			return c
		}
		l := fit(&classic.Logistic{C: 0.5}).(*classic.Logistic)
		for i, p := range l.Probabilities(x[1]) {
			for k := range p {
				if math.Abs(p[k]-want.Logistic[i][k]) > 1e-3 {
					t.Fatalf("%s: logistic regression: row %d: expected %v, got %v", name, i, want.Logistic[i], p)
				}
			}
		}
		if name == "cancer" {
			for gamma, decisions := range map[float64][]float64{0: want.Linear, 0.05: want.RBF} {
				s := fit(&classic.SVM{C: 2, Gamma: gamma}).(*classic.SVM)
				for i, row := range x[1] {
					if got := s.Decision(row); math.Abs(got-decisions[i]) > 5e-3*max(1, math.Abs(decisions[i])) {
						t.Fatalf("%s: support vector machine with γ %v: row %d: expected %v, got %v", name, gamma, i, decisions[i], got)
					}
				}
			}
		} else {
			differ := 0
			for i, k := range fit(&classic.SVM{C: 2, Gamma: 0.2}).Predict(x[1]) {
				if k != int(want.RBF[i]) {
					differ++
				}
			}
			if differ > 0 {
				t.Errorf("%s: support vector machine: %d of %d differ", name, differ, len(x[1]))
			}
		}
		for depth, score := range want.Tree {
			if got := classic.Accuracy(fit(&classic.Tree{Depth: depth + 1}), x[0], y[0]); math.Abs(got-score) > 1e-9 {
				t.Errorf("%s: tree of %d questions: expected %v, got %v", name, depth+1, score, got)
			}
		}
		mean := 0.0
		for seed := range uint64(5) {
			mean += classic.Accuracy(fit(&classic.Forest{Seed: seed}), x[1], y[1]) / 5
		}
		if math.Abs(mean-stat.Mean(want.Forest, nil)) > 0.015 {
			t.Errorf("%s: forest: expected %v on average, got %v", name, stat.Mean(want.Forest, nil), mean)
		}
	}
}

// TestMistakes: what cannot be learned from is an error that says why.
func TestMistakes(t *testing.T) {
	for want, c := range map[string]struct {
		x [][]float64
		y []int
	}{
		"a class for each":   {[][]float64{{1}}, nil},
		"two classes":        {[][]float64{{1}, {2}}, []int{0, 0}},
		"expected 1 numbers": {[][]float64{{1}, {1, 2}}, []int{0, 1}},
		"finite numbers":     {[][]float64{{1}, {math.NaN()}}, []int{0, 1}},
		"a class from 0":     {[][]float64{{1}, {2}}, []int{1, -1}},
	} {
		for _, m := range []classic.Classifier{&classic.Logistic{}, &classic.SVM{}, &classic.Tree{}, &classic.Forest{}} {
			if err := m.Fit(c.x, c.y); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%T: expected an error with %q, got %v", m, want, err)
			}
		}
	}
	if !slices.Equal((&classic.Tree{}).Predict(nil), []int{}) {
		t.Error("expected no classes of no rows")
	}
}
