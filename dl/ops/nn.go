package ops

// ReLU is max(x, 0).
func ReLU[T Value](x T) T { return one("relu", x) }

// ReLU6 is min(max(x, 0), 6).
func ReLU6[T Value](x T) T { return one("relu6", x) }

// Sigmoid is 1 / (1 + e⁻ˣ).
func Sigmoid[T Value](x T) T { return one("sigmoid", x) }

// HardSigmoid is min(max(x/6 + 1/2, 0), 1).
func HardSigmoid[T Value](x T) T { return one("hard_sigmoid", x) }

// Tanh is the hyperbolic tangent.
func Tanh[T Value](x T) T { return one("tanh", x) }

// Softplus is log(1 + eˣ).
func Softplus[T Value](x T) T { return one("softplus", x) }

// Softsign is x / (1 + |x|).
func Softsign[T Value](x T) T { return one("softsign", x) }

// SiLU is x · σ(x).
func SiLU[T Value](x T) T { return one("silu", x) }

// GELU is x Φ(x), with Φ the cumulative function of the normal distribution.
func GELU[T Value](x T) T { return one("gelu", x) }

// ELU is x above 0, and eˣ − 1 below.
func ELU[T Value](x T) T { return one("elu", x) }

// SELU is the self-normalising ELU.
func SELU[T Value](x T) T { return one("selu", x) }

// Mish is x tanh(log(1 + eˣ)).
func Mish[T Value](x T) T { return one("mish", x) }

// LeakyReLU is x above 0, and slope · x below.
func LeakyReLU[T Value](x T, slope float64) T {
	return apply(operation{Op: "leaky_relu", Numbers: []float64{slope}}, x)
}

// Softmax makes a probability distribution of an axis.
func Softmax[T Value](x T, axis int) T { return along("softmax", x, []int{axis}) }

// LogSoftmax is the logarithm of Softmax, computed without taking it.
func LogSoftmax[T Value](x T, axis int) T { return along("log_softmax", x, []int{axis}) }

// OneHot makes vectors of class numbers, along a new last axis.
func OneHot[T Value](x T, classes int) T { return along("one_hot", x, []int{classes}) }

// StopGradient is x, of which no gradient comes back.
func StopGradient[T Value](x T) T { return one("stop_gradient", x) }
