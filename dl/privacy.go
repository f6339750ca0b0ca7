package dl

import "github.com/gradbook/gradbook/dl/privacy"

// Privacy is what training has revealed of the examples that it saw. It is saved with the
// model.
type Privacy struct {
	// Ledger are the private steps so far; those of an epoch that failed count, too.
	Ledger privacy.Ledger
	// Delta is the δ of the last private training.
	Delta float64
	// PlainSteps is how many steps were not private. They had better been on public data.
	PlainSteps int
}

// Epsilon is the ε of all private steps for Delta, by the PLD accountant: 0 if there were
// none. It says nothing of PlainSteps.
func (p Privacy) Epsilon() (float64, error) {
	if p.Ledger.Steps() == 0 {
		return 0, nil
	}
	return p.Ledger.Epsilon(p.Delta)
}

// Privacy is what training has revealed so far, of a model that was compiled with
// CompileConfig.Privacy.
func (m *Model) Privacy() Privacy {
	return Privacy(m.m.Spent())
}
