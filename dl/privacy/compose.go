package privacy

import (
	"fmt"
	"math"
	"math/bits"
	"math/cmplx"
)

// What is so improbable as this is taken for an infinite loss: far below any δ.
const (
	composedTail = 1e-15
)

// maxGrid is how many losses a composition may be of: of 64 MB each.
const maxGrid = 1 << 23

// discretize puts the loss of one step on a grid, so that δ is exact at the grid's losses and
// too large between them.
func (g gaussian) discretize(interval float64) (*distribution, error) {
	span := 10.0 * g.sigma // e^−50
	low, high := -span, span
	if g.added {
		high++
	} else {
		low--
	}
	from, to := int(math.Floor(g.of(high)/interval)), int(math.Ceil(g.of(low)/interval))
	if to-from > maxGrid {
		return nil, fmt.Errorf("privacy: noise of %g times the clipping norm is so little that the losses do not fit a grid of %g; RDP accounts for it, or an Interval of %g", g.sigma, interval, interval*float64(to-from)/maxGrid)
	}
	n := to - from + 1
	delta := make([]float64, n)
	for i := range delta {
		delta[i] = g.delta(float64(from+i) * interval)
	}
	d := &distribution{interval: interval, first: from, p: make([]float64, n), beyond: delta[n-1]}
	down, up := -math.Expm1(-interval), math.Expm1(interval)
	total := d.beyond
	for i := n - 1; i > 0; i-- {
		p := (delta[i-1] - delta[i]) / down
		if i+1 < n {
			p -= (delta[i] - delta[i+1]) / up
		}
		d.p[i] = max(p, 0)
		total += d.p[i]
	}
	d.p[0] = max(1-total, 0)
	return d, nil
}

// compose is the distribution of the sum of all events' losses.
func compose(events []Event, added bool, interval float64) (*distribution, error) {
	var all []*distribution
	for _, e := range events {
		d, err := gaussian{e.SampleRate, e.NoiseMultiplier, added}.discretize(interval)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	low, high := bounds(events, all)
	if len(events) == 1 && events[0].Steps == 1 {
		return all[0], nil
	}
	n := high - low + 1
	if n < 1 || n > maxGrid {
		return nil, fmt.Errorf("privacy: the sum of %d steps' losses reaches from %.3g to %.3g, which does not fit a grid of %g; RDP accounts for it, or an Interval of %g",
			Ledger(events).Steps(), float64(low)*interval, float64(high)*interval, interval, interval*math.Ceil(float64(n)/maxGrid))
	}
	size := 1 << bits.Len(uint(n-1))
	product := make([]complex128, size)
	for i := range product {
		product[i] = 1
	}
	finite, first := 1.0, 0
	folded := make([]complex128, size)
	for k, d := range all {
		clear(folded)
		for i, p := range d.p {
			folded[i%size] += complex(p, 0)
		}
		steps := events[k].Steps
		transform(folded)
		for i, c := range folded {
			product[i] *= power(c, steps)
		}
		finite *= math.Pow(1-d.beyond, float64(steps))
		first += d.first * steps
	}
	transform(product) // twice is the way back, in reverse
	out := &distribution{interval: interval, first: low, p: make([]float64, n), beyond: 1 - finite + composedTail}
	for i := range out.p {
		at := (first - low - i) % size
		if at < 0 {
			at += size
		}
		out.p[i] = max(real(product[at])/float64(size), 0)
	}
	return out, nil
}

// power is c to the power of n.
func power(c complex128, n int) complex128 {
	r, angle := cmplx.Polar(c)
	if r == 0 {
		return 0
	}
	return cmplx.Rect(math.Exp(float64(n)*math.Log(r)), math.Remainder(angle*float64(n), 2*math.Pi))
}

// bounds are losses, in intervals, between which the sum is but for composedTail, by
// Chernoff's bound: P(L ≥ x) ≤ E e^{tL} / e^{tx} for any t.
func bounds(events []Event, all []*distribution) (low, high int) {
	lower, upper := math.Inf(-1), math.Inf(1)
	for t := 1e-3; t < 1e4; t *= 1.3 {
		lower = max(lower, -chernoff(events, all, -t))
		upper = min(upper, chernoff(events, all, t))
	}
	most, least := 0, 0
	for k, d := range all {
		least += d.first * events[k].Steps
		most += (d.first + len(d.p) - 1) * events[k].Steps
	}
	interval := all[0].interval
	low, high = least, most
	if v := math.Floor(lower / interval); v > float64(least) {
		low = int(v)
	}
	if v := math.Ceil(upper / interval); v < float64(most) {
		high = int(v)
	}
	return low, high
}

// chernoff is the distance to 0, towards the sign of t, that the sum passes with a
// probability of half of composedTail at most.
func chernoff(events []Event, all []*distribution, t float64) float64 {
	sum := 0.0
	for k, d := range all {
		first, last := 0, len(d.p)-1 // of what is added up
		for first <= last && d.p[first] == 0 {
			first++
		}
		for first < last && d.p[last] == 0 {
			last--
		}
		if first > last { // all is beyond
			return math.Inf(1)
		}
		most := max(t*d.loss(first), t*d.loss(last))
		mean := 0.0
		for i, p := range d.p {
			mean += p * math.Exp(t*d.loss(i)-most)
		}
		sum += float64(events[k].Steps) * (math.Log(mean) + most)
	}
	return (sum - math.Log(composedTail/2)) / math.Abs(t)
}

// transform is the discrete Fourier transform of 2ⁿ numbers, in place. (A library would come
// with every program that imports dl.)
//
// Source: Cooley and Tukey (1965).
func transform(x []complex128) {
	n := len(x)
	shift := 64 - bits.Len(uint(n-1))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	root := make([]complex128, n/2)
	for i := range root {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / float64(n))
		root[i] = complex(cos, sin)
	}
	for half := 1; half < n; half *= 2 {
		step := n / (2 * half)
		for from := 0; from < n; from += 2 * half {
			for k := range half {
				a, b := x[from+k], x[from+k+half]*root[k*step]
				x[from+k], x[from+k+half] = a+b, a-b
			}
		}
	}
}
