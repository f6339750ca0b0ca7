package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/wholefile"
)

// Widths are the types of numbers that the format has, and their sizes in bits.
//
// Source: https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs
var Widths = map[string]int64{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}

// Info is what a header says of a tensor.
type Info struct {
	Name, DType string
	Shape       []int
	from, size  int64 // within the tensors' bytes
}

// Source is a file whose tensors are read one by one.
type Source struct {
	Metadata map[string]string
	// Infos are the tensors by name, in the order of their names.
	Infos []Info

	file  *os.File
	start int64 // of the tensors' bytes
}

// Open reads a file's header, and checks it as the format's own reader does: the tensors fill
// the file without gaps, overlaps, or anything behind them, and no name is there twice.
func Open(path string) (*Source, error) {
	info, err := wholefile.Regular(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s := &Source{file: f}
	if err := s.readHeader(info.Size()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

func (s *Source) readHeader(size int64) error {
	var n uint64
	if err := binary.Read(s.file, binary.LittleEndian, &n); err != nil {
		return fmt.Errorf("expected at least 8 bytes, got %d", size)
	}
	if n > maxHeader || int64(n) > size-8 {
		return fmt.Errorf("expected a header within the file of %d bytes, got one of %d: the file is cut off, or none of safetensors", size, n)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(s.file, header); err != nil {
		return err
	}
	s.start = 8 + int64(n)
	raw, err := members(header)
	if err != nil {
		return err
	}
	for name, text := range raw {
		if name == "__metadata__" {
			if err := json.Unmarshal(text, &s.Metadata); err != nil {
				return fmt.Errorf("expected metadata of strings: %w", err)
			}
			continue
		}
		i, err := readInfo(name, text, size-s.start)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		s.Infos = append(s.Infos, i)
	}
	if err := s.fills(size - s.start); err != nil {
		return err
	}
	slices.SortFunc(s.Infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// members are those of the header's object; a name that is there twice is refused, where
// encoding/json would take the last.
func members(header []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(header))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("expected a header of JSON, got %.20q", header)
	}
	all := make(map[string]json.RawMessage)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("expected a header of JSON: %w", err)
		}
		name, _ := t.(string)
		if _, doubled := all[name]; doubled {
			return nil, fmt.Errorf("expected tensors of different names, got two named %q", name)
		}
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return nil, fmt.Errorf("expected a header of JSON: %w", err)
		}
		all[name] = text
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("expected a header of JSON: %w", err)
	}
	return all, nil
}

func readInfo(name string, text json.RawMessage, size int64) (i Info, err error) {
	var e entry
	if err := json.Unmarshal(text, &e); err != nil {
		return i, err
	}
	n := int64(1)
	for _, d := range e.Shape {
		if d < 0 || d > 0 && n > math.MaxInt64/64/int64(d) {
			return i, fmt.Errorf("expected a shape that fits into the file, got %v", e.Shape)
		}
		n *= int64(d)
	}
	bits := Widths[e.DType]
	if bits == 0 {
		return i, fmt.Errorf("expected a type of numbers that safetensors has, got %q", e.DType)
	}
	from, to := e.Offsets[0], e.Offsets[1]
	if from < 0 || to < from || to > size || n*bits%8 != 0 || to-from != n*bits/8 {
		return i, fmt.Errorf("expected %d bytes for %s%v within the %d of the file, got %d to %d: the file is cut off or damaged", n*bits/8, e.DType, e.Shape, size, from, to)
	}
	return Info{name, e.DType, append([]int{}, e.Shape...), from, to - from}, nil
}

// fills says whether the tensors lie one behind the other and fill the file.
func (s *Source) fills(size int64) error {
	slices.SortFunc(s.Infos, func(a, b Info) int {
		if a.from != b.from {
			return int(min(max(a.from-b.from, -1), 1))
		}
		return int(min(max(a.size-b.size, -1), 1))
	})
	at, last := int64(0), ""
	for _, i := range s.Infos {
		if i.from < at {
			return fmt.Errorf("tensors %q and %q overlap", last, i.Name)
		}
		if i.from > at {
			return fmt.Errorf("expected tensor %q at byte %d, got it at %d: there is a gap", i.Name, at, i.from)
		}
		at, last = i.from+i.size, i.Name
	}
	if at != size {
		return fmt.Errorf("expected tensors of %d bytes, got %d: there is more behind them", size, at)
	}
	return nil
}

// Size is how many bytes a tensor has.
func (i Info) Size() int64 { return i.size }

// Read reads a tensor's bytes into b, which must be as long as they are.
func (s *Source) Read(i Info, b []byte) error {
	if int64(len(b)) != i.size {
		return fmt.Errorf("tensor %q: expected room for %d bytes, got %d", i.Name, i.size, len(b))
	}
	if len(b) == 0 {
		return nil
	}
	_, err := s.file.ReadAt(b, s.start+i.from)
	return err
}
