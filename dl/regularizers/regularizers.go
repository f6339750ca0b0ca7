// Package regularizers adds to the loss what large weights cost.
//
//	layers.Dense{Units: 64, KernelRegularizer: regularizers.L2{}}
//
// Source: https://keras.io/api/layers/regularizers/
package regularizers

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Regularizer is a cost of a tensor.
type Regularizer interface {
	// Cost returns a scalar.
	Cost(w *tensor.Node) *tensor.Node
}

// L1 is Factor · Σ|w|; Factor 0 means 0.01.
type L1 struct {
	Factor float64 `keras:"l1" zero:"0.01"`
}

// Cost implements Regularizer.
func (r L1) Cost(w *tensor.Node) *tensor.Node {
	return graph.MulScalar(graph.ReduceAllSum(ops.Abs(w)), orDefault(r.Factor))
}

// L2 is Factor · Σw²; Factor 0 means 0.01.
type L2 struct {
	Factor float64 `keras:"l2" zero:"0.01"`
}

// Cost implements Regularizer.
func (r L2) Cost(w *tensor.Node) *tensor.Node {
	return graph.MulScalar(graph.ReduceAllSum(graph.Square(w)), orDefault(r.Factor))
}

// L1L2 is L1 · Σ|w| + L2 · Σw². Here 0 means 0.
type L1L2 struct {
	L1, L2 float64
}

// Cost implements Regularizer.
func (r L1L2) Cost(w *tensor.Node) *tensor.Node {
	return graph.Add(
		graph.MulScalar(graph.ReduceAllSum(ops.Abs(w)), r.L1),
		graph.MulScalar(graph.ReduceAllSum(graph.Square(w)), r.L2))
}

// OrthogonalRegularizer is Factor · mean |⟨wᵢ, wⱼ⟩| over the pairs of different
// rows of a matrix (or columns), each scaled to length 1.
type OrthogonalRegularizer struct {
	// Factor 0 means 0.01.
	Factor float64 `zero:"0.01"`
	// Columns compares columns rather than rows.
	Columns bool `keras:"mode"`
}

// readOrthogonalRegularizer reads a configuration of Keras.
func readOrthogonalRegularizer(r *OrthogonalRegularizer, c map[string]any) error {
	r.Columns = c["mode"] == "columns"
	delete(c, "mode")
	return nil
}

// Cost implements Regularizer.
func (r OrthogonalRegularizer) Cost(w *tensor.Node) *tensor.Node {
	if r.Columns {
		w = graph.Transpose(w, 0, 1)
	}
	n := w.Shape().Dimensions[0]
	length := graph.Sqrt(graph.MaxScalar(graph.ReduceAndKeep(graph.Square(w), graph.ReduceSum, -1), 1e-12))
	w = graph.Div(w, length)
	products := ops.Abs(graph.MatMul(w, graph.Transpose(w, 0, 1)))
	eye := graph.ConvertDType(graph.Diagonal(w.Graph(), n), w.DType())
	sum := graph.ReduceAllSum(graph.Mul(products, graph.OneMinus(eye)))
	return graph.MulScalar(sum, orDefault(r.Factor)*0.5/(float64(n*(n-1))*0.5))
}

func orDefault(factor float64) float64 {
	if factor == 0 {
		return 0.01
	}
	return factor
}

func init() { config.Register(L1{}, L2{}, L1L2{}, OrthogonalRegularizer{}) }

func init() {
	config.Reads(readOrthogonalRegularizer)
}
