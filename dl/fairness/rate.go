package fairness

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Rate is a part of cases: K of N, with an interval that contains the true rate with the
// confidence that was asked for.
//
// Source of the interval: Wilson (1927).
type Rate struct {
	K, N      int
	Low, High float64
}

// Value is K/N; NaN without cases.
func (r Rate) Value() float64 { return float64(r.K) / float64(r.N) }

// String is the rate in percent, with its cases.
func (r Rate) String() string {
	if r.N == 0 {
		return "no cases"
	}
	return fmt.Sprintf("%.1f %% of %d", 100*r.Value(), r.N)
}

func newRate(k, n int, confidence float64) Rate {
	r := Rate{K: k, N: n, High: 1}
	if n == 0 {
		return r
	}
	z, p, cases := quantile(confidence), r.Value(), float64(n)
	middle := (p + z*z/(2*cases)) / (1 + z*z/cases)
	half := z / (1 + z*z/cases) * math.Sqrt(p*(1-p)/cases+z*z/(4*cases*cases))
	r.Low, r.High = max(middle-half, 0), min(middle+half, 1)
	return r
}

func quantile(confidence float64) float64 {
	return distuv.UnitNormal.Quantile(1 - (1-confidence)/2)
}

// Difference is how far the rates of two groups are apart: that of Higher minus that of
// Lower, which is at least 0, with an interval that contains the true difference with the
// confidence that was asked for. If it contains 0, chance explains what was found. (Of many
// groups the two were chosen for being far apart, which makes the interval too narrow.)
//
// Source of the interval: Newcombe (1998), Statistics in Medicine 17, method 10.
type Difference struct {
	Metric        string
	Higher, Lower string
	A, B          Rate // of Higher and Lower
	Low, High     float64
}

// Value is the difference.
func (d Difference) Value() float64 { return d.A.Value() - d.B.Value() }

// Ratio is the lower rate by the higher; NaN if both are 0.
func (d Difference) Ratio() float64 { return d.B.Value() / d.A.Value() }

// Chance says whether the interval contains 0.
func (d Difference) Chance() bool { return d.Low <= 0 }

// String is the difference in points, with its interval.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %.1f points between %s (%v) and %s (%v); %.1f to %.1f",
		d.Metric, 100*d.Value(), d.Higher, d.A, d.Lower, d.B, 100*d.Low, 100*d.High)
}

func newDifference(metric string, names []string, rates []Rate) (Difference, error) {
	high, low := 0, 0
	for i, r := range rates {
		if r.N == 0 {
			return Difference{}, fmt.Errorf("fairness: %s: expected cases in each group, got none in %q", metric, names[i])
		}
		if r.Value() > rates[high].Value() {
			high = i
		}
		if r.Value() < rates[low].Value() {
			low = i
		}
	}
	if high == low { // all are the same
		low = len(rates) - 1
	}
	d := Difference{Metric: metric, Higher: names[high], Lower: names[low], A: rates[high], B: rates[low]}
	a, b := d.A, d.B
	d.Low = d.Value() - math.Hypot(a.Value()-a.Low, b.High-b.Value())
	d.High = d.Value() + math.Hypot(a.High-a.Value(), b.Value()-b.Low)
	return d, nil
}
