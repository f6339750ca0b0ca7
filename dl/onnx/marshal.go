package onnx

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message writes fields.
type message []byte

func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, b)
}

func (m *message) text(field protowire.Number, s string) {
	if s != "" {
		m.bytes(field, []byte(s))
	}
}

func (m *message) number(field protowire.Number, v int64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) float(field protowire.Number, v float32) {
	*m = protowire.AppendTag(*m, field, protowire.Fixed32Type)
	*m = protowire.AppendFixed32(*m, math.Float32bits(v))
}

func (p modelProto) marshal() []byte {
	var m, set message
	m.number(1, p.irVersion)
	m.text(2, p.producer)
	m.bytes(7, p.graph.marshal())
	set.number(2, p.opset)
	m.bytes(8, set)
	return m
}

func (p graphProto) marshal() []byte {
	var m message
	for _, n := range p.nodes {
		m.bytes(1, n.marshal())
	}
	m.text(2, p.name)
	for _, t := range p.initializers {
		m.bytes(5, t.marshal())
	}
	for _, v := range p.inputs {
		m.bytes(11, v.marshal())
	}
	for _, v := range p.outputs {
		m.bytes(12, v.marshal())
	}
	return m
}

func (p nodeProto) marshal() []byte {
	var m message
	for _, s := range p.in {
		m.bytes(1, []byte(s)) // an input that is left out is empty
	}
	for _, s := range p.out {
		m.bytes(2, []byte(s))
	}
	m.text(3, p.name)
	m.text(4, p.op)
	for _, name := range p.order {
		m.bytes(5, p.attributes[name].marshal(name))
	}
	return m
}

func (a attribute) marshal(name string) []byte {
	var m message
	m.text(1, name)
	switch a.kind {
	case kindFloat:
		m.float(2, a.f)
	case kindInt:
		m.number(3, a.i)
	case kindString:
		m.bytes(4, []byte(a.s))
	case kindInts:
		for _, v := range a.ints {
			m.number(8, v)
		}
	case kindStrings:
		for _, v := range a.strings {
			m.bytes(9, []byte(v))
		}
	}
	m.number(20, int64(a.kind))
	return m
}

func (p tensorProto) marshal() []byte {
	var m message
	for _, d := range p.dims {
		m.number(1, d)
	}
	m.number(2, int64(p.kind))
	m.text(8, p.name)
	var raw []byte
	for _, v := range p.floats {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	for _, v := range p.integers {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	m.bytes(9, raw)
	return m
}

func (p valueProto) marshal() []byte {
	var m, kind, tensor, shape message
	for _, d := range p.dims {
		var dim message
		if d < 0 {
			dim.text(2, "batch")
		} else {
			dim.number(1, d)
		}
		shape.bytes(1, dim)
	}
	tensor.number(1, int64(p.kind))
	tensor.bytes(2, shape)
	kind.bytes(1, tensor)
	m.text(1, p.name)
	m.bytes(2, kind)
	return m
}
