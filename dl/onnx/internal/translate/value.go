package translate

import (
	"errors"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/proto"
)

// kinds are the types of tensors that are honoured.
var kinds = map[int]dtypes.DType{
	proto.Float: dtypes.Float32, proto.Uint8: dtypes.Uint8, proto.Int8: dtypes.Int8, proto.Uint16: dtypes.Uint16,
	proto.Int16: dtypes.Int16, proto.Int32: dtypes.Int32, proto.Int64: dtypes.Int64, proto.Bool: dtypes.Bool,
	proto.Float16: dtypes.Float16, proto.Double: dtypes.Float64, proto.Uint32: dtypes.Uint32, proto.Uint64: dtypes.Uint64,
	proto.BFloat16: dtypes.BFloat16,
}

// DType is the type of numbers of a kind of ONNX; dtypes.InvalidDType if it is not honoured.
func DType(kind int) dtypes.DType { return kinds[kind] }

// Tensor makes a tensor of one of ONNX.
func Tensor(t *proto.Tensor) *tensors.Tensor {
	out := tensors.FromShape(shapes.Make(DType(t.Kind), narrow(t.Dims)...))
	if len(t.Raw) > 0 {
		if err := out.MutableBytes(func(b []byte) { copy(b, t.Raw) }); err != nil {
			panic(err)
		}
	}
	return out
}

// value is what an output of a node is.
type value struct {
	// node is the value in the graph that is being built; nil as long as nothing needed it.
	// Its channels are at the end if last is set, otherwise where ONNX has them.
	node *graph.Node
	last bool
	// first is node with its channels where ONNX has them, if that was needed.
	first *graph.Node
	// known are the numbers, if they are known while the graph is built.
	known *tensors.Tensor
	// weight is the name of the file's tensor that this is, and stated its shape.
	weight string
	stated shapes.Shape
	// list are the values of a sequence; nil if it is none.
	list []*value
	// none says that an optional value is not there.
	none bool
}

func (v *value) shape() shapes.Shape {
	if v.node == nil {
		switch {
		case v.known != nil:
			return v.known.Shape()
		case v.weight != "":
			return v.stated
		}
		panic(errors.New("expected a tensor, got a sequence or no value"))
	}
	if !v.last {
		return v.node.Shape()
	}
	s := v.node.Shape().Clone()
	copy(s.Dimensions[2:], v.node.Shape().Dimensions[1:])
	s.Dimensions[1] = v.node.Shape().Dimensions[v.node.Rank()-1]
	return s
}

func (v *value) isList() bool { return v.list != nil }

// narrow are dimensions and the like as Go has them. The largest numbers mean "to the end"
// and stay larger than any dimension.
func narrow(v []int64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

func wide(v []int) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

func intsTensor(v ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(wide(v), len(v))
}

// numbers are the values of a tensor of integers, in one row.
func numbers(t *tensors.Tensor) ([]int, bool) {
	var out []int
	ok := true
	t.MustConstFlatData(func(flat any) {
		switch f := flat.(type) {
		case []int64:
			out = narrow(f)
		case []int32:
			out = make([]int, len(f))
			for i, x := range f {
				out[i] = int(x)
			}
		default:
			ok = false
		}
	})
	return out, ok
}

// Reals are the values of any tensor of numbers, in one row.
func Reals(t *tensors.Tensor) []float64 {
	var out []float64
	t.MustConstFlatData(func(flat any) { out = asReals(flat) })
	return out
}

func asReals(flat any) []float64 {
	switch f := flat.(type) {
	case []float32:
		return convert(f)
	case []float64:
		return convert(f)
	case []int64:
		return convert(f)
	case []int32:
		return convert(f)
	case []int16:
		return convert(f)
	case []int8:
		return convert(f)
	case []uint8:
		return convert(f)
	case []uint16:
		return convert(f)
	case []uint32:
		return convert(f)
	case []uint64:
		return convert(f)
	case []bool:
		out := make([]float64, len(f))
		for i, x := range f {
			if x {
				out[i] = 1
			}
		}
		return out
	}
	return asHalves(flat)
}

func convert[T float32 | float64 | int64 | int32 | int16 | int8 | uint8 | uint16 | uint32 | uint64](v []T) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// Trainable says whether a tensor of a file is a weight that can be trained: float32, of
// at least one axis.
func Trainable(t *proto.Tensor) bool {
	return t.Kind == proto.Float && len(t.Dims) > 0 && len(t.Raw) > 0
}
