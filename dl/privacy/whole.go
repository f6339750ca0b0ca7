package privacy

import "math"

// whole says whether all steps see all examples, whose noise is then that of one step: mu is by
// how much an example moves it, in its standard deviations.
func (l Ledger) whole() (mu float64, ok bool) {
	square := 0.0
	for _, e := range l {
		if e.SampleRate != 1 || e.check() != nil {
			return 0, false
		}
		square += float64(e.Steps) / (e.NoiseMultiplier * e.NoiseMultiplier)
	}
	return math.Sqrt(square), square > 0
}

// epsilonOf is the least ε of a Gaussian that an example moves by mu.
func epsilonOf(mu, delta float64) float64 {
	over := func(epsilon float64) bool {
		return cdf(mu/2-epsilon/mu)-math.Exp(epsilon+logTail(mu/2+epsilon/mu)) > delta
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

// logTail is the logarithm of the probability that a normal is above x, which is at least 0.
func logTail(x float64) float64 {
	if x < 30 {
		return math.Log(cdf(-x))
	}
	return -x*x/2 - math.Log(x*math.Sqrt(2*math.Pi)) + math.Log1p(-1/(x*x)) // but for 3/x⁴
}
