package privacy

import (
	"fmt"
	"math"
)

// Event is a number of steps of the Gaussian mechanism, each on a Poisson sample.
type Event struct {
	// SampleRate is the probability with which an example is in a step's sample, in (0, 1].
	SampleRate float64 `json:"sample_rate"`
	// NoiseMultiplier is the noise's standard deviation by the clipping norm, above 0.
	NoiseMultiplier float64 `json:"noise_multiplier"`
	// Steps is how many there are.
	Steps int `json:"steps"`
}

func (e Event) check() error {
	switch {
	case !(e.SampleRate > 0 && e.SampleRate <= 1):
		return fmt.Errorf("privacy: expected a SampleRate in (0, 1], got %g", e.SampleRate)
	case !(e.NoiseMultiplier > 0) || math.IsInf(e.NoiseMultiplier, 1):
		return fmt.Errorf("privacy: expected a finite NoiseMultiplier above 0, got %g: without noise nothing is private", e.NoiseMultiplier)
	case e.Steps < 0:
		return fmt.Errorf("privacy: expected Steps of at least 0, got %d", e.Steps)
	}
	return nil
}

// Ledger is all that was done with an example, step by step: what ε is computed of.
type Ledger []Event

// Add returns the ledger with more steps; those of the kind of the last are added to it.
func (l Ledger) Add(e Event) Ledger {
	if n := len(l); n > 0 && l[n-1].SampleRate == e.SampleRate && l[n-1].NoiseMultiplier == e.NoiseMultiplier {
		l = append(Ledger(nil), l...)
		l[n-1].Steps += e.Steps
		return l
	}
	return append(l[:len(l):len(l)], e)
}

// Steps is the number of steps of all events.
func (l Ledger) Steps() (n int) {
	for _, e := range l {
		n += e.Steps
	}
	return n
}

// Epsilon is the ε of all events together, by the PLD accountant.
func (l Ledger) Epsilon(delta float64) (float64, error) { return PLD{}.Epsilon(l, delta) }

// merged has one event for each kind, and none without steps.
func (l Ledger) merged() (all []Event, err error) {
	at := make(map[Event]int)
	for _, e := range l {
		if err := e.check(); err != nil {
			return nil, err
		}
		kind := Event{SampleRate: e.SampleRate, NoiseMultiplier: e.NoiseMultiplier}
		if e.Steps == 0 {
			continue
		}
		i, ok := at[kind]
		if !ok {
			i = len(all)
			at[kind] = i
			all = append(all, kind)
		}
		all[i].Steps += e.Steps
	}
	return all, nil
}

// Accountant says which ε follows from events.
type Accountant interface {
	// Epsilon is the least ε, as far as the accountant can tell, with which the events
	// together are (ε, δ)-private. delta must be in (0, 1).
	Epsilon(l Ledger, delta float64) (float64, error)
}

func checkDelta(delta float64) error {
	if !(delta > 0 && delta < 1) {
		return fmt.Errorf("privacy: expected a δ in (0, 1), well below one over the number of examples, got %g", delta)
	}
	return nil
}
