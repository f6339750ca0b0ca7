// Package safetensors reads and writes files of named tensors of float32.
//
// A file is the length of its header as a little-endian uint64, the header, which is
// JSON, and the tensors' bytes. It holds no code, and what it says of itself is checked
// before anything is read.
//
// Source: https://github.com/huggingface/safetensors#format
package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes/float16"

	"github.com/gradbook/gradbook/dl/internal/atomicfile"
)

// Tensor is a named tensor.
type Tensor struct {
	Name   string
	Shape  []int
	Values []float32
}

// File is what a file holds: strings by name, and tensors.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor
}

type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// maxHeader is the longest header that the format allows.
const maxHeader = 100_000_000

// Write writes a file, or leaves the one that there is.
func Write(path string, f File) error {
	header := make(map[string]any, len(f.Tensors)+1)
	if len(f.Metadata) > 0 {
		header["__metadata__"] = f.Metadata
	}
	var at int64
	for _, t := range f.Tensors {
		if header[t.Name] != nil {
			return fmt.Errorf("expected tensors of different names, got two named %q", t.Name)
		}
		end := at + 4*int64(len(t.Values))
		header[t.Name] = entry{"F32", append([]int{}, t.Shape...), [2]int64{at, end}}
		at = end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 { // so that the tensors are aligned
		text = append(text, ' ')
	}
	return atomicfile.Write(path, 0, func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		for _, t := range f.Tensors {
			if err := binary.Write(w, binary.LittleEndian, t.Values); err != nil {
				return err
			}
		}
		return nil
	})
}

// Read reads a file.
func Read(path string) (f File, err error) {
	r, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer func() { _ = r.Close() }()
	info, err := r.Stat()
	if err != nil {
		return f, err
	}
	header, rest, err := readHeader(r, info.Size())
	if err != nil {
		return f, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(header, &raw); err != nil {
		return f, fmt.Errorf("expected a header of JSON: %w", err)
	}
	if m, ok := raw["__metadata__"]; ok {
		if err := json.Unmarshal(m, &f.Metadata); err != nil {
			return f, fmt.Errorf("expected metadata of strings: %w", err)
		}
		delete(raw, "__metadata__")
	}
	start := info.Size() - rest
	for name, text := range raw {
		t, err := readTensor(r, start, rest, name, text)
		if err != nil {
			return f, fmt.Errorf("tensor %q: %w", name, err)
		}
		f.Tensors = append(f.Tensors, t)
	}
	slices.SortFunc(f.Tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	return f, nil
}

func readHeader(r io.Reader, size int64) (header []byte, rest int64, err error) {
	var n uint64
	if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
		return nil, 0, fmt.Errorf("expected at least 8 bytes, got %d", size)
	}
	if n > maxHeader || int64(n) > size-8 {
		return nil, 0, fmt.Errorf("expected a header within the file of %d bytes, got one of %d: the file is cut off, or none of safetensors", size, n)
	}
	header = make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, 0, err
	}
	return header, size - 8 - int64(n), nil
}

func readTensor(r io.ReaderAt, start, size int64, name string, text json.RawMessage) (t Tensor, err error) {
	var e entry
	if err := json.Unmarshal(text, &e); err != nil {
		return t, err
	}
	n := int64(1)
	for _, d := range e.Shape {
		if d < 0 || d > 0 && n > math.MaxInt64/8/int64(d) {
			return t, fmt.Errorf("expected a shape that fits into the file, got %v", e.Shape)
		}
		n *= int64(d)
	}
	bytes := map[string]int64{"F32": 4, "F64": 8, "F16": 2, "BF16": 2}[e.DType]
	if bytes == 0 {
		return t, fmt.Errorf("expected numbers of type F32, F64, F16 or BF16, got %q", e.DType)
	}
	from, to := e.Offsets[0], e.Offsets[1]
	if from < 0 || to > size || to-from != n*bytes {
		return t, fmt.Errorf("expected %d bytes for %s%v within the %d of the file, got %d to %d: the file is cut off or damaged", n*bytes, e.DType, e.Shape, size, from, to)
	}
	data := make([]byte, to-from)
	if _, err := r.ReadAt(data, start+from); err != nil {
		return t, err
	}
	return Tensor{name, append([]int{}, e.Shape...), decode(data, e.DType, int(n))}, nil
}

func decode(data []byte, dtype string, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		switch dtype {
		case "F32":
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		case "F64":
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		case "BF16":
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		case "F16":
			values[i] = float16.FromBits(binary.LittleEndian.Uint16(data[2*i:])).Float32()
		}
	}
	return values
}
