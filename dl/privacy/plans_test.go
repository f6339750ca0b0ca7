package privacy

import (
	"encoding/json"
	"math"
	"os"
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
