// Package safetensors reads and writes files of named tensors of float32, and of whole numbers of 8 bits.
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
	"slices"

	"github.com/gradbook/gradbook/dl/internal/atomicfile"
)

// Tensor is a named tensor.
type Tensor struct {
	Name   string
	Shape  []int
	Values []float32
	// Whole says that the values are whole numbers from −128 to 127, for which a file has 8 bits each.
	Whole bool
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
	all := slices.Clone(f.Tensors) // floats first, so that all are aligned
	slices.SortStableFunc(all, func(a, b Tensor) int { return b.width() - a.width() })
	for _, t := range all {
		if header[t.Name] != nil {
			return fmt.Errorf("expected tensors of different names, got two named %q", t.Name)
		}
		end := at + int64(t.width())*int64(len(t.Values))
		header[t.Name] = entry{t.dtype(), append([]int{}, t.Shape...), [2]int64{at, end}}
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
		for _, t := range all {
			if err := binary.Write(w, binary.LittleEndian, t.stored()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t Tensor) dtype() string {
	if t.Whole {
		return "I8"
	}
	return "F32"
}

// width is how many bytes a number has in a file.
func (t Tensor) width() int { return int(Widths[t.dtype()] / 8) }

// stored is what a file has of the values.
func (t Tensor) stored() any {
	if !t.Whole {
		return t.Values
	}
	whole := make([]int8, len(t.Values))
	for i, v := range t.Values {
		whole[i] = int8(v)
	}
	return whole
}
