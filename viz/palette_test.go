package viz

import (
	"math"
	"testing"
)

// linear is a colour in linear light, red, green and blue.
func linear(hex string) (c [3]float64) {
	n := rgb(hex)
	for i, v := range []uint8{n.R, n.G, n.B} {
		if x := float64(v) / 255; x <= 0.04045 {
			c[i] = x / 12.92
		} else {
			c[i] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return c
}

func times(m [3][3]float64, v [3]float64) (out [3]float64) {
	for i, row := range m {
		for k, x := range row {
			out[i] += x * v[k]
		}
	}
	return out
}

func luminance(c [3]float64) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

// contrast is WCAG's.
func contrast(a, b string) float64 {
	x, y := luminance(linear(a)), luminance(linear(b))
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// sights are how people see linear light: with all cones, and without one kind of them
// (Machado, Oliveira, Fernandes, 2009).
var sights = map[string][3][3]float64{
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// oklab is a colour as distances between colours are seen (Ottosson, 2020).
func oklab(c [3]float64) [3]float64 {
	l := times([3][3]float64{{0.4122214708, 0.5363325363, 0.0514459929}, {0.2119034982, 0.6806995451, 0.1073969566}, {0.0883024619, 0.2817188376, 0.6299787005}}, c)
	for i := range l {
		l[i] = math.Cbrt(max(l[i], 0))
	}
	return times([3][3]float64{{0.2104542553, 0.7936177850, -0.0040720468}, {1.9779984951, -2.4285922050, 0.4505937099}, {0.0259040371, 0.7827717662, -0.8086757660}}, l)
}

// TestPalette: each colour stands out from a white and from a dark page, and from all others for
// everybody: two that are 0.02 apart can just be told, when they are side by side.
func TestPalette(t *testing.T) {
	for _, c := range append([]string{trainColor, validationColor, thirdColor, wrongColor, softColor}, palette...) {
		for _, page := range []string{"#ffffff", "#111111"} {
			if r := contrast(c, page); r < 3 {
				t.Errorf("expected a contrast of 3 of %s with %s, got %.2f", c, page, r)
			}
		}
	}
	for name, sight := range sights {
		seen := func(hex string) [3]float64 {
			c := times(sight, linear(hex))
			for i := range c {
				c[i] = min(max(c[i], 0), 1)
			}
			return oklab(c)
		}
		for i, a := range palette {
			for k, b := range palette[:i] {
				x, y := seen(a), seen(b)
				d := math.Hypot(math.Hypot(x[0]-y[0], x[1]-y[1]), x[2]-y[2])
				if d < 0.08 {
					t.Errorf("%s: expected %s and %s (numbers %d and %d) to be 0.08 apart, got %.3f", name, b, a, k, i, d)
				}
			}
		}
	}
}
