package losses

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// BinaryFocalCrossentropy is BinaryCrossentropy with less weight on what is classified
// well already: (1 − p)ᵞ times it, where p is the probability of the label.
//
// Source: Lin et al., 2018 (arXiv:1708.02002).
type BinaryFocalCrossentropy struct {
	// ApplyClassBalancing weights labels of 1 by Alpha, and of 0 by 1 − Alpha.
	ApplyClassBalancing bool
	// Alpha 0 means 0.25, Gamma 0 means 2.
	Alpha float64 `zero:"0.25"`
	Gamma float64 `zero:"2"`
	// Logits says that the output has not been through a sigmoid.
	Logits bool `keras:"from_logits"`
	// LabelSmoothing s makes labels y(1−s) + s/2; in [0, 1).
	LabelSmoothing float64
}

// CategoricalFocalCrossentropy is CategoricalCrossentropy with less weight on what is
// classified well already: Alpha (1 − p)ᵞ times it.
//
// Source: Lin et al., 2018 (arXiv:1708.02002).
type CategoricalFocalCrossentropy struct {
	// Alpha 0 means 0.25, Gamma 0 means 2.
	Alpha float64 `zero:"0.25"`
	Gamma float64 `zero:"2"`
	// Logits says that the output has not been through a softmax.
	Logits bool `keras:"from_logits"`
	// LabelSmoothing s makes labels y(1−s) + s/classes; in [0, 1).
	LabelSmoothing float64
}

// Name implements Loss.
func (BinaryFocalCrossentropy) Name() string { return "binary_focal_crossentropy" }

// Name implements Loss.
func (CategoricalFocalCrossentropy) Name() string { return "categorical_focal_crossentropy" }

// NumClasses implements Classes.
func (BinaryFocalCrossentropy) NumClasses([]int) (n int, whole bool) { return 2, false }

// Check implements Loss.
func (l BinaryFocalCrossentropy) Check(labels, output []int) error {
	if err := checkFocal(l.Alpha, l.Gamma); err != nil {
		return err
	}
	return BinaryCrossentropy{LabelSmoothing: l.LabelSmoothing}.Check(labels, output)
}

// Check implements Loss.
func (l CategoricalFocalCrossentropy) Check(labels, output []int) error {
	if err := checkFocal(l.Alpha, l.Gamma); err != nil {
		return err
	}
	return CategoricalCrossentropy{LabelSmoothing: l.LabelSmoothing}.Check(labels, output)
}

func checkFocal(alpha, gamma float64) error {
	if !(alpha >= 0 && gamma >= 0) {
		return fmt.Errorf("expected Alpha and Gamma above 0 (or 0 for 0.25 and 2), got %g and %g", alpha, gamma)
	}
	return nil
}

// Compute implements Loss.
func (l BinaryFocalCrossentropy) Compute(labels, output *tensor.Node) *tensor.Node {
	y := smooth(ops.Align(labels, output), l.LabelSmoothing, 2)
	p := output
	if l.Logits {
		p = graph.Sigmoid(output)
	}
	right := graph.Add(graph.Mul(y, p), graph.Mul(graph.OneMinus(y), graph.OneMinus(p)))
	focal := graph.Pow(graph.OneMinus(right), scalarOr(output, l.Gamma, 2))
	clipped := clip(p)
	loss := graph.Mul(focal, graph.Neg(graph.Add(graph.Mul(y, graph.Log(clipped)), graph.Mul(graph.OneMinus(y), graph.Log(graph.OneMinus(clipped))))))
	if l.ApplyClassBalancing {
		alpha := scalarOr(output, l.Alpha, 0.25)
		loss = graph.Mul(loss, graph.Add(graph.Mul(y, alpha), graph.Mul(graph.OneMinus(y), graph.OneMinus(alpha))))
	}
	return mean(loss)
}

// Compute implements Loss.
func (l CategoricalFocalCrossentropy) Compute(labels, output *tensor.Node) *tensor.Node {
	y := smooth(ops.Align(labels, output), l.LabelSmoothing, output.Shape().Dimensions[output.Rank()-1])
	p := output
	if l.Logits {
		p = graph.Softmax(output, -1)
	}
	p = clip(graph.Div(p, graph.ReduceAndKeep(p, graph.ReduceSum, -1)))
	weight := graph.Mul(scalarOr(output, l.Alpha, 0.25), graph.Pow(graph.OneMinus(p), scalarOr(output, l.Gamma, 2)))
	return graph.Neg(graph.ReduceSum(graph.Mul(weight, graph.Mul(y, graph.Log(p))), -1))
}

// smooth moves labels by the part s towards an even distribution over n classes.
func smooth(y *tensor.Node, s float64, n int) *tensor.Node {
	if s == 0 {
		return y
	}
	return graph.AddScalar(graph.MulScalar(y, 1-s), s/float64(n))
}

func scalarOr(like *tensor.Node, v, def float64) *tensor.Node {
	if v == 0 {
		v = def
	}
	return graph.Scalar(like.Graph(), like.DType(), v)
}
