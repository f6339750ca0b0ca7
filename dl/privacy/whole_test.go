package privacy_test

import (
	"math"
	"testing"

	"github.com/gradbook/gradbook/dl/privacy"
)

// TestWhole: where each step sees all examples, the formula gives what the grid does, but for the
// grid's width; and what is spent without bound grows without bound.
func TestWhole(t *testing.T) {
	for _, l := range []privacy.Ledger{
		{{SampleRate: 1, NoiseMultiplier: 8, Steps: 30}},
		{{SampleRate: 1, NoiseMultiplier: 50, Steps: 100}},
		{{SampleRate: 1, NoiseMultiplier: 4, Steps: 3}, {SampleRate: 1, NoiseMultiplier: 9, Steps: 7}},
	} {
		for _, delta := range []float64{1e-5, 1e-9} {
			exact, err := privacy.PLD{}.Epsilon(l, delta)
			if err != nil {
				t.Fatal(err)
			}
			grid, err := privacy.PLD{Interval: 1e-4}.Epsilon(l, delta)
			if err != nil {
				t.Fatal(err)
			}
			if exact > grid || exact < grid*(1-1e-4) {
				t.Errorf("%v, δ %g: expected ε just below %.9g, got %.9g", l, delta, grid, exact)
			}
		}
	}
	for _, noise := range []float64{0.1, 0.01} { // ε is near μ²/2 + 4.3 μ
		e, err := privacy.PLD{}.Epsilon(privacy.Ledger{{SampleRate: 1, NoiseMultiplier: noise, Steps: 1}}, 1e-5)
		if mu := 1 / noise; err != nil || math.Abs(e-(mu*mu/2+4.265*mu)) > 0.01*e {
			t.Errorf("noise %g: expected ε near %g, got %g, %v", noise, mu*mu/2+4.265*mu, e, err)
		}
	}
}

// TestLittleNoise: of noise so little that most losses are beyond the grid, there is an ε, which
// is infinite, or an error; and steps that were not made say nothing.
func TestLittleNoise(t *testing.T) {
	for _, e := range []privacy.Event{
		{SampleRate: 0.5, NoiseMultiplier: 0.3, Steps: 2},
		{SampleRate: 0.5, NoiseMultiplier: 0.2, Steps: 5},
		{SampleRate: 0.01, NoiseMultiplier: 0.1, Steps: 2},
		{SampleRate: 0.999999, NoiseMultiplier: 0.2, Steps: 2},
	} {
		got, err := privacy.PLD{Interval: 1e-2}.Epsilon(privacy.Ledger{e}, 1e-5)
		rdp, err2 := privacy.RDP{}.Epsilon(privacy.Ledger{e}, 1e-5)
		if err2 != nil {
			t.Fatal(err2)
		}
		if err == nil && !(got > 1 && got <= 1.02*rdp) {
			t.Errorf("%+v: expected an ε below RDP's %g, or an error, got %g", e, rdp, got)
		}
	}
	one := privacy.Event{SampleRate: 1, NoiseMultiplier: 0.05, Steps: 5}
	want, err := privacy.PLD{}.Epsilon(privacy.Ledger{one}, 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	got, err := privacy.PLD{}.Epsilon(privacy.Ledger{one, {SampleRate: 0.5, NoiseMultiplier: 1}}, 1e-5)
	if err != nil || got != want {
		t.Errorf("expected %g with steps that were not made, too, got %g, %v", want, got, err)
	}
}
