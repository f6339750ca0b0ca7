// Package attack finds out of a trained model whether an example was in its training data: a
// measure of what the model gives away, and a check of what package privacy promises.
package attack

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Result is how well it can be told whether an example was in the training data.
type Result struct {
	// AUC is the probability that a member looks more like one than another example does:
	// 0.5 is chance.
	AUC float64
	// Advantage is the largest difference of true and false positive rates, over thresholds.
	// It is found by looking at the answers, so that chance alone gives about one over the
	// square root of the number of examples.
	Advantage float64
	// Points are the rates for each threshold, from the strictest.
	Points []Point

	members, others []float64 // sorted
}

// Point is what one threshold gives.
type Point struct {
	At float64
	// FalsePositive is the part of others that are taken for members, TruePositive the part
	// of members.
	FalsePositive, TruePositive float64
}

// Threshold takes for members whose loss is small, of two sets of losses of one model:
// of examples that it was trained on, and of others of the same kind. It is the simplest
// attack; that it fails does not mean that others do.
//
// Source: Yeom et al. (2018), https://arxiv.org/abs/1709.01604.
func Threshold(members, others []float64) (*Result, error) {
	negated := func(losses []float64) []float64 {
		out := make([]float64, len(losses))
		for i, v := range losses {
			out[i] = -v
		}
		return out
	}
	return rank(negated(members), negated(others))
}

// Shadow is a model that was trained on a part of the examples: the loss of each, and which of
// them it was trained on.
type Shadow struct {
	Losses []float64
	Member []bool
}

// LikelihoodRatio compares the loss of each example with what shadow models say that
// were trained with it, and without: normal distributions of log(e^−loss/(1−e^−loss)). losses
// are those of the model under attack, member says which examples it was trained on, for the
// result only. Each example must be in two shadows and out of two, at the least; tens are
// better.
//
// It is the strongest attack of those that see only losses, if the shadows are trained as the
// model was. Source: Carlini et al. (2022), https://arxiv.org/abs/2112.03570.
func LikelihoodRatio(losses []float64, member []bool, shadows []Shadow) (*Result, error) {
	if len(losses) != len(member) {
		return nil, fmt.Errorf("attack: expected as many losses as members, got %d and %d", len(losses), len(member))
	}
	for i, s := range shadows {
		if len(s.Losses) != len(losses) || len(s.Member) != len(losses) {
			return nil, fmt.Errorf("attack: expected %d losses of shadow %d, as of the model, got %d and %d of Member", len(losses), i, len(s.Losses), len(s.Member))
		}
	}
	var members, others []float64
	for i, loss := range losses {
		var in, out []float64
		for _, s := range shadows {
			if s.Member[i] {
				in = append(in, confidence(s.Losses[i]))
			} else {
				out = append(out, confidence(s.Losses[i]))
			}
		}
		if len(in) < 2 || len(out) < 2 {
			return nil, fmt.Errorf("attack: expected example %d in two shadows at least, and not in two others, got %d and %d", i, len(in), len(out))
		}
		c := confidence(loss)
		score := logNormal(c, in) - logNormal(c, out)
		if member[i] {
			members = append(members, score)
		} else {
			others = append(others, score)
		}
	}
	return rank(members, others)
}

// confidence is the logit of the probability e^−loss.
func confidence(loss float64) float64 {
	loss = min(max(loss, 1e-12), 700)
	return -loss - math.Log(-math.Expm1(-loss))
}

func logNormal(x float64, sample []float64) float64 {
	mean, deviation := stat.MeanStdDev(sample, nil)
	return distuv.Normal{Mu: mean, Sigma: max(deviation, 1e-3)}.LogProb(x)
}

// rank sorts scores, of which a larger one says member.
func rank(members, others []float64) (*Result, error) {
	if len(members) == 0 || len(others) == 0 {
		return nil, fmt.Errorf("attack: expected members and others, got %d and %d", len(members), len(others))
	}
	for _, list := range [][]float64{members, others} {
		if slices.ContainsFunc(list, math.IsNaN) {
			return nil, errors.New("attack: expected losses that are numbers, got NaN")
		}
	}
	a := &Result{members: slices.Sorted(slices.Values(members)), others: slices.Sorted(slices.Values(others))}
	both := slices.Concat(a.members, a.others)
	slices.Sort(both)
	both = slices.Compact(both)
	slices.Reverse(both)
	a.Points = []Point{{At: math.Inf(1)}}
	for _, at := range both {
		p := Point{at, atLeast(a.others, at), atLeast(a.members, at)}
		before := a.Points[len(a.Points)-1]
		a.AUC += (p.FalsePositive - before.FalsePositive) * (p.TruePositive + before.TruePositive) / 2
		a.Advantage = max(a.Advantage, p.TruePositive-p.FalsePositive)
		a.Points = append(a.Points, p)
	}
	return a, nil
}

// atLeast is the part of sorted values that are at least x.
func atLeast(values []float64, x float64) float64 {
	return float64(len(values)-sort.SearchFloat64s(values, x)) / float64(len(values))
}

// TruePositiveAt is the largest true positive rate with a false positive rate of at most
// limit: what an attack is worth where it must not accuse many.
func (a *Result) TruePositiveAt(limit float64) float64 {
	best := 0.0
	for _, p := range a.Points {
		if p.FalsePositive <= limit {
			best = max(best, p.TruePositive)
		}
	}
	return best
}

// EpsilonAtLeast is an ε that the training cannot be below, but with a probability of
// 1 − confidence: the attack's best threshold, found on every second example and tried on the
// rest, with Clopper's and Pearson's bounds of the rates. 0 means that nothing is shown.
//
// Source: Jagielski, Ullman, Oprea (2020), https://arxiv.org/abs/2006.07709. The attack is of
// one model and many examples, which are not independent: take it for a sign, not a proof.
func (a *Result) EpsilonAtLeast(delta, confidence float64) (float64, error) {
	if !(delta > 0 && delta < 1) {
		return 0, fmt.Errorf("attack: expected a δ in (0, 1), got %g", delta)
	}
	if !(confidence > 0 && confidence < 1) {
		return 0, fmt.Errorf("attack: expected a confidence in (0, 1), got %g", confidence)
	}
	half := func(values []float64, from int) (out []float64) {
		for i := from; i < len(values); i += 2 {
			out = append(out, values[i])
		}
		return out
	}
	epsilon := func(members, others []float64, at float64) float64 {
		_, fp := ClopperPearson(count(others, at), len(others), confidence)
		tp, _ := ClopperPearson(count(members, at), len(members), confidence)
		if tp <= delta {
			return 0
		}
		return max(math.Log((tp-delta)/fp), 0)
	}
	best, at := 0.0, math.Inf(1)
	members, others := half(a.members, 0), half(a.others, 0)
	for _, p := range a.Points[1:] {
		if e := epsilon(members, others, p.At); e > best {
			best, at = e, p.At
		}
	}
	if math.IsInf(at, 1) || len(a.members) < 2 || len(a.others) < 2 {
		return 0, nil
	}
	return epsilon(half(a.members, 1), half(a.others, 1), at), nil
}

func count(sorted []float64, at float64) int { return len(sorted) - sort.SearchFloat64s(sorted, at) }

// ClopperPearson bounds a probability of which n trials had k successes, so that it is between
// the bounds with a probability of confidence at least. k must be in [0, n], n at least 1.
//
// Source: Clopper and Pearson (1934), Biometrika 26.
func ClopperPearson(k, n int, confidence float64) (low, high float64) {
	tail := (1 - confidence) / 2
	high = 1
	if k > 0 {
		low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(tail)
	}
	if k < n {
		high = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(1 - tail)
	}
	return low, high
}

// TruePositiveBound is the largest true positive rate that any attack on an (ε, δ)-private
// model can have at a false positive rate.
//
// Source: Kairouz, Oh, Viswanath (2015), https://arxiv.org/abs/1311.0776.
func TruePositiveBound(epsilon, delta, falsePositive float64) (float64, error) {
	if !(epsilon >= 0) {
		return 0, fmt.Errorf("attack: expected an ε of at least 0, got %g", epsilon)
	}
	if !(delta >= 0 && delta < 1) {
		return 0, fmt.Errorf("attack: expected a δ in [0, 1), got %g", delta)
	}
	if !(falsePositive >= 0 && falsePositive <= 1) {
		return 0, fmt.Errorf("attack: expected a false positive rate in [0, 1], got %g", falsePositive)
	}
	return max(min(math.Exp(epsilon)*falsePositive+delta, 1-math.Exp(-epsilon)*(1-delta-falsePositive), 1), 0), nil
}
