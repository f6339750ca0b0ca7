// Package constraints keeps weights within bounds: each is applied to a weight
// after every training step.
//
//	layers.Dense{Units: 64, KernelConstraint: constraints.MaxNorm{MaxValue: 2}}
//
// Axes are those along which the length of the weights of one unit is taken: axis
// 0 for a Dense kernel, [0, 1, 2] for a Conv2D kernel.
//
// Source: https://keras.io/api/layers/constraints/
package constraints

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Constraint is a function of a weight that keeps its shape.
type Constraint interface {
	Apply(w *tensor.Node) *tensor.Node
}

// epsilon keeps a length of 0 from being divided by, as Keras does.
const epsilon = 1e-7

// MaxNorm scales down the weights of a unit that are longer than MaxValue.
type MaxNorm struct {
	// MaxValue 0 means 2.
	MaxValue float64 `zero:"2"`
	// Axes nil means [0].
	Axes []int `keras:"axis"`
}

// Apply implements Constraint.
func (c MaxNorm) Apply(w *tensor.Node) *tensor.Node {
	length := norm(w, c.Axes)
	desired := graph.MinScalar(length, orDefault(c.MaxValue, 2))
	return graph.Mul(w, graph.Div(desired, graph.AddScalar(length, epsilon)))
}

// NonNeg sets negative weights to 0.
type NonNeg struct{}

// Apply implements Constraint.
func (NonNeg) Apply(w *tensor.Node) *tensor.Node { return graph.MaxScalar(w, 0.0) }

// UnitNorm scales the weights of a unit to length 1.
type UnitNorm struct {
	// Axes nil means [0].
	Axes []int `keras:"axis"`
}

// Apply implements Constraint.
func (c UnitNorm) Apply(w *tensor.Node) *tensor.Node {
	return graph.Div(w, graph.AddScalar(norm(w, c.Axes), epsilon))
}

// MinMaxNorm brings the length of a unit's weights between two bounds, by the part
// Rate of the way in each step.
type MinMaxNorm struct {
	MinValue float64
	// MaxValue 0 means 1.
	MaxValue float64 `zero:"1"`
	// Rate is in (0, 1]; 0 means 1.
	Rate float64 `zero:"1"`
	// Axes nil means [0].
	Axes []int `keras:"axis"`
}

// Apply implements Constraint.
func (c MinMaxNorm) Apply(w *tensor.Node) *tensor.Node {
	rate, length := orDefault(c.Rate, 1), norm(w, c.Axes)
	clipped := graph.MaxScalar(graph.MinScalar(length, orDefault(c.MaxValue, 1)), c.MinValue)
	desired := graph.Add(graph.MulScalar(clipped, rate), graph.MulScalar(length, 1-rate))
	return graph.Mul(w, graph.Div(desired, graph.AddScalar(length, epsilon)))
}

func norm(w *tensor.Node, axes []int) *tensor.Node {
	if axes == nil {
		axes = []int{0}
	}
	return graph.Sqrt(graph.ReduceAndKeep(graph.Square(w), graph.ReduceSum, axes...))
}

func orDefault(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}

func init() { config.Register(MaxNorm{}, NonNeg{}, UnitNorm{}, MinMaxNorm{}) }
