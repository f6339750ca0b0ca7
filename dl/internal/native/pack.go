package native

import (
	"encoding/binary"
	"math"
)

// Weights of whole numbers go to the kernels in an order of their own: four numbers of a run behind one
// another, for as many filters as fill panels, and behind all of them the sum of each filter's, in four
// bytes.
const (
	quad  = 4
	panel = 16
)

// MostProducts is how many products of whole numbers, of up to 255 and 128, have a sum that fits into 32 bits.
const MostProducts = math.MaxInt32 / (255 * 128)

// PackedShape is the shape of weights, [runs, length, filters], as Pack makes them.
func PackedShape(runs, length, filters int) []int {
	return []int{runs*((length+quad-1)/quad) + 1, (filters + panel - 1) / panel * panel, quad}
}

// Pack puts weights, [runs, length, filters], whole numbers from −128 to 127, into the order of the kernels.
func Pack(values []float32, runs, length, filters int) []int8 {
	shape := PackedShape(runs, length, filters)
	quads, panels := (shape[0]-1)/runs, shape[1]
	packed := make([]int8, shape[0]*panels*quad)
	sums := make([]int32, filters)
	for i, v := range values {
		r, k, f := i/filters/length, i/filters%length, i%filters
		packed[((r*quads+k/quad)*panels+f)*quad+k%quad] = int8(v)
		sums[f] += int32(v)
	}
	behind := packed[(shape[0]-1)*panels*quad:]
	for f, sum := range sums {
		var bytes [4]byte
		binary.NativeEndian.PutUint32(bytes[:], uint32(sum))
		for i, b := range bytes {
			behind[f*quad+i] = int8(b)
		}
	}
	return packed
}

// Unpack is what Pack had.
func Unpack(packed []int8, runs, length, filters int) []float32 {
	shape := PackedShape(runs, length, filters)
	quads, panels := (shape[0]-1)/runs, shape[1]
	values := make([]float32, runs*length*filters)
	for i := range values {
		r, k, f := i/filters/length, i/filters%length, i%filters
		values[i] = float32(packed[((r*quads+k/quad)*panels+f)*quad+k%quad])
	}
	return values
}
