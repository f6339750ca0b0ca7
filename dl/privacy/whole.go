package privacy

import "math"

// whole says whether all steps see all examples, whose noise is then that of one step: mu is by
// how much an example moves it, in its standard deviations.
func (l Ledger) whole() (mu float64, ok bool) {
	square := 0.0
	for _, e := range l {
		if e.check() != nil {
			return 0, false
		}
		if e.Steps == 0 {
			continue
		}
		if e.SampleRate != 1 {
			return 0, false
		}
		square += float64(e.Steps) / (e.NoiseMultiplier * e.NoiseMultiplier)
	}
	return math.Sqrt(square), square > 0
}

// epsilonOf is the least ε of a Gaussian that an example moves by mu.
func epsilonOf(mu, delta float64) float64 {
	over := func(epsilon float64) bool {
		near, far := mu/2-epsilon/mu, mu/2+epsilon/mu
		return cdf(near)-math.Exp(logScaledTail(far)-near*near/2) > delta
	}
	if !over(0) {
		return 0
	}
	low, high := 0.0, 1.0
	for over(high) {
		low, high = high, 2*high
	}
	for range 60 {
		if middle := (low + high) / 2; over(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// logScaledTail is the logarithm of the probability that a normal is above x, which is at least
// 0, times e^(x²/2).
func logScaledTail(x float64) float64 {
	if x < 30 {
		return math.Log(cdf(-x)) + x*x/2
	}
	return -math.Log(x*math.Sqrt(2*math.Pi)) + math.Log1p(-1/(x*x)) // but for 3/x⁴
}
