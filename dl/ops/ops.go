// Package ops computes with symbols as with numbers, under the names of keras.ops:
//
//	z := ops.Add(ops.Multiply(x, 2), y)          // of *dl.Symbol: two layers of a model
//	loss := ops.Mean(ops.Square(ops.Subtract(a, b))) // of *dl.Node: in a loss, a step or a Lambda
//
// Each function takes both, and returns what it is given. Where it takes a second value, that may
// be a number as well: an int or a float64. Shapes are broadcast as NumPy does it. Axes are
// counted with the batch, which is axis 0, and from the end if they are negative.
//
// Of symbols, the batch must stay the first axis, and a mistake is held by the result, as with
// layers. Of nodes, a mistake panics, as with the functions of a graph; what builds the graph
// makes an error of it.
//
// Source: https://keras.io/api/ops/
package ops

import (
	"fmt"

	"github.com/gradbook/gradbook/dl"
	op "github.com/gradbook/gradbook/dl/internal/operation"
)

// operation is a function of this package as a layer.
type operation = op.Operation

// Value is what can be computed with.
type Value interface{ *dl.Node | *dl.Symbol }

// apply computes an operation of values of one kind.
func apply[T Value](o operation, in ...T) T {
	switch in := any(in).(type) {
	case []*dl.Symbol:
		return any(dl.Apply(o, in...)).(T)
	case []*dl.Node:
		for i, x := range in {
			if x == nil {
				panic(fmt.Errorf("ops: expected a node as argument %d of %s, got nil", i, o.Op))
			}
		}
		return any(o.CallAll(nil, in)[0]).(T)
	}
	panic("unreachable")
}

// with is apply for a second value that may be a number.
func with[T Value](o operation, a T, b any) T {
	switch b := b.(type) {
	case T:
		return apply(o, a, b)
	case int:
		o.Numbers = append(o.Numbers, float64(b))
	case float64:
		o.Numbers = append(o.Numbers, b)
	case float32:
		o.Numbers = append(o.Numbers, float64(b))
	default:
		panic(fmt.Errorf("ops: expected a %T or a number as the second argument of %s, got %T", a, o.Op, b))
	}
	return apply(o, a)
}

func one[T Value](op string, x T) T { return apply(operation{Op: op}, x) }

func two[T Value](op string, a T, b any) T { return with(operation{Op: op}, a, b) }

func along[T Value](op string, x T, axes []int) T { return apply(operation{Op: op, Ints: axes}, x) }
