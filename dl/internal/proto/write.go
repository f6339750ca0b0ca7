package proto

import (
	"maps"
	"math"
	"slices"

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

// Bytes is the model as a file. Attributes are written by their node's Order; graphs in
// attributes, functions and tensors in files of their own are not.
func (p *Model) Bytes() []byte {
	var m message
	m.number(1, p.IRVersion)
	m.text(2, p.Producer)
	m.bytes(7, p.Graph.bytes())
	for _, domain := range slices.Sorted(maps.Keys(p.Opsets)) {
		var set message
		set.text(1, domain)
		set.number(2, int64(p.Opsets[domain]))
		m.bytes(8, set)
	}
	return m
}

func (p *Graph) bytes() []byte {
	var m message
	for i := range p.Nodes {
		m.bytes(1, p.Nodes[i].bytes())
	}
	m.text(2, p.Name)
	for i := range p.Initializers {
		m.bytes(5, p.Initializers[i].bytes())
	}
	for i := range p.Inputs {
		m.bytes(11, p.Inputs[i].bytes())
	}
	for i := range p.Outputs {
		m.bytes(12, p.Outputs[i].bytes())
	}
	return m
}

func (p *Node) bytes() []byte {
	var m message
	for _, s := range p.In {
		m.bytes(1, []byte(s)) // an input that is left out is empty
	}
	for _, s := range p.Out {
		m.bytes(2, []byte(s))
	}
	m.text(3, p.Name)
	m.text(4, p.Op)
	m.text(7, p.Domain)
	for _, name := range p.Order {
		m.bytes(5, p.Attributes[name].bytes(name))
	}
	return m
}

func (p Attribute) bytes(name string) []byte {
	var m message
	m.text(1, name)
	switch p.Kind {
	case KindFloat:
		m.float(2, p.F)
	case KindInt:
		m.number(3, p.I)
	case KindString:
		m.bytes(4, []byte(p.S))
	case KindTensor:
		m.bytes(5, p.T.bytes())
	case KindFloats:
		for _, v := range p.Floats {
			m.float(7, v)
		}
	case KindInts:
		for _, v := range p.Ints {
			m.number(8, v)
		}
	case KindStrings:
		for _, v := range p.Strings {
			m.bytes(9, []byte(v))
		}
	}
	m.number(20, int64(p.Kind))
	return m
}

func (t *Tensor) bytes() []byte {
	var m message
	for _, d := range t.Dims {
		m.number(1, d)
	}
	m.number(2, int64(t.Kind))
	m.text(8, t.Name)
	m.bytes(9, t.Raw)
	return m
}

func (v *Value) bytes() []byte {
	var m, kind, tensor, shape message
	for _, d := range v.Dims {
		var dim message
		if d.Size < 0 {
			dim.text(2, d.Name)
		} else {
			dim.number(1, d.Size)
		}
		shape.bytes(1, dim)
	}
	tensor.number(1, int64(v.Kind))
	tensor.bytes(2, shape)
	kind.bytes(1, tensor)
	m.text(1, v.Name)
	m.bytes(2, kind)
	return m
}
