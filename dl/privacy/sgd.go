package privacy

import (
	"fmt"
	"math"
)

// SGD makes a training private: each step takes a Poisson sample of the examples, in which
// each is with the same probability; bounds the gradient of each example to ClipNorm; adds
// Gaussian noise to their sum, from a cryptographic generator; and goes on with that sum
// divided by the batch size. Any optimizer works on it.
//
// The loss of an example must be its own: layers in which examples of a batch meet, such as
// BatchNormalization, are refused, as are streams. Logs have "epsilon" beside the loss;
// loss and metrics of a Fit are of the samples, without noise, and are not covered by ε:
// keep them to yourself, as those of Evaluate on the training data.
//
// Seeds repeat the first weights, but neither sample nor noise: who knows the seed could take
// the noise away.
//
// Source: Abadi et al. (2016), Deep learning with differential privacy,
// https://arxiv.org/abs/1607.00133; gradients are bounded without keeping one for each
// example, after Bu, Wang, Zha, Karypis (2023), https://arxiv.org/abs/2210.00038. It misleads
// who takes ε for what an attacker gets: it is the most that he can, whoever he is.
type SGD struct {
	// ClipNorm is how long the gradient of one example may be, over all weights, above 0.
	ClipNorm float64 `json:"clip_norm"`
	// NoiseMultiplier is the noise's standard deviation by ClipNorm, above 0; Plan.NoiseFor
	// finds it.
	NoiseMultiplier float64 `json:"noise_multiplier"`
	// Delta is the δ for which logs say ε; 0 means one over ten times the number of examples.
	Delta float64 `json:"delta,omitempty"`
	// Microbatch is how many examples are worked on at once, which bounds the memory; 0
	// means as many as work fast: on a GPU what nearly every sample fits, on a processor what
	// fits its cache.
	Microbatch int `json:"microbatch,omitempty"`
}

// Check reports what cannot be.
func (s SGD) Check() error {
	switch {
	case !(s.ClipNorm > 0) || math.IsInf(s.ClipNorm, 1):
		return fmt.Errorf("privacy: expected a finite ClipNorm above 0, got %g", s.ClipNorm)
	case s.Delta != 0 && !(s.Delta > 0 && s.Delta < 1):
		return checkDelta(s.Delta)
	case s.Microbatch < 0:
		return fmt.Errorf("privacy: expected a Microbatch of at least 1 (or 0 for the default), got %d", s.Microbatch)
	}
	return Event{SampleRate: 1, NoiseMultiplier: s.NoiseMultiplier}.check()
}

// Plan is a training to come.
type Plan struct {
	// Examples is how many there are, BatchSize how many are in a step's sample on average.
	Examples, BatchSize int
	// Epochs is how many times as many steps as batches there are; Steps are more, or all
	// if Epochs is 0.
	Epochs, Steps int
	// NoiseMultiplier is as in SGD.
	NoiseMultiplier float64
	// Delta is δ, in (0, 1).
	Delta float64
	// Accountant is who says ε; nil means PLD.
	Accountant Accountant
}

func (p Plan) event() (Event, error) {
	switch {
	case p.Examples < 1:
		return Event{}, fmt.Errorf("privacy: expected at least one of Examples, got %d", p.Examples)
	case p.BatchSize < 1 || p.BatchSize > p.Examples:
		return Event{}, fmt.Errorf("privacy: expected a BatchSize of 1 to %d, the number of examples, got %d", p.Examples, p.BatchSize)
	case p.Epochs < 0 || p.Steps < 0 || p.Epochs+p.Steps == 0:
		return Event{}, fmt.Errorf("privacy: expected Epochs or Steps above 0, got %d and %d", p.Epochs, p.Steps)
	}
	perEpoch := (p.Examples + p.BatchSize - 1) / p.BatchSize
	return Event{
		SampleRate: float64(p.BatchSize) / float64(p.Examples), NoiseMultiplier: p.NoiseMultiplier, Steps: p.Epochs*perEpoch + p.Steps,
	}, nil
}

// Epsilon is the plan's ε.
func (p Plan) Epsilon() (float64, error) {
	e, err := p.event()
	if err != nil {
		return 0, err
	}
	if p.Accountant == nil {
		p.Accountant = PLD{}
	}
	return p.Accountant.Epsilon(Ledger{e}, p.Delta)
}

// NoiseFor is the least noise multiplier with which the plan's ε is no more than epsilon,
// above 0, to a thousandth.
func (p Plan) NoiseFor(epsilon float64) (float64, error) {
	if !(epsilon > 0) || math.IsInf(epsilon, 1) {
		return 0, fmt.Errorf("privacy: expected a finite ε above 0, got %g: at 0 a model would know nothing of its data", epsilon)
	}
	of := func(noise float64) (float64, error) {
		p.NoiseMultiplier = noise
		return p.Epsilon()
	}
	// Rényi's accountant finds the neighbourhood, in which the exact one is never far away.
	exact := p.Accountant
	p.Accountant = RDP{}
	low, high, err := bracket(of, epsilon, 0.3, 1)
	if err != nil {
		return 0, err
	}
	if low, high, err = bisect(of, epsilon, low, high); err != nil {
		return 0, err
	}
	p.Accountant = exact
	if low, high, err = bracket(of, epsilon, low*0.9, high); err != nil {
		return 0, err
	}
	_, high, err = bisect(of, epsilon, low, high)
	return high, err
}

// bracket widens low and high until ε is above epsilon at low, and not at high.
func bracket(of func(float64) (float64, error), epsilon, low, high float64) (float64, float64, error) {
	for {
		e, err := of(high)
		if err != nil {
			return 0, 0, err
		}
		if e <= epsilon {
			break
		}
		if low, high = high, high*2; high > 1e6 {
			return 0, 0, fmt.Errorf("privacy: expected an ε that some noise gives, got %g", epsilon)
		}
	}
	for low > 1e-2 {
		if e, err := of(low); err != nil || e > epsilon {
			return low, high, nil //nolint:nilerr // so little noise that its ε cannot be told is too little
		}
		low, high = low/1.3, low
	}
	return low, high, nil
}

func bisect(of func(float64) (float64, error), epsilon, low, high float64) (float64, float64, error) {
	for high-low > 1e-3*high {
		middle := (low + high) / 2
		e, err := of(middle)
		if err != nil {
			return 0, 0, err
		}
		if e <= epsilon {
			high = middle
		} else {
			low = middle
		}
	}
	return low, high, nil
}
