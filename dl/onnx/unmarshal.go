package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields calls f for each field of a message: with its bytes, or its number.
func fields(b []byte, f func(field protowire.Number, data []byte, number uint64) error) error {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("expected an ONNX file: %w", protowire.ParseError(n))
		}
		b = b[n:]
		var data []byte
		var number uint64
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			number = uint64(v)
		case protowire.Fixed64Type:
			number, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return fmt.Errorf("expected an ONNX file: %w", protowire.ParseError(n))
		}
		b = b[n:]
		if err := f(field, data, number); err != nil {
			return err
		}
	}
	return nil
}

func (p *modelProto) unmarshal(b []byte) error {
	return fields(b, func(field protowire.Number, data []byte, number uint64) error {
		switch field {
		case 1:
			p.irVersion = int64(number)
		case 2:
			p.producer = string(data)
		case 7:
			return p.graph.unmarshal(data)
		case 8:
			domain, version := "", int64(0)
			err := fields(data, func(field protowire.Number, data []byte, number uint64) error {
				switch field {
				case 1:
					domain = string(data)
				case 2:
					version = int64(number)
				}
				return nil
			})
			if domain == "" || domain == "ai.onnx" {
				p.opset = version
			}
			return err
		}
		return nil
	})
}

func (p *graphProto) unmarshal(b []byte) error {
	return fields(b, func(field protowire.Number, data []byte, _ uint64) (err error) {
		switch field {
		case 1:
			var n nodeProto
			err = n.unmarshal(data)
			p.nodes = append(p.nodes, n)
		case 2:
			p.name = string(data)
		case 5:
			var t tensorProto
			err = t.unmarshal(data)
			p.initializers = append(p.initializers, t)
		case 11, 12:
			var v valueProto
			err = v.unmarshal(data)
			if field == 11 {
				p.inputs = append(p.inputs, v)
			} else {
				p.outputs = append(p.outputs, v)
			}
		}
		return err
	})
}

func (p *nodeProto) unmarshal(b []byte) error {
	p.attributes = make(map[string]attribute)
	return fields(b, func(field protowire.Number, data []byte, _ uint64) error {
		switch field {
		case 1:
			p.in = append(p.in, string(data))
		case 2:
			p.out = append(p.out, string(data))
		case 3:
			p.name = string(data)
		case 4:
			p.op = string(data)
		case 7:
			p.domain = string(data)
		case 5:
			var a attribute
			name, err := a.unmarshal(data)
			p.attributes[name] = a
			return err
		}
		return nil
	})
}

func (a *attribute) unmarshal(b []byte) (name string, err error) {
	err = fields(b, func(field protowire.Number, data []byte, number uint64) error {
		switch field {
		case 1:
			name = string(data)
		case 2:
			a.f = math.Float32frombits(uint32(number))
		case 3:
			a.i = int64(number)
		case 4:
			a.s = string(data)
		case 5:
			a.t = &tensorProto{}
			return a.t.unmarshal(data)
		case 6:
			a.graph = true
		case 7:
			return packed(data, number, 4, func(v uint64) { a.floats = append(a.floats, math.Float32frombits(uint32(v))) })
		case 8:
			return packed(data, number, 0, func(v uint64) { a.ints = append(a.ints, int64(v)) })
		case 9:
			a.strings = append(a.strings, string(data))
		case 20:
			a.kind = int(number)
		}
		return nil
	})
	return name, err
}

// packed reads repeated numbers, which may be one by one or together; size is that of
// each in bytes, 0 for varints.
func packed(data []byte, number uint64, size int, add func(uint64)) error {
	if data == nil {
		add(number)
		return nil
	}
	for len(data) > 0 {
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

func (p *tensorProto) unmarshal(b []byte) error {
	var raw []byte
	external := false
	err := fields(b, func(field protowire.Number, data []byte, number uint64) error {
		integer := func(v uint64) { p.integers = append(p.integers, int64(v)) }
		switch field {
		case 1:
			return packed(data, number, 0, func(v uint64) { p.dims = append(p.dims, int64(v)) })
		case 2:
			p.kind = int(number)
		case 4:
			return packed(data, number, 4, func(v uint64) { p.floats = append(p.floats, math.Float32frombits(uint32(v))) })
		case 5, 7:
			return packed(data, number, 0, integer)
		case 8:
			p.name = string(data)
		case 9:
			raw = data
		case 10:
			return packed(data, number, 8, func(v uint64) { p.floats = append(p.floats, float32(math.Float64frombits(v))) })
		case 13:
			external = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if external {
		return fmt.Errorf("tensor %q is in a file of its own, which is not supported", p.name)
	}
	if raw != nil {
		if err := p.fromRaw(raw); err != nil {
			return err
		}
	}
	if n := max(len(p.floats), len(p.integers)); n != p.size() {
		return fmt.Errorf("tensor %q: expected %d numbers for shape %v, got %d", p.name, p.size(), p.dims, n)
	}
	return nil
}

func (p *tensorProto) size() int {
	n := 1
	for _, d := range p.dims {
		if d < 0 || d > 0 && n > math.MaxInt32*64/int(d) {
			return -1
		}
		n *= int(d)
	}
	return n
}

func (p *tensorProto) fromRaw(raw []byte) error {
	size := map[int]int{typeFloat: 4, typeDouble: 8, typeInt64: 8, typeInt32: 4, typeUint8: 1, typeInt8: 1, typeBool: 1}[p.kind]
	if size == 0 {
		return fmt.Errorf("tensor %q: expected floats, integers or bools, got type %d, which is not supported", p.name, p.kind)
	}
	for ; len(raw) >= size; raw = raw[size:] {
		switch p.kind {
		case typeFloat:
			p.floats = append(p.floats, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		case typeDouble:
			p.floats = append(p.floats, float32(math.Float64frombits(binary.LittleEndian.Uint64(raw))))
		case typeInt64:
			p.integers = append(p.integers, int64(binary.LittleEndian.Uint64(raw)))
		case typeInt32:
			p.integers = append(p.integers, int64(int32(binary.LittleEndian.Uint32(raw))))
		case typeInt8:
			p.integers = append(p.integers, int64(int8(raw[0])))
		default:
			p.integers = append(p.integers, int64(raw[0]))
		}
	}
	return nil
}

func (p *valueProto) unmarshal(b []byte) error {
	return fields(b, func(field protowire.Number, data []byte, _ uint64) error {
		switch field {
		case 1:
			p.name = string(data)
		case 2:
			return fields(data, func(field protowire.Number, data []byte, _ uint64) error {
				if field != 1 {
					return nil
				}
				return fields(data, func(field protowire.Number, data []byte, number uint64) error {
					switch field {
					case 1:
						p.kind = int(number)
					case 2:
						return fields(data, func(_ protowire.Number, data []byte, _ uint64) error {
							dim := int64(-1)
							err := fields(data, func(field protowire.Number, _ []byte, number uint64) error {
								if field == 1 {
									dim = int64(number)
								}
								return nil
							})
							p.dims = append(p.dims, dim)
							return err
						})
					}
					return nil
				})
			})
		}
		return nil
	})
}
