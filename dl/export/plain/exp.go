package plain

import "math"

// The exponential functions of float32, to a few units of the last place, are after Cephes
// (expf.c, tanhf.c): half the time of math's, which are of float64.
//
// Source: https://www.netlib.org/cephes/

func exp32(x float32) float32 {
	if !(x > -87 && x < 88) {
		return float32(math.Exp(float64(x)))
	}
	half := float32(0.5)
	if x < 0 {
		half = -half
	}
	k := int32(x*1.44269504088896341 + half)
	r := x - float32(k)*0.693359375
	r += float32(k) * 2.12194440e-4
	p := (((((1.9875691500e-4*r+1.3981999507e-3)*r+8.3334519073e-3)*r+4.1665795894e-2)*r+1.6666665459e-1)*r + 5.0000001201e-1) * r
	return (p*r + r + 1) * math.Float32frombits(uint32(k+127)<<23)
}

func sigmoid32(x float32) float32 { return 1 / (1 + exp32(-x)) }

func tanh32(x float32) float32 {
	if x > -0.625 && x < 0.625 {
		s := x * x
		return ((((-5.70498872745e-3*s+2.06390887954e-2)*s-5.37397155531e-2)*s+1.33314422036e-1)*s-3.33332819422e-1)*s*x + x
	}
	return 1 - 2/(exp32(2*x)+1)
}

// each32 applies a function of float32.
func each32(x tensor[float32], f func(float32) float32) tensor[float32] {
	for i, v := range x.data {
		x.data[i] = f(v)
	}
	return x
}

// narrow is a function of float64 as one of float32.
func narrow(f func(float64) float64) func(float32) float32 {
	return func(x float32) float32 { return float32(f(float64(x))) }
}
