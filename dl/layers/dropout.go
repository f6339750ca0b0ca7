package layers

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Dropout sets a part of its input to 0 while training, another one in each
// step, and scales the rest by 1/(1 − Rate) so that its sum is the same in the
// mean. Outside training it passes its input on.
//
// Input shape: any. Output shape: the input's.
//
// Source: Srivastava et al., 2014; https://keras.io/api/layers/regularization_layers/dropout/
type Dropout struct {
	// Rate is the part that is dropped, in [0, 1).
	Rate float64
	Name string
}

// Build implements Layer.
func (l Dropout) Build(in Shape) (Spec, error) {
	if !(l.Rate >= 0 && l.Rate < 1) {
		return Spec{}, fmt.Errorf("expected Rate in [0, 1), got %g", l.Rate)
	}
	return Spec{Output: in}, nil
}

// Call implements Layer.
func (l Dropout) Call(c *Context, x *graph.Node) *graph.Node {
	if !c.Training || l.Rate == 0 {
		return x
	}
	keep := graph.GreaterOrEqual(c.RandomUniform(x.Shape()), graph.Scalar(x.Graph(), x.DType(), l.Rate))
	return graph.Where(keep, graph.MulScalar(x, 1/(1-l.Rate)), graph.ZerosLike(x))
}
