package privacy

import (
	"fmt"
	"math"
)

// PLD accounts by the distribution of the privacy loss, which it composes with Fourier
// transforms. Its ε is an upper bound, and the least that is known but for the grid's width.
// Where each step sees all examples it is the least there is, by a formula.
//
// Source: Koskela, Jälkö, Honkela (2020), https://arxiv.org/abs/1906.03049; the grid by
// Doroshenko, Ghazi, Kamath, Kumar, Manurangsi (2022), Connect the dots,
// https://arxiv.org/abs/2207.04380; the formula by Balle and Wang (2018),
// https://arxiv.org/abs/1805.06530.
type PLD struct {
	// Interval is the width of the grid on which losses are; 0 means 1e-4.
	Interval float64
}

// Epsilon implements Accountant.
func (p PLD) Epsilon(l Ledger, delta float64) (float64, error) {
	if err := checkDelta(delta); err != nil {
		return 0, err
	}
	if mu, ok := l.whole(); ok && p.Interval == 0 {
		return epsilonOf(mu, delta), nil
	}
	worst := 0.0
	err := p.each(l, func(d *distribution) {
		worst = max(worst, d.epsilon(delta))
	})
	return worst, err
}

// Delta is the least δ for an ε of at least 0.
func (p PLD) Delta(l Ledger, epsilon float64) (float64, error) {
	if !(epsilon >= 0) {
		return 0, fmt.Errorf("privacy: expected an ε of at least 0, got %g", epsilon)
	}
	worst := 0.0
	err := p.each(l, func(d *distribution) { worst = max(worst, d.delta(epsilon)) })
	return worst, err
}

// each composes the losses of the events, of an example that is taken away and of one that
// is added.
func (p PLD) each(l Ledger, f func(d *distribution)) error {
	events, err := l.merged()
	if err != nil {
		return err
	}
	if p.Interval == 0 {
		p.Interval = 1e-4
	}
	if !(p.Interval > 0 && p.Interval <= 1) {
		return fmt.Errorf("privacy: expected an Interval in (0, 1], got %g", p.Interval)
	}
	if len(events) == 0 {
		return nil
	}
	for _, added := range []bool{false, true} {
		d, err := compose(events, added, p.Interval)
		if err != nil {
			return err
		}
		f(d)
	}
	return nil
}

// distribution is that of a privacy loss: p[i] is the probability of the loss
// (first+i)·interval, beyond that of an infinite one.
type distribution struct {
	interval float64
	first    int
	p        []float64
	beyond   float64
}

func (d *distribution) loss(i int) float64 { return float64(d.first+i) * d.interval }

// delta is the hockey-stick divergence at ε.
func (d *distribution) delta(epsilon float64) float64 {
	sum := d.beyond
	for i := len(d.p) - 1; i >= 0 && d.loss(i) > epsilon; i-- {
		sum -= math.Expm1(epsilon-d.loss(i)) * d.p[i]
	}
	return sum
}

// epsilon is the least ε of at least 0 whose δ is no more than delta.
func (d *distribution) epsilon(delta float64) float64 {
	if d.beyond > delta {
		return math.Inf(1)
	}
	// From the largest loss down, δ(ε) = beyond + mass − e^ε·weighted.
	mass, weighted := d.beyond, 0.0
	for i := len(d.p) - 1; i >= 0; i-- {
		at := d.loss(i)
		if at < 0 {
			break
		}
		if mass > delta && mass-math.Exp(at)*weighted > delta {
			return max(math.Log((mass-delta)/weighted), 0)
		}
		mass += d.p[i]
		weighted += d.p[i] * math.Exp(-at)
	}
	if mass > delta && mass-weighted > delta {
		return max(math.Log((mass-delta)/weighted), 0)
	}
	return 0
}

// gaussian is the loss of one step: of P against Q, where one is N(0, σ²) and the other
// the same, moved by 1 with probability q.
type gaussian struct {
	q, sigma float64
	added    bool
}

// of is the loss where the noisy sum is x; it falls with x for an example that is taken
// away, whose mixture is around 0 and −1, and does so too for one that is added, whose
// mixture is around 0 and 1.
func (g gaussian) of(x float64) float64 {
	s := g.sigma * g.sigma
	if g.added {
		return -logAdd(math.Log1p(-g.q), math.Log(g.q)+(2*x-1)/(2*s))
	}
	return logAdd(math.Log1p(-g.q), math.Log(g.q)+(-2*x-1)/(2*s))
}

// inverse is the x whose loss is l; infinite if there is none.
func (g gaussian) inverse(l float64) float64 {
	s, e := g.sigma*g.sigma, l
	if g.added {
		e = -l
	}
	// log((e^e − (1−q))/q)
	rest := math.Expm1(e) + g.q
	if rest <= 0 {
		if g.added {
			return math.Inf(-1)
		}
		return math.Inf(1)
	}
	log := math.Log(rest / g.q)
	if e > 40 {
		log = e - math.Log(g.q)
	}
	if g.added {
		return s*log + 0.5
	}
	return -(s*log + 0.5)
}

// delta is the hockey-stick divergence of one step.
func (g gaussian) delta(epsilon float64) float64 {
	x := g.inverse(epsilon) // below it the loss is larger
	base := cdf(x / g.sigma)
	moved := cdf((x + 1) / g.sigma)
	if g.added {
		moved = cdf((x - 1) / g.sigma)
	}
	mixture := (1-g.q)*base + g.q*moved
	upper, lower := mixture, base
	if g.added {
		upper, lower = base, mixture
	}
	if lower <= 0 {
		return upper
	}
	return max(upper-math.Exp(epsilon)*lower, 0)
}

func cdf(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func logAdd(a, b float64) float64 {
	if math.IsInf(a, -1) {
		return b
	}
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}
