package viz

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
)

// color is what a value is drawn in.
func (s scale) color(v float64) color.NRGBA {
	if math.IsNaN(v) {
		return color.NRGBA{}
	}
	share := min(max(v/2-s.low/2, 0)/(s.high/2-s.low/2), 1) // halves, since the range of huge values is infinite
	if math.IsNaN(share) {
		share = 0
	}
	t := share * float64(len(s.ramp)-1)
	i := min(int(t), len(s.ramp)-2)
	return mix(rgb(s.ramp[i].(string)), rgb(s.ramp[i+1].(string)), t-float64(i))
}

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	m := func(x, y uint8) uint8 { return uint8(math.Round(float64(x)*(1-t) + float64(y)*t)) }
	return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), m(a.A, b.A)}
}

// rgb reads a colour such as #3b82f6.
func rgb(s string) color.NRGBA {
	v, _ := strconv.ParseUint(s[1:], 16, 32) // they are this package's
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

// picture colours a matrix, each cell a square of some pixels.
func (m matrix) picture(s scale, pixels int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, m.cols*pixels, m.rows*pixels))
	for i := range m.rows {
		for j := range m.cols {
			c := s.color(m.at(i, j))
			for y := range pixels {
				for x := range pixels {
					img.SetNRGBA(j*pixels+x, i*pixels+y, c)
				}
			}
		}
	}
	return img
}

// enlarge is how many pixels a cell needs so that its edges stay sharp when the
// picture is scaled.
func enlarge(m matrix) int { return min(max(600/max(m.rows, m.cols), 1), 16) }

// dataURL is an image as text.
func dataURL(img image.Image) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(encodePNG(img))
}

func encodePNG(img image.Image) []byte {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, img); err != nil {
		return nil // a buffer does not fail, and the sizes are checked
	}
	return b.Bytes()
}
