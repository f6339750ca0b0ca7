package dl

import (
	"fmt"
	"math"
	"strings"

	"github.com/gradbook/gradbook/dl/internal/train"
)

// GradientReport is what GradientCheck found: for each argument, its gradient as it was
// derived and as differences show it.
type GradientReport struct {
	// Names of the arguments: "x0", or those of a model's weights.
	Names []string
	// Analytic is the gradient as derived, Numeric by differences; float64, in the
	// shapes of the arguments.
	Analytic, Numeric []*Tensor
	// Errors is the greatest difference of each, relative to the larger of the two
	// and to 1.
	Errors []float64
}

// MaxError is the greatest of Errors.
func (r *GradientReport) MaxError() float64 {
	worst := 0.0
	for _, e := range r.Errors {
		worst = math.Max(worst, e)
	}
	return worst
}

// String is a table with a line for each argument.
func (r *GradientReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %-16s %s", "gradient by", "shape", "greatest error")
	for i, n := range r.Names {
		fmt.Fprintf(&b, "\n%-24s %-16s %.1e", n, fmt.Sprint(r.Analytic[i].Shape().Dimensions), r.Errors[i])
	}
	return b.String()
}

// GradientCheck compares the gradient of a function with what moving each number of its
// arguments a little changes: (f(x + h) − f(x − h))/2h. It computes in float64, whatever
// the arguments' types, and f twice for each number, so it is for small tensors.
func GradientCheck(f func(x []*Node) *Node, at ...*Tensor) (*GradientReport, error) {
	names := make([]string, len(at))
	for i := range at {
		names[i] = fmt.Sprintf("x%d", i)
	}
	r, err := train.CheckGradient(f, names, at)
	return (*GradientReport)(r), edge(err)
}

// GradientCheck compares the gradients of the model's loss by its weights with what
// moving each of them a little changes, on a batch, in float64. Dropout and its like
// are off. It computes the loss twice for each weight.
func (m *Model) GradientCheck(x, labels *Tensor, config ...TraceConfig) (*GradientReport, error) {
	c, err := the(config)
	if err != nil {
		return nil, edge(err)
	}
	r, err := m.m.CheckGradients(append([]*Tensor{x}, c.Inputs...), append([]*Tensor{labels}, c.Labels...))
	return (*GradientReport)(r), edge(err)
}
