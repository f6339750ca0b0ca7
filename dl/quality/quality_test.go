package quality_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/gradbook/gradbook/dl/quality"
)

type peers struct {
	Labels          []int
	Probabilities   [][]float64
	Suspects        []int
	Calibrate       [][]float64
	CalibrateLabels []int `json:"calibrate_labels"`
	Test            [][]float64
	Sets            [][]bool
	Predictions     []float64
	Values          []float64
	Width           float64
	Logits          [][]float64
	LogitLabels     []int `json:"logit_labels"`
	Temperature     float64
	A, B            [][]float64
	Statistics, P   []float64
	Digits          [][]float64
	Pairs           [][2]int
}

func readPeers(t *testing.T) (p peers) {
	t.Helper()
	text, err := os.ReadFile("testdata/peers.json")
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestWrongLabels compares with cleanlab.
func TestWrongLabels(t *testing.T) {
	p := readPeers(t)
	all, err := quality.WrongLabels(p.Labels, p.Probabilities)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, s := range all {
		got = append(got, s.Index)
	}
	if !slices.Equal(got, p.Suspects) {
		t.Errorf("expected %v, got %v", p.Suspects, got)
	}
}

// TestConformalPeers compares with MAPIE.
func TestConformalPeers(t *testing.T) {
	p := readPeers(t)
	sets, err := quality.NewConformalSets(p.Calibrate, p.CalibrateLabels, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range p.Test {
		set, err := sets.Set(row)
		if err != nil {
			t.Fatal(err)
		}
		for k, in := range p.Sets[i] {
			if slices.Contains(set, k) != in {
				t.Errorf("example %d: expected %v, got %v", i, p.Sets[i], set)
			}
		}
	}
	intervals, err := quality.NewConformalIntervals(p.Predictions, p.Values, 0.1)
	if err != nil || math.Abs(intervals.Width-p.Width) > 1e-9 {
		t.Errorf("expected a width of %.12g, got %.12g, %v", p.Width, intervals.Width, err)
	}
}

// TestCoverage draws a calibration and a new example 1,000 times.
func TestCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	draw := func() (p []float64, y int) { // of a model that is not right about anything
		a, b := r.Float64(), r.Float64()
		p = []float64{a / (a + b + 0.3), b / (a + b + 0.3), 0.3 / (a + b + 0.3)}
		return p, r.IntN(3) * r.IntN(2)
	}
	const draws, alpha = 1000, 0.2
	covered, within := 0, 0
	for range draws {
		var all [][]float64
		var labels []int
		var predictions, values []float64
		for range 49 { // (49+1)·0.8 is whole: coverage is exactly 0.8, but for ties
			p, y := draw()
			all, labels = append(all, p), append(labels, y)
			predictions, values = append(predictions, p[0]), append(values, float64(y)+r.NormFloat64())
		}
		sets, err := quality.NewConformalSets(all, labels, alpha)
		if err != nil {
			t.Fatal(err)
		}
		p, y := draw()
		set, err := sets.Set(p)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(set, y) {
			covered++
		}
		intervals, err := quality.NewConformalIntervals(predictions, values, alpha)
		if err != nil {
			t.Fatal(err)
		}
		low, high := intervals.Interval(p[0])
		if v := float64(y) + r.NormFloat64(); low <= v && v <= high {
			within++
		}
	}
	b := distuv.Binomial{N: draws, P: 1 - alpha}
	for _, k := range []int{covered, within} {
		if b.CDF(float64(k)) < 0.001 || b.CDF(float64(k)) > 0.999 {
			t.Errorf("expected about %g of %d to be covered, got %d", draws*(1-alpha), draws, k)
		}
	}
}

// TestTemperature compares with SciPy's optimizer.
func TestTemperature(t *testing.T) {
	p := readPeers(t)
	got, err := quality.Temperature(p.Logits, p.LogitLabels)
	if err != nil || math.Abs(got-p.Temperature) > 1e-5*p.Temperature {
		t.Errorf("expected %.8g, got %.8g, %v", p.Temperature, got, err)
	}
}

// TestShift compares with SciPy; and counts how often something is found where nothing is.
func TestShift(t *testing.T) {
	p := readPeers(t)
	got, err := quality.Shift([]string{"x", "y", "z"}, p.A, p.B, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range got {
		// SciPy has the one-sample statistic's distribution for as many rows.
		if math.Abs(s.Statistic-p.Statistics[i]) > 1e-12 || math.Abs(s.P-p.P[i]) > 0.015 {
			t.Errorf("column %d: expected %.6g with p = %.6g, got %.6g with %.6g", i, p.Statistics[i], p.P[i], s.Statistic, s.P)
		}
		if s.Found != (i == 1) {
			t.Errorf("expected the shift of the second column to be found, and no other, got %+v", s)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	const draws = 400
	alarms := 0
	for range draws {
		var a, b [][]float64
		for range 5 {
			x, y := make([]float64, 200), make([]float64, 150)
			for i := range x {
				x[i] = r.NormFloat64()
			}
			for i := range y {
				y[i] = r.NormFloat64()
			}
			a, b = append(a, x), append(b, y)
		}
		all, err := quality.Shift([]string{"1", "2", "3", "4", "5"}, a, b, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(all, func(s quality.Shifted) bool { return s.Found }) {
			alarms++
		}
	}
	if most := (distuv.Binomial{N: draws, P: 0.1}); most.CDF(float64(alarms)) > 0.999 {
		t.Errorf("expected false alarms in a tenth of %d draws at most, got %d", draws, alarms)
	}
}

// TestDuplicates compares with scikit-learn's neighbours.
func TestDuplicates(t *testing.T) {
	p := readPeers(t)
	got, err := quality.Duplicates(p.Digits, 12)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(p.Pairs) {
		t.Fatalf("expected %d pairs, got %d", len(p.Pairs), len(got))
	}
	for i, pair := range got {
		if [2]int{pair.A, pair.B} != p.Pairs[i] {
			t.Errorf("expected %v, got %v", p.Pairs[i], pair)
		}
	}
}

func TestLearningCurve(t *testing.T) {
	var sizes []int
	var errors []float64
	for n := 50; n <= 3200; n *= 2 {
		sizes, errors = append(sizes, n), append(errors, 0.05+2*math.Pow(float64(n), -0.5))
	}
	c, err := quality.LearningCurve(sizes, errors)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(c.Floor-0.05) > 2e-3 || math.Abs(c.Power-0.5) > 0.02 {
		t.Errorf("expected 0.05 + 2·n^−0.5, got %+v", c)
	}
	if _, err := c.At(32001); err == nil {
		t.Error("expected the curve to refuse to look far ahead")
	}
}

func TestBadInput(t *testing.T) {
	p := [][]float64{{0.5, 0.5}, {0.2, 0.8}}
	for want, f := range map[string]func() error{
		"got 1.5 in row 0":   func() error { _, err := quality.WrongLabels([]int{0}, [][]float64{{1.5, -0.5}}); return err },
		"got NaN":            func() error { _, err := quality.WrongLabels([]int{0}, [][]float64{{math.NaN(), 1}}); return err },
		"labels in [0, 2)":   func() error { _, err := quality.WrongLabels([]int{0, 2}, p); return err },
		"α in (0, 1), got 0": func() error { _, err := quality.NewConformalSets(p, []int{0, 1}, 0); return err },
		"at least 9":         func() error { _, err := quality.NewConformalSets(p, []int{0, 1}, 0.1); return err },
		"finite numbers": func() error {
			_, err := quality.NewConformalIntervals([]float64{math.NaN()}, []float64{1}, 0.5)
			return err
		},
		"finite logits":        func() error { _, err := quality.Temperature([][]float64{{math.Inf(1), 0}}, []int{0}); return err },
		"some wrong, got none": func() error { _, err := quality.Temperature([][]float64{{1, 0}}, []int{0}); return err },
		"worse than nothing":   func() error { _, err := quality.Temperature([][]float64{{1, 0}}, []int{1}); return err },
		"four different":       func() error { _, err := quality.LearningCurve([]int{1, 1, 2, 3}, make([]float64, 4)); return err },
		`column "x"`: func() error {
			_, err := quality.Shift([]string{"x"}, [][]float64{{}}, [][]float64{{1}}, 0.1)
			return err
		},
		"got NaN in row 1":       func() error { _, err := quality.Duplicates([][]float64{{1}, {math.NaN()}}, 1); return err },
		"distance of at least 0": func() error { _, err := quality.Duplicates([][]float64{{1}}, -1); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}

func ExampleWrongLabels() {
	p := [][]float64{{0.9, 0.1}, {0.8, 0.2}, {0.1, 0.9}, {0.05, 0.95}, {0.9, 0.1}}
	all, err := quality.WrongLabels([]int{0, 0, 1, 1, 1}, p)
	fmt.Printf("%+v %v\n", all, err)
	// Output:
	// [{Index:4 Label:1 Likely:0 Confidence:0.1}] <nil>
}

func ExampleSuspect() {
	all, err := quality.WrongLabels([]int{0, 1}, [][]float64{{0.9, 0.1}, {0.2, 0.8}})
	fmt.Println(len(all), err)
	// Output:
	// 0 <nil>
}

func ExampleNewConformalSets() {
	p := [][]float64{{0.7, 0.2, 0.1}, {0.3, 0.6, 0.1}, {0.1, 0.1, 0.8}, {0.4, 0.5, 0.1}}
	sets, err := quality.NewConformalSets(p, []int{0, 1, 2, 0}, 0.2)
	if err != nil {
		panic(err)
	}
	fmt.Println(sets.Set([]float64{0.45, 0.45, 0.1}))
	// Output:
	// [0 1] <nil>
}

func ExampleConformalSets() {
	_, err := quality.NewConformalSets([][]float64{{0.7, 0.3}}, []int{0}, 0.1)
	fmt.Println(err)
	// Output:
	// quality: expected at least 9 examples to calibrate with for α = 0.1, got 1
}

func ExampleNewConformalIntervals() {
	c, err := quality.NewConformalIntervals([]float64{1, 2, 3, 4}, []float64{1.1, 1.8, 3.3, 4}, 0.2)
	if err != nil {
		panic(err)
	}
	low, high := c.Interval(5)
	fmt.Printf("%.1f to %.1f\n", low, high)
	// Output:
	// 4.7 to 5.3
}

func ExampleConformalIntervals() {
	_, err := quality.NewConformalIntervals([]float64{1}, nil, 0.2)
	fmt.Println(err)
	// Output:
	// quality: expected as many predictions as values, got 1 and 0
}

func ExampleTemperature() {
	t, err := quality.Temperature([][]float64{{8, 0}, {8, 0}, {8, 0}, {8, 0}}, []int{0, 0, 0, 1})
	fmt.Printf("%.2f %v\n", t, err) // 3 of 4: e^(8/t) = 3
	// Output:
	// 7.28 <nil>
}

func ExampleDuplicates() {
	pairs, err := quality.Duplicates([][]float64{{1, 2}, {5, 5}, {1, 2.1}}, 0.2)
	fmt.Printf("%d and %d: %.1f %v\n", pairs[0].A, pairs[0].B, pairs[0].Distance, err)
	// Output:
	// 0 and 2: 0.1 <nil>
}

func ExampleLeaks() {
	pairs, err := quality.Leaks([][]float64{{1, 2}, {3, 4}}, [][]float64{{3, 4}}, 0)
	fmt.Println(pairs, err)
	// Output:
	// [{1 0 0}] <nil>
}

func ExamplePair() {
	pairs, err := quality.Duplicates([][]float64{{0, 0}, {3, 4}}, 5)
	fmt.Println(pairs[0].Distance, err)
	// Output:
	// 5 <nil>
}

func ExampleShift() {
	var before, after []float64
	for i := range 100 {
		before, after = append(before, float64(i)), append(after, float64(i)+30)
	}
	all, err := quality.Shift([]string{"age"}, [][]float64{before}, [][]float64{after}, 0.05)
	fmt.Printf("%s %.2f %v %v\n", all[0].Column, all[0].Statistic, all[0].Found, err)
	// Output:
	// age 0.30 true <nil>
}

func ExampleShifted() {
	all, err := quality.Shift([]string{"age"}, [][]float64{{1, 2, 3}}, [][]float64{{1, 2, 3}}, 0.05)
	fmt.Println(all[0].P, all[0].Found, err)
	// Output:
	// 1 false <nil>
}

func ExampleLearningCurve() {
	c, err := quality.LearningCurve([]int{100, 400, 1600, 6400}, []float64{0.3, 0.2, 0.15, 0.125})
	if err != nil {
		panic(err)
	}
	more, err := c.At(25600)
	fmt.Printf("%.3f, of which %.2f stay %v\n", more, c.Floor, err)
	// Output:
	// 0.112, of which 0.10 stay <nil>
}

func ExampleCurve() {
	_, err := quality.LearningCurve([]int{100}, []float64{0.3})
	fmt.Println(err)
	// Output:
	// quality: expected errors for four different numbers of examples at least, from 1 on, got [100]
}
