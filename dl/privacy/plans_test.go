package privacy

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

type peerPlan struct {
	Event
	Delta, RDP, PLD, Opacus float64
}

func peerPlans(t *testing.T) (plans []peerPlan) {
	t.Helper()
	text, err := os.ReadFile("testdata/plans.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	if len(plans) != 20 {
		t.Fatalf("expected 20 plans, got %d", len(plans))
	}
	return plans
}

// TestPlans compares ε with those of dp-accounting and Opacus.
func TestPlans(t *testing.T) {
	opacus := RDP{}
	for i := 1; i < 100; i++ {
		opacus.Orders = append(opacus.Orders, 1+float64(i)/10)
	}
	for i := 12; i < 64; i++ {
		opacus.Orders = append(opacus.Orders, float64(i))
	}
	for _, p := range peerPlans(t) {
		for _, c := range []struct {
			name string
			a    Accountant
			want float64
		}{{"RDP", RDP{}, p.RDP}, {"PLD", PLD{}, p.PLD}, {"Opacus", opacus, p.Opacus}} {
			got, err := c.a.Epsilon(Ledger{p.Event}, p.Delta)
			if err != nil {
				t.Errorf("%v %s: %v", p.Event, c.name, err)
			} else if math.Abs(got-c.want) > 1e-3*c.want {
				t.Errorf("%v, δ %g: expected ε %.6g by %s, got %.6g", p.Event, p.Delta, c.want, c.name, got)
			}
		}
	}
}

// TestBadPlans are plans that say nothing.
func TestBadPlans(t *testing.T) {
	good := Plan{Examples: 100, BatchSize: 10, Epochs: 1, NoiseMultiplier: 1, Delta: 1e-3}
	for want, change := range map[string]func(p *Plan){
		"Examples": func(p *Plan) { p.Examples = 0 }, "BatchSize": func(p *Plan) { p.BatchSize = 101 },
		"Epochs or Steps": func(p *Plan) { p.Epochs = 0 }, "NoiseMultiplier": func(p *Plan) { p.NoiseMultiplier = math.NaN() },
		"δ in (0, 1)": func(p *Plan) { p.Delta = 1 },
	} {
		p := good
		change(&p)
		if _, err := p.Epsilon(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
	for _, epsilon := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := good.NoiseFor(epsilon); err == nil || !strings.Contains(err.Error(), "ε above 0") {
			t.Errorf("ε %g: expected an error, got %v", epsilon, err)
		}
	}
	noise, err := good.NoiseFor(1)
	if err != nil {
		t.Fatal(err)
	}
	good.NoiseMultiplier = noise
	if e, err := good.Epsilon(); err != nil || e > 1 || e < 0.99 {
		t.Errorf("expected noise for an ε just below 1, got %g, %v", e, err)
	}
	if _, err := (RDP{Orders: []float64{1}}).Epsilon(Ledger{{0.1, 1, 1}}, 1e-3); err == nil {
		t.Error("expected an order of 1 to be refused")
	}
}
