package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"unsafe"

	"github.com/gomlx/compute/dtypes/float16"
)

// Read reads a file whose tensors are all floats, or whole numbers of 8 bits. One with numbers that are none is
// told of.
func Read(path string) (f File, err error) {
	s, err := Open(path)
	if err != nil {
		return f, err
	}
	defer func() { _ = s.Close() }()
	f.Metadata = s.Metadata
	for _, i := range s.Infos {
		values, err := s.floats(i)
		if err != nil {
			return f, fmt.Errorf("tensor %q: %w", i.Name, err)
		}
		if n := notNumbers(values); n > 0 {
			fmt.Fprintf(os.Stderr, "dl: %s: tensor %q has %d values that are no numbers (NaN)\n", path, i.Name, n)
		}
		f.Tensors = append(f.Tensors, Tensor{i.Name, i.Shape, values, i.DType == "I8"})
	}
	return f, nil
}

func notNumbers(values []float32) (n int) {
	for _, v := range values {
		if v != v {
			n++
		}
	}
	return n
}

// floats reads a tensor as float32.
func (s *Source) floats(i Info) ([]float32, error) {
	switch i.DType {
	case "F32", "F64", "F16", "BF16", "I8":
	default:
		return nil, fmt.Errorf("expected numbers of type F32, F64, F16, BF16 or I8, got %q", i.DType)
	}
	values := make([]float32, i.size*8/Widths[i.DType])
	if len(values) == 0 {
		return values, nil
	}
	if i.DType == "F32" && littleEndian {
		return values, s.Read(i, unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), i.size))
	}
	data := make([]byte, i.size)
	if err := s.Read(i, data); err != nil {
		return nil, err
	}
	for j := range values {
		switch i.DType {
		case "F32":
			values[j] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*j:]))
		case "I8":
			values[j] = float32(int8(data[j]))
		case "F64":
			values[j] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*j:])))
		case "BF16":
			values[j] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*j:])) << 16)
		case "F16":
			values[j] = float16.FromBits(binary.LittleEndian.Uint16(data[2*j:])).Float32()
		}
	}
	return values, nil
}

// littleEndian says whether memory has numbers as files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
