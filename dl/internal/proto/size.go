package proto

import (
	"fmt"
	"math"
	"strconv"
)

// widths are the sizes of numbers in bytes.
var widths = map[int]int{
	Float: 4, Uint8: 1, Int8: 1, Uint16: 2, Int16: 2, Int32: 4, Int64: 8, Bool: 1, Float16: 2, Double: 8, Uint32: 4,
	Uint64: 8, Complex64: 8, Complex128: 16, BFloat16: 2, Float8E4M3FN: 1, Float8E4M3FNUZ: 1, Float8E5M2: 1,
	Float8E5M2FNUZ: 1, Float8E8M0: 1,
}

// Width is the size of a number of the tensor's type in bytes; 0 if it is no whole number
// of bytes, or none at all.
func (t *Tensor) Width() int { return widths[t.Kind] }

// Size is the number of numbers that a tensor has by its shape.
func (t *Tensor) Size() (int, error) {
	n := int64(1)
	for _, d := range t.Dims {
		if d < 0 {
			return 0, fmt.Errorf("tensor %q: expected dimensions of at least 0, got %v", t.Name, t.Dims)
		}
		if d > 0 && n > math.MaxInt32*64/d {
			return 0, fmt.Errorf("tensor %q: a shape of %v is too large", t.Name, t.Dims)
		}
		n *= d
	}
	return int(n), nil
}

// check compares the numbers with the shape.
func (t *Tensor) check() error {
	n, err := t.Size()
	if err != nil {
		return err
	}
	if KindNames[t.Kind] == "" {
		return fmt.Errorf("tensor %q: expected a type of ONNX, got number %d", t.Name, t.Kind)
	}
	if t.External != nil || t.Kind == String {
		return nil
	}
	want := n * t.Width()
	switch t.Kind {
	case Uint4, Int4, Float4E2M1:
		want = (n + 1) / 2
	case Uint2, Int2:
		want = (n + 3) / 4
	}
	if len(t.Raw) != want {
		return fmt.Errorf("tensor %q: expected %d bytes of %s for shape %v, got %d", t.Name, want, KindNames[t.Kind], t.Dims, len(t.Raw))
	}
	return nil
}

// From takes the numbers of a tensor that is in a file of its own from that file's bytes.
func (t *Tensor) From(file []byte) error {
	n, err := t.Size()
	if err != nil {
		return err
	}
	from, size := int64(0), int64(n*t.Width())
	for key, to := range map[string]*int64{"offset": &from, "length": &size} {
		if text, ok := t.External[key]; ok {
			if *to, err = strconv.ParseInt(text, 10, 64); err != nil {
				return fmt.Errorf("tensor %q: expected a number as %s, got %q", t.Name, key, text)
			}
		}
	}
	if from < 0 || size < 0 || from > int64(len(file)) || size > int64(len(file))-from {
		return fmt.Errorf("tensor %q: its file has %d bytes, too few for %d from %d on", t.Name, len(file), size, from)
	}
	t.Raw, t.External = file[from:from+size:from+size], nil
	return t.check()
}
