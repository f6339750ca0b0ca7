package translate

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

// The operators that ONNX has on trial, in domains of their own.

const (
	previewDomain  = "ai.onnx.preview"
	trainingDomain = "ai.onnx.preview.training"
)

func init() {
	add(map[string]operator{
		key(previewDomain, "FlexAttention"): {Attributes: "scale score_mod prob_mod softmax_precision", Inputs: 3, Types: floating, Rule: rule(flexAttention), Inner: true},

		key(trainingDomain, "Adagrad"):  {Attributes: "decay_factor epsilon norm_coefficient", Inputs: unlimited, Outputs: unlimited, Types: floating, Rule: updates(1, adagrad)},
		key(trainingDomain, "Adam"):     {Attributes: "alpha beta epsilon norm_coefficient norm_coefficient_post", Inputs: unlimited, Outputs: unlimited, Types: floating, Rule: updates(2, adam)},
		key(trainingDomain, "Momentum"): {Attributes: "alpha beta mode norm_coefficient", Inputs: unlimited, Outputs: unlimited, Types: floating, Rule: updates(1, momentum)},
	})
}

// flexAttention is attention whose scores and weights go through graphs of the file.
func flexAttention(c *call) *graph.Node {
	q, k, v := c.x(0), c.x(1), c.x(2)
	if q.Rank() != 4 || k.Rank() != 4 || v.Rank() != 4 || q.Shape().Dimensions[1]%max(k.Shape().Dimensions[1], 1) != 0 {
		panic(fmt.Errorf("expected [batch, heads, length, size], got shapes %v, %v and %v", q.Shape().Dimensions, k.Shape().Dimensions, v.Shape().Dimensions))
	}
	times := q.Shape().Dimensions[1] / k.Shape().Dimensions[1]
	k, v = ops.Repeat(k, 1, times), ops.Repeat(v, 1, times)
	s := scalar(q, math.Sqrt(c.float("scale", 1/math.Sqrt(float64(q.Shape().Dimensions[3])))))
	scores := dot(graph.Mul(q, s), []int{3}, []int{0, 1}, graph.Mul(k, s), []int{3}, []int{0, 1})
	d := q.DType()
	if d.Size() < 4 {
		d = dtypes.Float32
	}
	d = c.dtype("softmax_precision", d)
	through := func(name string, x *graph.Node) *graph.Node {
		a, ok := c.attribute(name)
		if !ok || a.G == nil {
			return x
		}
		kind := x.DType()
		if len(a.G.Inputs) == 1 && DType(a.G.Inputs[0].Kind) != 0 {
			x = casted(x, DType(a.G.Inputs[0].Kind))
		}
		out := c.inner(a.G, c.scope, &value{node: x})
		if len(out) != 1 {
			panic(fmt.Errorf("expected a graph of one output as attribute %s, got %d", name, len(out)))
		}
		return casted(c.node(out[0]), kind)
	}
	weights := through("prob_mod", graph.Softmax(through("score_mod", casted(scores, d)), 3))
	return casted(dot(weights, []int{3}, []int{0, 1}, casted(v, d), []int{2}, []int{0, 1}), c.value(2).shape().DType)
}

// updates is a step of an optimizer, whose inputs are its rate, the number of the step, all
// weights, all gradients, and so many kinds of state of each weight.
func updates(states int, step func(c *call, rate, t, x, g *graph.Node, state []*graph.Node) []*graph.Node) func(c *call) []*value {
	return func(c *call) []*value {
		n := (len(c.in) - 2) / (2 + states)
		if n < 1 || len(c.in) != 2+n*(2+states) {
			panic(fmt.Errorf("expected a rate, a count and %d tensors for each weight, got %d inputs", 2+states, len(c.in)))
		}
		out := make([]*graph.Node, n*(1+states))
		for i := range n {
			x := c.x(2 + i)
			var state []*graph.Node
			for j := range states {
				state = append(state, c.x(2+n*(2+j)+i))
			}
			rate, t := c.toSame(graph.Reshape(c.x(0)), x), c.toSame(graph.Reshape(c.x(1)), x)
			for j, y := range step(c, rate, t, x, graph.Add(graph.Mul(scalar(x, c.float("norm_coefficient", 0)), x), c.x(2+n+i)), state) {
				out[j*n+i] = y
			}
		}
		return several(out...)
	}
}

func adagrad(c *call, rate, t, x, g *graph.Node, state []*graph.Node) []*graph.Node {
	rate = graph.Div(rate, graph.Add(scalar(x, 1), graph.Mul(t, scalar(x, c.float("decay_factor", 0)))))
	h := graph.Add(state[0], graph.Square(g))
	by := graph.Add(graph.Sqrt(h), scalar(x, c.float("epsilon", 1e-6)))
	return []*graph.Node{graph.Sub(x, graph.Div(graph.Mul(rate, g), by)), h}
}

func adam(c *call, rate, t, x, g *graph.Node, state []*graph.Node) []*graph.Node {
	one := scalar(x, 1)
	alpha, beta := scalar(x, c.float("alpha", 0.9)), scalar(x, c.float("beta", 0.999))
	v := graph.Add(graph.Mul(alpha, state[0]), graph.Mul(graph.Sub(one, alpha), g))
	h := graph.Add(graph.Mul(beta, state[1]), graph.Mul(graph.Sub(one, beta), graph.Square(g)))
	corrected := graph.Div(graph.Mul(rate, graph.Sqrt(graph.Sub(one, graph.Pow(beta, t)))), graph.Sub(one, graph.Pow(alpha, t)))
	rate = graph.Where(graph.GreaterThan(t, graph.ZerosLike(t)), corrected, rate)
	by := graph.Add(graph.Sqrt(h), scalar(x, c.float("epsilon", 1e-6)))
	y := graph.Sub(x, graph.Mul(rate, graph.Div(v, by)))
	return []*graph.Node{graph.Mul(scalar(x, 1-c.float("norm_coefficient_post", 0)), y), v, h}
}

func momentum(c *call, rate, t, x, g *graph.Node, state []*graph.Node) []*graph.Node {
	alpha := scalar(x, c.float("alpha", 0))
	beta := graph.Where(graph.GreaterThan(t, graph.ZerosLike(t)), scalar(x, c.float("beta", 0)), scalar(x, 1))
	v := graph.Add(graph.Mul(alpha, state[0]), graph.Mul(beta, g))
	by := v
	if c.text("mode", "standard", "nesterov") == "nesterov" {
		by = graph.Add(g, graph.Mul(alpha, v))
	}
	return []*graph.Node{graph.Sub(x, graph.Mul(rate, by)), v}
}
