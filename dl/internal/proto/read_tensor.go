package proto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// read reads a tensor, whose numbers may be in one of several fields.
func (t *Tensor) read(b []byte) error {
	var numbers []uint64 // of the fields for single numbers
	typed := 0
	err := fields(b, func(f field) error {
		add := func(v uint64) { numbers = append(numbers, v) }
		switch f.number {
		case 1:
			return f.ints(&t.Dims)
		case 2:
			t.Kind = int(f.value)
		case 3:
			return fmt.Errorf("tensor %q is in segments, which is not supported", t.Name)
		case 4:
			typed = 4
			return f.packed(4, add)
		case 5, 7, 11:
			typed = int(f.number)
			return f.packed(0, add)
		case 6:
			typed = 6
		case 8:
			t.Name = string(f.data)
		case 9:
			t.Raw = f.data
		case 10:
			typed = 10
			return f.packed(8, add)
		case 13:
			return t.external(f.data)
		case 14:
			if f.value == 1 && t.External == nil {
				t.External = make(map[string]string)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if typed != 0 && t.Raw != nil {
		return fmt.Errorf("tensor %q: expected its numbers in one field, got them in two", t.Name)
	}
	if len(numbers) > 0 {
		if want := fieldOf(t.Kind); typed != want {
			return fmt.Errorf("tensor %q: expected numbers of %s in field %d, got them in %d", t.Name, KindNames[t.Kind], want, typed)
		}
		if err := t.pack(numbers); err != nil {
			return err
		}
	}
	return t.check()
}

// fieldOf is the field that has the single numbers of a type.
func fieldOf(kind int) int {
	switch kind {
	case Float, Complex64:
		return 4
	case Int64:
		return 7
	case Double, Complex128:
		return 10
	case Uint32, Uint64:
		return 11
	}
	return 5
}

func (t *Tensor) external(b []byte) error {
	if t.External == nil {
		t.External = make(map[string]string)
	}
	key, value := "", ""
	err := fields(b, func(f field) error {
		switch f.number {
		case 1:
			key = string(f.data)
		case 2:
			value = string(f.data)
		}
		return nil
	})
	t.External[key] = value
	return err
}

// pack turns single numbers, as wide as their field, into the format's bytes. Complex
// numbers are two floats; numbers of less than a byte come packed already.
func (t *Tensor) pack(numbers []uint64) error {
	width := t.Width()
	switch t.Kind {
	case Complex64:
		width = 4
	case Complex128:
		width = 8
	case Uint4, Int4, Float4E2M1, Uint2, Int2:
		width = 1
	}
	if width == 0 {
		return fmt.Errorf("tensor %q: expected numbers, got type %d", t.Name, t.Kind)
	}
	raw := make([]byte, 0, width*len(numbers))
	for _, v := range numbers {
		switch width {
		case 1:
			raw = append(raw, byte(v))
		case 2:
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		case 4:
			raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
		default:
			raw = binary.LittleEndian.AppendUint64(raw, v)
		}
	}
	t.Raw = raw
	return nil
}

// FloatTensor is a tensor of float32.
func FloatTensor(name string, dims []int64, values []float32) Tensor {
	t := Tensor{Name: name, Dims: dims, Kind: Float, Raw: make([]byte, 0, 4*len(values))}
	for _, v := range values {
		t.Raw = binary.LittleEndian.AppendUint32(t.Raw, math.Float32bits(v))
	}
	return t
}

// IntTensor is a tensor of int64.
func IntTensor(name string, dims, values []int64) Tensor {
	t := Tensor{Name: name, Dims: dims, Kind: Int64, Raw: make([]byte, 0, 8*len(values))}
	for _, v := range values {
		t.Raw = binary.LittleEndian.AppendUint64(t.Raw, uint64(v))
	}
	return t
}

// ByteTensor is a tensor of a kind whose numbers are bytes.
func ByteTensor(name string, dims []int64, kind int, raw []byte) Tensor {
	return Tensor{Name: name, Dims: dims, Kind: kind, Raw: raw}
}

// ReadTensor reads a TensorProto that stands alone, as ONNX's test data have them.
func ReadTensor(b []byte) (*Tensor, error) {
	var t Tensor
	if err := t.read(b); err != nil {
		return nil, err
	}
	if t.External != nil {
		return nil, errors.New("expected the tensor's numbers with it, got a reference to another file")
	}
	return &t, nil
}
