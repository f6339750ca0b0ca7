package privacy_test

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/privacy"
)

func ExamplePlan() {
	plan := privacy.Plan{Examples: 60000, BatchSize: 600, Epochs: 20, NoiseMultiplier: 1.1, Delta: 1e-6}
	epsilon, err := plan.Epsilon()
	fmt.Printf("%.2f %v\n", epsilon, err)
	noise, err := plan.NoiseFor(2)
	fmt.Printf("%.2f %v\n", noise, err)
	// Output:
	// 2.47 <nil>
	// 1.25 <nil>
}

func ExamplePlan_Epsilon() {
	plan := privacy.Plan{Examples: 1000, BatchSize: 100, Steps: 50, NoiseMultiplier: 0.5, Delta: 1e-4, Accountant: privacy.RDP{}}
	epsilon, err := plan.Epsilon()
	fmt.Printf("%.1f %v\n", epsilon, err)
	_, err = privacy.Plan{Examples: 1000, BatchSize: 100, Steps: 50, Delta: 1e-4}.Epsilon()
	fmt.Println(err)
	// Output:
	// 22.5 <nil>
	// privacy: expected a finite NoiseMultiplier above 0, got 0: without noise nothing is private
}

func ExampleSGD() {
	fmt.Println(privacy.SGD{ClipNorm: 1, NoiseMultiplier: 1.1}.Check())
	fmt.Println(privacy.SGD{NoiseMultiplier: 1.1}.Check())
	// Output:
	// <nil>
	// privacy: expected a finite ClipNorm above 0, got 0
}

func ExampleLedger() {
	var l privacy.Ledger
	for range 100 {
		l = l.Add(privacy.Event{SampleRate: 0.01, NoiseMultiplier: 1, Steps: 1})
	}
	epsilon, err := l.Epsilon(1e-5)
	fmt.Printf("%d steps: %.3f %v\n", l.Steps(), epsilon, err)
	// Output:
	// 100 steps: 0.718 <nil>
}

func ExampleEvent() {
	e := privacy.Event{SampleRate: 0.01, NoiseMultiplier: 1, Steps: 1000}
	_, err := privacy.Ledger{e, {SampleRate: 2, NoiseMultiplier: 1, Steps: 1}}.Epsilon(1e-5)
	fmt.Println(err)
	// Output:
	// privacy: expected a SampleRate in (0, 1], got 2
}

// Both are upper bounds of the same ε.
func ExampleAccountant() {
	l := privacy.Ledger{{SampleRate: 0.01, NoiseMultiplier: 1, Steps: 1000}}
	for _, a := range []privacy.Accountant{privacy.RDP{}, privacy.PLD{}} {
		epsilon, err := a.Epsilon(l, 1e-5)
		fmt.Printf("%T %.2f %v\n", a, epsilon, err)
	}
	// Output:
	// privacy.RDP 2.10 <nil>
	// privacy.PLD 1.83 <nil>
}

func ExampleRDP() {
	epsilon, order, err := privacy.RDP{}.Best(privacy.Ledger{{SampleRate: 0.01, NoiseMultiplier: 1, Steps: 1000}}, 1e-5)
	fmt.Printf("%.2f of order %g %v\n", epsilon, order, err)
	// Output:
	// 2.10 of order 7.8 <nil>
}

func ExamplePLD() {
	delta, err := privacy.PLD{}.Delta(privacy.Ledger{{SampleRate: 0.01, NoiseMultiplier: 1, Steps: 1000}}, 2)
	fmt.Printf("%.1e %v\n", delta, err)
	// Output:
	// 2.7e-06 <nil>
}
