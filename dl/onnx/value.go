package onnx

import (
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/proto"
	"github.com/gradbook/gradbook/dl/onnx/internal/translate"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Value is an input or output of a Session.
type Value struct {
	Name string
	// DType is the type of its numbers; 0 if the file does not say.
	DType tensor.DType
	// Dims are the lengths of its axes, -1 where the file leaves one open; nil if it does not
	// even say how many there are.
	Dims []int
}

// String is the value as ONNX writes it: "x float32 [-1 3 224 224]".
func (v Value) String() string { return fmt.Sprintf("%s %s %v", v.Name, v.DType, v.Dims) }

func public(values []proto.Value) []Value {
	var all []Value
	for _, v := range values {
		p := Value{Name: v.Name, DType: translate.DType(v.Kind)}
		if v.Ranked {
			p.Dims = []int{}
		}
		for _, d := range v.Dims {
			p.Dims = append(p.Dims, int(d.Size))
		}
		all = append(all, p)
	}
	return all
}
