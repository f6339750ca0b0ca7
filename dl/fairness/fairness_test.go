package fairness_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/fairness"
)

type peerCase struct {
	Labels, Selected       []int
	Groups                 []string
	DemographicParity      float64   `json:"demographic_parity"`
	DemographicParityRatio float64   `json:"demographic_parity_ratio"`
	EqualOpportunity       float64   `json:"equal_opportunity"`
	EqualizedOdds          float64   `json:"equalized_odds"`
	PredictiveParity       *float64  `json:"predictive_parity"`
	ParityAIF360           float64   `json:"parity_aif360"`
	FalsePositives         float64   `json:"false_positives"`
	Weights                []float64 `json:"weights"`
}

// TestPeers compares with fairlearn and aif360.
func TestPeers(t *testing.T) {
	text, err := os.ReadFile("testdata/peers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []peerCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 6 {
		t.Fatalf("expected 6 cases, got %d", len(cases))
	}
	for i, c := range cases {
		r, err := fairness.Measure(fairness.Cases{Labels: c.Labels, Selected: c.Selected, Groups: c.Groups})
		if err != nil {
			t.Fatal(err)
		}
		same := func(name string, got, want float64) {
			t.Helper()
			if math.Abs(got-want) > 1e-9 {
				t.Errorf("case %d: %s: expected %.12g, got %.12g", i, name, want, got)
			}
		}
		same("demographic parity", r.DemographicParity.Value(), c.DemographicParity)
		same("its ratio", r.DemographicParity.Ratio(), c.DemographicParityRatio)
		same("equal opportunity", r.EqualOpportunity.Value(), c.EqualOpportunity)
		same("equalized odds", r.EqualizedOdds(), c.EqualizedOdds)
		if c.PredictiveParity == nil {
			continue
		}
		same("predictive parity", r.PredictiveParity.Value(), *c.PredictiveParity)
		same("parity by aif360", r.DemographicParity.Value(), c.ParityAIF360)
		same("false positives", r.FalsePositives.Value(), c.FalsePositives)
		weights, err := fairness.Reweigh(c.Labels, c.Groups)
		if err != nil {
			t.Fatal(err)
		}
		for k, w := range weights {
			same("weight", w, c.Weights[k])
		}
	}
}

// TestInterval is the first example of Newcombe (1998), table II: 56 of 70 and 48 of 80.
func TestInterval(t *testing.T) {
	var c fairness.Cases
	add := func(group string, selected, n int) {
		for i := range n {
			c.Groups, c.Labels = append(c.Groups, group), append(c.Labels, i%2)
			c.Selected = append(c.Selected, map[bool]int{true: 1}[i < selected])
		}
	}
	add("a", 56, 70)
	add("b", 48, 80)
	r, err := fairness.Measure(c)
	if err != nil {
		t.Fatal(err)
	}
	d := r.DemographicParity
	if math.Abs(d.Low-0.0524) > 5e-5 || math.Abs(d.High-0.3339) > 5e-5 {
		t.Errorf("expected 0.0524 to 0.3339, got %.4f to %.4f", d.Low, d.High)
	}
}

func some() fairness.Cases {
	return fairness.Cases{
		Labels:   []int{1, 1, 0, 0, 1, 0, 0, 0},
		Selected: []int{1, 1, 1, 0, 1, 0, 0, 0},
		Groups:   []string{"a", "a", "a", "a", "b", "b", "b", "b"},
		Scores:   []float64{0.9, 0.8, 0.7, 0.2, 0.6, 0.3, 0.2, 0.1},
	}
}

func TestBadInput(t *testing.T) {
	for want, change := range map[string]func(c *fairness.Cases){
		"at least one case": func(c *fairness.Cases) { *c = fairness.Cases{} },
		"as many Selected":  func(c *fairness.Cases) { c.Groups = c.Groups[1:] },
		"two groups":        func(c *fairness.Cases) { c.Groups = make([]string, 8) },
		"got 2 and 1":       func(c *fairness.Cases) { c.Labels[0] = 2 },
		"got NaN of case 3": func(c *fairness.Cases) { c.Scores[3] = math.NaN() },
		"got 1.5 of case 1": func(c *fairness.Cases) { c.Scores[1] = 1.5 },
		"Confidence":        func(c *fairness.Cases) { c.Confidence = 1 },
	} {
		c := some()
		change(&c)
		if _, err := fairness.Measure(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
	none := some()
	none.Labels = []int{0, 0, 0, 0, 1, 0, 0, 0}
	r, err := fairness.Measure(none)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Missing["equal opportunity"]; err == nil || !strings.Contains(err.Error(), `none in "a"`) {
		t.Errorf("expected the group without cases to be named, got %v", err)
	}
	th, err := fairness.FindThresholds(some().Scores, some().Labels, some().Groups, fairness.DemographicParity)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := th.Select([]float64{0.5}, []string{"c"}); err == nil || !strings.Contains(err.Error(), `"c"`) {
		t.Errorf("expected an unknown group to be named, got %v", err)
	}
}

func ExampleMeasure() {
	r, err := fairness.Measure(some())
	if err != nil {
		panic(err)
	}
	fmt.Println(r.DemographicParity)
	fmt.Println(r.DemographicParity.Chance(), r.EqualizedOdds())
	// Output:
	// demographic parity: 50.0 points between a (75.0 % of 4) and b (25.0 % of 4); -13.5 to 78.9
	// true 0.5
}

func ExampleReport() {
	r, err := fairness.Measure(some())
	fmt.Println(r.Together(), err)
	// Output:
	// The groups' base rates may be the same: nothing forbids equalized odds, predictive parity and demographic parity at once. <nil>
}

func ExampleCases() {
	c := some()
	c.Selected = fairness.Select(c.Scores, 0.65)
	r, err := fairness.Measure(c)
	fmt.Println(r.Groups[1].Selection, err)
	// Output:
	// 0.0 % of 4 <nil>
}

func ExampleSelect() {
	fmt.Println(fairness.Select([]float64{0.4, 0.5, 0.9}, 0.5))
	// Output:
	// [0 1 1]
}

func ExampleGroup() {
	r, err := fairness.Measure(some())
	fmt.Printf("%s: calibration error %.3f %v\n", r.Groups[0].Name, r.Groups[0].Calibration, err)
	// Output:
	// a: calibration error 0.300 <nil>
}

func ExampleBin() {
	r, err := fairness.Measure(some())
	for _, b := range r.Groups[1].Reliability {
		fmt.Printf("%d with a score of %.1f: %.0f\n", b.Cases, b.Score, b.Outcome)
	}
	fmt.Println(err)
	// Output:
	// 1 with a score of 0.1: 0
	// 1 with a score of 0.2: 0
	// 1 with a score of 0.3: 0
	// 1 with a score of 0.6: 1
	// <nil>
}

func ExampleRate() {
	r, err := fairness.Measure(some())
	p := r.Groups[0].Precision
	fmt.Printf("%d of %d: %.2f to %.2f %v\n", p.K, p.N, p.Low, p.High, err)
	// Output:
	// 2 of 3: 0.21 to 0.94 <nil>
}

func ExampleDifference() {
	r, err := fairness.Measure(some())
	d := r.PredictiveParity
	fmt.Printf("%.2f, ratio %.2f %v\n", d.Value(), d.Ratio(), err)
	// Output:
	// 0.33, ratio 0.67 <nil>
}

func ExampleReweigh() {
	w, err := fairness.Reweigh([]int{1, 1, 0, 1, 0, 0}, []string{"a", "a", "a", "b", "b", "b"})
	fmt.Println(w, err)
	// Output:
	// [0.75 0.75 1.5 1.5 0.75 0.75] <nil>
}

func ExampleFindThresholds() {
	c := some()
	th, err := fairness.FindThresholds(c.Scores, c.Labels, c.Groups, fairness.DemographicParity)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f at a price of %.2f\n", th.Accuracy, th.Price)
	// Output:
	// 0.88 at a price of 0.00
}

func ExampleThresholds() {
	th := fairness.Thresholds{ByGroup: map[string]float64{"a": 0.7, "b": 0.5}}
	fmt.Println(th.Select([]float64{0.6, 0.6}, []string{"a", "b"}))
	// Output:
	// [0 1] <nil>
}

func ExampleGoal() {
	_, err := fairness.FindThresholds([]float64{0.5, 0.5}, []int{1, 0}, []string{"a", "b"}, fairness.EqualOpportunity)
	fmt.Println(err)
	// Output:
	// fairness: expected cases with the label 1 in each group, got none in "b"
}
