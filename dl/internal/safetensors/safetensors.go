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
