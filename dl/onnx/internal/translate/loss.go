package translate

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

func init() {
	add(map[string]operator{
		"NegativeLogLikelihoodLoss": {Attributes: "ignore_index reduction", Inputs: 3, Types: floating, Rule: rule(func(c *call) *graph.Node { return likelihood(c, c.x(0)) })},
		"SoftmaxCrossEntropyLoss":   {Attributes: "ignore_index reduction", Inputs: 3, Outputs: 2, Types: floating, Rule: crossEntropy},
	})
}

func crossEntropy(c *call) []*value {
	p := graph.LogSoftmax(c.x(0), 1)
	return several(likelihood(c, p), p)
}

// likelihood is minus the number of the right class, along axis 1, with a weight for each
// class.
func likelihood(c *call, x *graph.Node) *graph.Node {
	target := graph.ConvertDType(c.x(1), dtypes.Int32)
	d := x.Shape().Dimensions
	if len(d) < 2 || target.Rank() != len(d)-1 {
		panic(fmt.Errorf("labels of shape %v do not fit an input of shape %v", target.Shape().Dimensions, d))
	}
	ignored := graph.LogicalAnd(graph.LessThan(target, graph.ZerosLike(target)), graph.GreaterThan(target, graph.ZerosLike(target)))
	if a, ok := c.attribute("ignore_index"); ok {
		ignored = graph.Equal(target, filled(target, float64(a.I)))
	}
	safe := graph.Where(ignored, graph.ZerosLike(target), target)
	loss := graph.Neg(graph.Squeeze(gatherElements(x, graph.InsertAxes(safe, 1), 1), 1))
	weight := graph.OnesLike(loss)
	if c.has(2) {
		weight = gatherAxis(c.x(2), safe, 0)
	}
	weight = graph.Where(ignored, graph.ZerosLike(weight), weight)
	loss = graph.Mul(loss, weight)
	switch c.text("reduction", "mean", "sum", "none") {
	case "none":
		return loss
	case "sum":
		return graph.ReduceAllSum(loss)
	}
	return graph.Div(graph.ReduceAllSum(loss), graph.ReduceAllSum(weight))
}
