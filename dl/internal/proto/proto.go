// Package proto has the messages of ONNX files, read and written field by field: no
// generated code, and nothing to clash with another program's.
//
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
package proto

// Model is a ModelProto.
type Model struct {
	IRVersion int64
	Producer  string
	Opsets    map[string]int // by domain; "" is ONNX's own
	Graph     Graph
	Functions []Function
}

// Graph is a GraphProto.
type Graph struct {
	Name         string
	Nodes        []Node
	Initializers []Tensor
	Sparse       []string // names of sparse initializers
	Inputs       []Value
	Outputs      []Value
}

// Function is a FunctionProto: an operator that the file defines by others.
type Function struct {
	Name, Domain string
	In, Out      []string
	Attributes   []string             // without a default
	Defaults     map[string]Attribute // those with one
	Nodes        []Node
	Opsets       map[string]int
}

// Node is a NodeProto.
type Node struct {
	Op, Name, Domain string
	In, Out          []string
	Attributes       map[string]Attribute
	Order            []string // of attributes, for writing
}

// Attribute is an AttributeProto.
type Attribute struct {
	Kind    int // as in AttributeType
	F       float32
	I       int64
	S       string
	T       *Tensor
	G       *Graph
	Floats  []float32
	Ints    []int64
	Strings []string
	Ref     string // the attribute of the function around it that it stands for
}

// The kinds of attributes.
const (
	KindFloat   = 1
	KindInt     = 2
	KindString  = 3
	KindTensor  = 4
	KindGraph   = 5
	KindFloats  = 6
	KindInts    = 7
	KindStrings = 8
)

// The types of tensors.
const (
	Float          = 1
	Uint8          = 2
	Int8           = 3
	Uint16         = 4
	Int16          = 5
	Int32          = 6
	Int64          = 7
	String         = 8
	Bool           = 9
	Float16        = 10
	Double         = 11
	Uint32         = 12
	Uint64         = 13
	Complex64      = 14
	Complex128     = 15
	BFloat16       = 16
	Float8E4M3FN   = 17
	Float8E4M3FNUZ = 18
	Float8E5M2     = 19
	Float8E5M2FNUZ = 20
	Uint4          = 21
	Int4           = 22
	Float4E2M1     = 23
	Float8E8M0     = 24
	Uint2          = 25
	Int2           = 26
)

// KindNames are the types' names in ONNX's own file.
var KindNames = map[int]string{
	Float: "FLOAT", Uint8: "UINT8", Int8: "INT8", Uint16: "UINT16", Int16: "INT16", Int32: "INT32", Int64: "INT64",
	String: "STRING", Bool: "BOOL", Float16: "FLOAT16", Double: "DOUBLE", Uint32: "UINT32", Uint64: "UINT64",
	Complex64: "COMPLEX64", Complex128: "COMPLEX128", BFloat16: "BFLOAT16", Float8E4M3FN: "FLOAT8E4M3FN",
	Float8E4M3FNUZ: "FLOAT8E4M3FNUZ", Float8E5M2: "FLOAT8E5M2", Float8E5M2FNUZ: "FLOAT8E5M2FNUZ", Uint4: "UINT4",
	Int4: "INT4", Float4E2M1: "FLOAT4E2M1", Float8E8M0: "FLOAT8E8M0", Uint2: "UINT2", Int2: "INT2",
}

// Tensor is a TensorProto.
type Tensor struct {
	Name string
	Dims []int64
	Kind int
	// Raw are the numbers as the format has them: little-endian, one after the other. It
	// may be part of the file's bytes.
	Raw []byte
	// External says where the numbers are if they are in a file of their own.
	External map[string]string
}

// Value is a ValueInfoProto.
type Value struct {
	Name string
	Kind int // of its tensor; 0 if it is none
	Dims []Dim
	// Ranked is false if the file does not even say how many axes there are.
	Ranked bool
	// Other says what it is if it is no tensor: "a sequence".
	Other string
}

// Dim is one axis.
type Dim struct {
	Size int64  // -1 if it is not known
	Name string // the file's name for an axis that is not known: "batch"
}
