package plain

import "math"

// What is computed number by number is computed in place.

type float interface{ float32 | float64 }

// each applies a function of math's, or one below, to all numbers.
func each[T float](x tensor[T], f func(float64) float64) tensor[T] {
	for i, v := range x.data {
		x.data[i] = T(f(float64(v)))
	}
	return x
}

func relu[T number](x tensor[T]) tensor[T] {
	for i, v := range x.data {
		if v < 0 {
			x.data[i] = 0
		}
	}
	return x
}

func neg[T number](x tensor[T]) tensor[T] {
	for i, v := range x.data {
		x.data[i] = -v
	}
	return x
}

func abs[T number](x tensor[T]) tensor[T] {
	for i, v := range x.data {
		if v < 0 || v == 0 {
			x.data[i] = 0 - v
		}
	}
	return x
}

func sign[T number](x tensor[T]) tensor[T] {
	var one T = 1
	for i, v := range x.data {
		switch {
		case v > 0:
			x.data[i] = one
		case v < 0:
			x.data[i] = 0 - one
		}
	}
	return x
}

// clip keeps numbers within two others, either of which may be missing.
func clip[T number](x tensor[T], low, high []T) tensor[T] {
	for i, v := range x.data {
		if len(low) > 0 && v < low[0] {
			v = low[0]
		}
		if len(high) > 0 && v > high[0] {
			v = high[0]
		}
		x.data[i] = v
	}
	return x
}

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

func reciprocal(v float64) float64 { return 1 / v }

func softsign(v float64) float64 { return v / (1 + math.Abs(v)) }

// softplus is log(1 + eᵛ), which must not overflow.
func softplus(v float64) float64 { return max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))) }

func mish(v float64) float64 { return v * math.Tanh(softplus(v)) }

func hardSwish(v float64) float64 { return v * max(0, min(1, v/6+0.5)) }

func gelu(v float64) float64 { return 0.5 * v * (1 + math.Erf(v/math.Sqrt2)) }

func geluByTanh(v float64) float64 {
	return 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
}

func leakyRelu(alpha float64) func(float64) float64 {
	return func(v float64) float64 {
		if v < 0 {
			return alpha * v
		}
		return v
	}
}

func elu(alpha float64) func(float64) float64 {
	return func(v float64) float64 {
		if v < 0 {
			return alpha * math.Expm1(v)
		}
		return v
	}
}

func celu(alpha float64) func(float64) float64 {
	return func(v float64) float64 { return max(0, v) + min(0, alpha*math.Expm1(v/alpha)) }
}

func selu(alpha, gamma float64) func(float64) float64 {
	return func(v float64) float64 {
		if v > 0 {
			return gamma * v
		}
		return gamma * alpha * math.Expm1(v)
	}
}

func hardSigmoid(alpha, beta float64) func(float64) float64 {
	return func(v float64) float64 { return max(0, min(1, alpha*v+beta)) }
}

func thresholdedRelu(alpha float64) func(float64) float64 {
	return func(v float64) float64 {
		if v > alpha {
			return v
		}
		return 0
	}
}

func swish(alpha float64) func(float64) float64 {
	return func(v float64) float64 { return v * sigmoid(alpha*v) }
}

func shrink(lambda, bias float64) func(float64) float64 {
	return func(v float64) float64 {
		switch {
		case v < -lambda:
			return v + bias
		case v > lambda:
			return v - bias
		}
		return 0
	}
}

// pow is a power, whose exponents may be of another type.
func pow[T, E number](m *memory, x tensor[T], e tensor[E]) tensor[T] {
	y := alloc[T](m, broadcast(x.shape, e.shape)...)
	pairs(y.shape, x.shape, e.shape, func(o, i, j, n, si, sj int) {
		for k := range n {
			y.data[o+k] = T(math.Pow(float64(x.data[i+k*si]), float64(e.data[j+k*sj])))
		}
	})
	return y
}

// prelu has a slope below zero for each number, or for each of an axis.
func prelu[T number](m *memory, x, slope tensor[T]) tensor[T] {
	return combine(m, x, slope, func(v, s T) T {
		if v < 0 {
			return s * v
		}
		return v
	})
}
