package attack_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gradbook/gradbook/dl/privacy/attack"
)

func ExampleThreshold() {
	r, err := attack.Threshold([]float64{0.1, 0.2, 0.9}, []float64{0.5, 0.8, 1.2})
	if err != nil {
		panic(err)
	}
	fmt.Printf("AUC %.2f, advantage %.2f, without accusing anybody falsely %.2f\n", r.AUC, r.Advantage, r.TruePositiveAt(0))
	// Output:
	// AUC 0.78, advantage 0.67, without accusing anybody falsely 0.67
}

func ExampleLikelihoodRatio() {
	in, out := []float64{0.01, 0.01}, []float64{1, 1.2} // losses with, and without
	shadows := []attack.Shadow{
		{Losses: []float64{in[0], out[0]}, Member: []bool{true, false}},
		{Losses: []float64{in[1], out[1]}, Member: []bool{true, false}},
		{Losses: []float64{out[0], in[0]}, Member: []bool{false, true}},
		{Losses: []float64{out[1], in[1]}, Member: []bool{false, true}},
	}
	r, err := attack.LikelihoodRatio([]float64{0.01, 1.1}, []bool{true, false}, shadows)
	fmt.Println(r.AUC, err)
	// Output:
	// 1 <nil>
}

func ExampleShadow() {
	_, err := attack.LikelihoodRatio([]float64{0.1}, []bool{true}, []attack.Shadow{{Losses: []float64{0.2}, Member: []bool{true}}})
	fmt.Println(err)
	// Output:
	// attack: expected example 0 in two shadows at least, and not in two others, got 1 and 0
}

func ExampleResult() {
	r, err := attack.Threshold([]float64{0, 0.4}, []float64{0.2, 0.6})
	for _, p := range r.Points[1:] {
		fmt.Println(p.FalsePositive, p.TruePositive)
	}
	fmt.Println(err)
	// Output:
	// 0 0.5
	// 0.5 0.5
	// 0.5 1
	// 1 1
	// <nil>
}

func ExamplePoint() {
	bound, err := attack.TruePositiveBound(1, 1e-5, 0.01)
	fmt.Printf("%.3f %v\n", bound, err)
	// Output:
	// 0.027 <nil>
}

func ExampleTruePositiveBound() {
	_, err := attack.TruePositiveBound(1, 1e-5, 1.5)
	fmt.Println(err)
	// Output:
	// attack: expected a false positive rate in [0, 1], got 1.5
}

func ExampleClopperPearson() {
	low, high := attack.ClopperPearson(3, 10, 0.95)
	fmt.Printf("%.4f %.4f\n", low, high) // R's binom.test(3, 10)
	// Output:
	// 0.0667 0.6525
}

// TestBoundHolds attacks what is as private as can be told: one noisy number, of which the
// best attack is known.
func TestBoundHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n, epsilon = 20000, 1.0
	// Laplace's mechanism with scale 1/ε is (ε, 0)-private.
	laplace := func() float64 { return (r.ExpFloat64() - r.ExpFloat64()) / epsilon }
	members, others := make([]float64, n), make([]float64, n)
	for i := range n {
		members[i], others[i] = laplace(), 1+laplace()
	}
	result, err := attack.Threshold(members, others)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range result.Points {
		bound, err := attack.TruePositiveBound(epsilon, 0, p.FalsePositive)
		if err != nil {
			t.Fatal(err)
		}
		if p.TruePositive > bound+5/math.Sqrt(n) {
			t.Fatalf("at %.3f false positives: expected at most %.3f, got %.3f", p.FalsePositive, bound, p.TruePositive)
		}
	}
	shown, err := result.EpsilonAtLeast(1e-9, 0.99)
	if err != nil || shown > epsilon || shown < 0.8 {
		t.Errorf("expected the attack to show an ε a little below 1, got %g, %v", shown, err)
	}
}

func TestBadInput(t *testing.T) {
	for want, f := range map[string]func() error{
		"got 0 and 1": func() error { _, err := attack.Threshold(nil, []float64{1}); return err },
		"NaN":         func() error { _, err := attack.Threshold([]float64{math.NaN()}, []float64{1}); return err },
		"δ in (0, 1)": func() error {
			r, _ := attack.Threshold([]float64{0}, []float64{1})
			_, err := r.EpsilonAtLeast(0, 0.9)
			return err
		},
		"as many losses": func() error { _, err := attack.LikelihoodRatio([]float64{1}, nil, nil); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}
