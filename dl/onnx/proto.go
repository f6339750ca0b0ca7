package onnx

// The parts of ONNX's messages that models of inference need, written and read field
// by field: no generated code, and nothing to clash with another program's.
//
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

type modelProto struct {
	irVersion int64
	opset     int64
	producer  string
	graph     graphProto
}

type graphProto struct {
	name         string
	nodes        []nodeProto
	initializers []tensorProto
	inputs       []valueProto
	outputs      []valueProto
}

type nodeProto struct {
	op, name, domain string
	in, out          []string
	attributes       map[string]attribute
	order            []string // of attributes, for writing
}

type attribute struct {
	kind   int // as in AttributeType
	f      float32
	i      int64
	s      string
	t      *tensorProto
	ints   []int64
	floats []float32
	graph  bool

	strings []string
}

// The kinds of attributes.
const (
	kindFloat  = 1
	kindInt    = 2
	kindString = 3
	kindTensor = 4
	kindGraph  = 5
	kindFloats = 6
	kindInts   = 7

	kindStrings = 8
)

// The types of tensors.
const (
	typeFloat  = 1
	typeUint8  = 2
	typeInt8   = 3
	typeInt32  = 6
	typeInt64  = 7
	typeBool   = 9
	typeHalf   = 10
	typeDouble = 11
)

type tensorProto struct {
	name     string
	dims     []int64
	kind     int
	floats   []float32 // of float types
	integers []int64   // of integers and bools
}

type valueProto struct {
	name string
	kind int
	dims []int64 // −1 is any
}
