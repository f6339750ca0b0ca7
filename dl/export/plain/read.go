package plain

import (
	"encoding/binary"
	"fmt"
	"math"
)

// reader reads weights from a file, little-endian and one after the other.
type reader struct{ rest string }

func (r *reader) next(n int) string {
	if len(r.rest) < n {
		panic(fmt.Sprintf("the file of weights is not this model's: %d bytes are missing", n-len(r.rest)))
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// read reads a tensor.
func read[T any](r *reader, shape ...int) tensor[T] {
	y := tensor[T]{shape: shape, data: make([]T, count(shape), count(shape)+slack)}
	if _, err := binary.Decode([]byte(r.next(binary.Size(y.data))), binary.LittleEndian, y.data); err != nil {
		panic(err)
	}
	return y
}

// readRounded reads a tensor of whole numbers of 8 bits, before which their scales are. So
// many numbers behind one another have the same scale.
func readRounded(r *reader, scales, inner int, shape ...int) tensor[float32] {
	by := make([]float32, scales)
	raw := r.next(4 * scales)
	for i := range by {
		by[i] = math.Float32frombits(binary.LittleEndian.Uint32([]byte(raw[4*i:][:4])))
	}
	y := tensor[float32]{shape: shape, data: make([]float32, count(shape), count(shape)+slack)}
	raw = r.next(len(y.data))
	for i := range y.data {
		y.data[i] = float32(int8(raw[i])) * by[i/inner%scales]
	}
	return y
}
