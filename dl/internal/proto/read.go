package proto

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// deepest is how far graphs may stand in each other: files nest them a few times.
const deepest = 32

var errDeep = errors.New("expected graphs that stand in each other at most 32 times")

// field is one field of a message.
type field struct {
	number protowire.Number
	data   []byte // of a field of bytes
	value  uint64 // of a number
}

// fields calls f for each field of a message.
func fields(b []byte, f func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("expected an ONNX file: %w", protowire.ParseError(n))
		}
		b = b[n:]
		at := field{number: number}
		switch kind {
		case protowire.VarintType:
			at.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			at.value = uint64(v)
		case protowire.Fixed64Type:
			at.value, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			at.data, n = protowire.ConsumeBytes(b)
			if at.data == nil {
				at.data = []byte{}
			}
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return fmt.Errorf("expected an ONNX file: %w", protowire.ParseError(n))
		}
		b = b[n:]
		if err := f(at); err != nil {
			return err
		}
	}
	return nil
}

// packed reads repeated numbers, which may be one by one or together; size is that of
// each in bytes, 0 for varints.
func (f field) packed(size int, add func(uint64)) error {
	if f.data == nil {
		add(f.value)
		return nil
	}
	for data := f.data; len(data) > 0; {
		var v uint64
		var n int
		switch size {
		case 4:
			var w uint32
			w, n = protowire.ConsumeFixed32(data)
			v = uint64(w)
		case 8:
			v, n = protowire.ConsumeFixed64(data)
		default:
			v, n = protowire.ConsumeVarint(data)
		}
		if n < 0 {
			return fmt.Errorf("expected an ONNX file: %w", protowire.ParseError(n))
		}
		data = data[n:]
		add(v)
	}
	return nil
}

func (f field) floats(to *[]float32) error {
	return f.packed(4, func(v uint64) { *to = append(*to, math.Float32frombits(uint32(v))) })
}

func (f field) ints(to *[]int64) error {
	return f.packed(0, func(v uint64) { *to = append(*to, int64(v)) })
}

// Read reads a file's bytes, of which tensors keep their parts.
func Read(b []byte) (*Model, error) {
	p := &Model{Opsets: make(map[string]int)}
	return p, fields(b, func(f field) error {
		switch f.number {
		case 1:
			p.IRVersion = int64(f.value)
		case 2:
			p.Producer = string(f.data)
		case 7:
			return p.Graph.read(f.data, 0)
		case 8:
			return opset(f.data, p.Opsets)
		case 25:
			fn := Function{Defaults: make(map[string]Attribute), Opsets: make(map[string]int)}
			err := fn.read(f.data)
			p.Functions = append(p.Functions, fn)
			return err
		}
		return nil
	})
}

func opset(b []byte, to map[string]int) error {
	domain, version := "", 0
	err := fields(b, func(f field) error {
		switch f.number {
		case 1:
			domain = string(f.data)
		case 2:
			version = int(int64(f.value))
		}
		return nil
	})
	to[Domain(domain)] = version
	return err
}

// Domain is a domain's one name: ONNX's own is "", and also written "ai.onnx".
func Domain(name string) string {
	if name == "ai.onnx" {
		return ""
	}
	return name
}

func (p *Graph) read(b []byte, depth int) error {
	if depth > deepest {
		return errDeep
	}
	return fields(b, func(f field) (err error) {
		switch f.number {
		case 1:
			var n Node
			err = n.read(f.data, depth)
			p.Nodes = append(p.Nodes, n)
		case 2:
			p.Name = string(f.data)
		case 5:
			var t Tensor
			err = t.read(f.data)
			p.Initializers = append(p.Initializers, t)
		case 11, 12:
			var v Value
			err = v.read(f.data)
			if f.number == 11 {
				p.Inputs = append(p.Inputs, v)
			} else {
				p.Outputs = append(p.Outputs, v)
			}
		case 15:
			name := "without a name"
			err = fields(f.data, func(f field) error {
				if f.number != 1 {
					return nil
				}
				var t Tensor
				err := t.read(f.data)
				name = t.Name
				return err
			})
			p.Sparse = append(p.Sparse, name)
		}
		return err
	})
}

func (p *Function) read(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			p.Name = string(f.data)
		case 4:
			p.In = append(p.In, string(f.data))
		case 5:
			p.Out = append(p.Out, string(f.data))
		case 6:
			p.Attributes = append(p.Attributes, string(f.data))
		case 7:
			var n Node
			err := n.read(f.data, 0)
			p.Nodes = append(p.Nodes, n)
			return err
		case 9:
			return opset(f.data, p.Opsets)
		case 10:
			p.Domain = Domain(string(f.data))
		case 11:
			var a Attribute
			name, err := a.read(f.data, 0)
			p.Defaults[name] = a
			return err
		}
		return nil
	})
}

func (p *Node) read(b []byte, depth int) error {
	p.Attributes = make(map[string]Attribute)
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			p.In = append(p.In, string(f.data))
		case 2:
			p.Out = append(p.Out, string(f.data))
		case 3:
			p.Name = string(f.data)
		case 4:
			p.Op = string(f.data)
		case 7:
			p.Domain = Domain(string(f.data))
		case 5:
			var a Attribute
			name, err := a.read(f.data, depth)
			if _, doubled := p.Attributes[name]; doubled && err == nil {
				return fmt.Errorf("node %q: its attribute %s is there twice", p.Name, name)
			}
			p.Attributes[name] = a
			p.Order = append(p.Order, name)
			return err
		}
		return nil
	})
}

func (p *Attribute) read(b []byte, depth int) (name string, err error) {
	err = fields(b, func(f field) error {
		switch f.number {
		case 1:
			name = string(f.data)
		case 2:
			p.F = math.Float32frombits(uint32(f.value))
		case 3:
			p.I = int64(f.value)
		case 4:
			p.S = string(f.data)
		case 5:
			p.T = &Tensor{}
			return p.T.read(f.data)
		case 6:
			p.G = &Graph{}
			return p.G.read(f.data, depth+1)
		case 7:
			return f.floats(&p.Floats)
		case 8:
			return f.ints(&p.Ints)
		case 9:
			p.Strings = append(p.Strings, string(f.data))
		case 20:
			p.Kind = int(f.value)
		case 21:
			p.Ref = string(f.data)
		}
		return nil
	})
	return name, err
}

func (v *Value) read(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			v.Name = string(f.data)
		case 2:
			return v.readType(f.data)
		}
		return nil
	})
}

func (v *Value) readType(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return fields(f.data, func(f field) error {
				switch f.number {
				case 1:
					v.Kind = int(f.value)
				case 2:
					v.Ranked = true
					return fields(f.data, v.readDim)
				}
				return nil
			})
		case 4:
			v.Other = "a sequence"
		case 5:
			v.Other = "a map"
		case 8:
			v.Other = "a sparse tensor"
		case 9:
			v.Other = "an optional value"
		}
		return nil
	})
}

func (v *Value) readDim(f field) error {
	d := Dim{Size: -1}
	err := fields(f.data, func(f field) error {
		switch f.number {
		case 1:
			d.Size = int64(f.value)
		case 2:
			d.Name = string(f.data)
		}
		return nil
	})
	v.Dims = append(v.Dims, d)
	return err
}
