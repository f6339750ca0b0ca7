package privacy

import (
	"fmt"
	"math"
)

// RDP accounts by Rényi divergences, which simply add up over steps. It is fast, and its ε
// some percent above PLD's: an upper bound, too.
//
// Source: Mironov, Talwar, Zhang (2019), Rényi differential privacy of the sampled Gaussian
// mechanism, https://arxiv.org/abs/1908.10530; from Rényi's to ε by Canonne, Kamath, Steinke
// (2020), https://arxiv.org/abs/2004.00010.
type RDP struct {
	// Orders are those of the divergences, above 1; nil means 1.1 to 10.9 by tenths, 11 to 64,
	// 128, 256, 512 and 1024.
	Orders []float64
}

func defaultOrders() (orders []float64) {
	for i := 1; i < 100; i++ {
		orders = append(orders, 1+float64(i)/10)
	}
	for i := 11; i < 65; i++ {
		orders = append(orders, float64(i))
	}
	return append(orders, 128, 256, 512, 1024)
}

// Epsilon implements Accountant.
func (r RDP) Epsilon(l Ledger, delta float64) (float64, error) {
	epsilon, _, err := r.Best(l, delta)
	return epsilon, err
}

// Best is Epsilon, with the order that gives it.
func (r RDP) Best(l Ledger, delta float64) (epsilon, order float64, err error) {
	if err := checkDelta(delta); err != nil {
		return 0, 0, err
	}
	events, err := l.merged()
	if err != nil {
		return 0, 0, err
	}
	orders := r.Orders
	if orders == nil {
		orders = defaultOrders()
	}
	epsilon = math.Inf(1)
	for _, a := range orders {
		if !(a > 1) {
			return 0, 0, fmt.Errorf("privacy: expected Orders above 1, got %g", a)
		}
		sum := 0.0
		for _, e := range events {
			sum += float64(e.Steps) * divergence(e.SampleRate, e.NoiseMultiplier, a)
		}
		own := sum + math.Log1p(-1/a) - (math.Log(delta)+math.Log(a))/(a-1)
		if delta*delta+math.Expm1(-sum) > 0 { // δ covers all that there is to tell
			own = 0
		}
		if own = max(own, 0); own < epsilon {
			epsilon, order = own, a
		}
	}
	return epsilon, order, nil
}

// divergence is the Rényi divergence of a step, of order a.
func divergence(q, sigma, a float64) float64 {
	if q == 1 {
		return a / (2 * sigma * sigma)
	}
	if a == math.Trunc(a) {
		return wholeOrder(q, sigma, int(a)) / (a - 1)
	}
	return fractionalOrder(q, sigma, a) / (a - 1)
}

// wholeOrder is log A of the paper's section 3.3, for a whole order.
func wholeOrder(q, sigma float64, a int) float64 {
	terms := make([]float64, a+1)
	for i := range terms {
		k := float64(i)
		terms[i] = logBinomial(float64(a), k) + k*math.Log(q) + (float64(a)-k)*math.Log1p(-q) + (k*k-k)/(2*sigma*sigma)
	}
	sum := math.Inf(-1)
	for _, t := range terms {
		sum = logAdd(sum, t)
	}
	return sum
}

func logBinomial(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}

// fractionalOrder is log A of the paper's section 3.3, for an order that is not whole: two
// series, whose terms change their signs from the order on.
func fractionalOrder(q, sigma, a float64) float64 {
	low, high := math.Inf(-1), math.Inf(-1)
	z0 := sigma*sigma*math.Log(1/q-1) + 0.5
	log, sign := 0.0, 1.0 // of the binomial coefficient
	for i := range 1 << 20 {
		k := float64(i)
		j := a - k
		t0 := log + k*math.Log(q) + j*math.Log1p(-q)
		t1 := log + j*math.Log(q) + k*math.Log1p(-q)
		e0 := math.Log(0.5) + logErfc((k-z0)/(math.Sqrt2*sigma))
		e1 := math.Log(0.5) + logErfc((z0-j)/(math.Sqrt2*sigma))
		s0 := t0 + (k*k-k)/(2*sigma*sigma) + e0
		s1 := t1 + (j*j-j)/(2*sigma*sigma) + e1
		low, high = addSigned(low, s0, sign), addSigned(high, s1, sign)
		if k > a && max(s0, s1) < max(low, high)-40 {
			return addSigned(low, high, 1)
		}
		factor := (a - k) / (k + 1)
		log += math.Log(math.Abs(factor))
		if factor < 0 {
			sign = -sign
		}
	}
	return math.Inf(1)
}

// addSigned is log(e^x ± e^y).
func addSigned(x, y, sign float64) float64 {
	if sign > 0 {
		return logAdd(x, y)
	}
	if y >= x {
		return math.Inf(-1)
	}
	return x + math.Log1p(-math.Exp(y-x))
}

// logErfc is log(erfc(x)), also where erfc is too small for a float64.
func logErfc(x float64) float64 {
	if x < 25 {
		return math.Log(math.Erfc(x))
	}
	s := 1 / (2 * x * x) // of the asymptotic series
	return -x*x - math.Log(x*math.Sqrt(math.Pi)) + math.Log1p(-s+3*s*s-15*s*s*s)
}
