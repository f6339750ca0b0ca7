// Package tensor has dl's names for what it takes from GoMLX, whose types stand nowhere else in
// what dl shows: an array of numbers, and its place in a graph.
package tensor

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Tensor is an array of numbers of one type, with a shape. New and Of make one; its method
// Value returns the numbers as nested slices.
type Tensor = tensors.Tensor

// Node is a tensor that a graph will compute. Functions of Nodes are what layers, losses and
// steps of one's own are made of; package dl/ops has them under Keras's names.
type Node = graph.Node

// Shape is a type of numbers and the dimensions of a tensor, with the batch.
type Shape = shapes.Shape

// DType is a type of numbers: Float32, Int32.
type DType = dtypes.DType

// The types that are used most.
const (
	Float32 = dtypes.Float32
	Float64 = dtypes.Float64
	Int32   = dtypes.Int32
	Int64   = dtypes.Int64
	Uint8   = dtypes.Uint8
	Bool    = dtypes.Bool
)

// Of makes a tensor of nested slices of numbers, which must all have one length along each axis;
// it panics otherwise.
//
//	x := tensor.Of([][]float32{{1, 2}, {3, 4}})
func Of(value any) *Tensor {
	t, err := tensors.FromAnyValue(value)
	if err != nil {
		panic(fmt.Errorf("tensor: %w", err))
	}
	return t
}

// New makes a tensor of a flat slice, of which the last axis changes fastest. It panics if the
// shape has another number of values.
//
//	x := tensor.New([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
func New[T Number](flat []T, shape ...int) *Tensor {
	return tensors.FromFlatDataAndDimensions(flat, shape...)
}

// Flat returns a copy of a tensor's numbers, of which the last axis changes fastest.
func Flat[T Number](t *Tensor) ([]T, error) { return tensors.CopyFlatData[T](t) }

// Number is a type of numbers that a tensor of New can have.
type Number interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | bool
}
