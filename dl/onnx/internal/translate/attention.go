package translate

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	add(map[string]operator{
		"Attention": {
			Attributes: "scale is_causal q_num_heads kv_num_heads softmax_precision softcap qk_matmul_output_mode left_window_size right_window_size",
			Inputs:     7, Outputs: 4, Types: floating, Rule: attention,
		},
		"RotaryEmbedding": {Attributes: "interleaved num_heads rotary_embedding_dim", Inputs: 4, Types: floating, Rule: rule(rotaryEmbedding)},
		"LinearAttention": {Attributes: "chunk_size kv_num_heads q_num_heads scale update_rule", Inputs: 6, Outputs: 2, Types: floating, Rule: linearAttention},
	})
}

// heads takes [batch, length, heads·size] apart into [batch, heads, length, size].
func heads(x *graph.Node, n int) *graph.Node {
	if x.Rank() == 4 {
		return x
	}
	d := x.Shape().Dimensions
	if len(d) != 3 || n < 1 || d[2]%n != 0 {
		panic(fmt.Errorf("expected [batch, length, numbers of %d heads], got shape %v", n, d))
	}
	return graph.TransposeAllAxes(graph.Reshape(x, d[0], d[1], n, d[2]/n), 0, 2, 1, 3)
}

// joined is the way back.
func joined(x *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	return graph.Reshape(graph.TransposeAllAxes(x, 0, 2, 1, 3), d[0], d[2], d[1]*d[3])
}

// attention is scaled dot-product attention with what models have added to it: fewer heads
// of keys than of queries, masks, a past, and windows.
//
// Source: https://onnx.ai/onnx/operators/onnx__Attention.html
func attention(c *call) []*value {
	rank := c.value(0).shape().Rank()
	q, k, v := heads(c.x(0), c.int("q_num_heads", 0)), heads(c.x(1), c.int("kv_num_heads", 0)), heads(c.x(2), c.int("kv_num_heads", 0))
	past := 0
	if c.has(4) != c.has(5) || c.has(4) && c.has(6) {
		panic(fmt.Errorf("expected past_key and past_value together, and without nonpad_kv_seqlen"))
	}
	if c.has(4) {
		past = c.value(4).shape().Dimensions[2]
		k = graph.Concatenate([]*graph.Node{c.x(4), k}, 2)
		v = graph.Concatenate([]*graph.Node{c.x(5), v}, 2)
	}
	presentK, presentV := k, v
	if q.Shape().Dimensions[1]%k.Shape().Dimensions[1] != 0 {
		panic(fmt.Errorf("%d heads of queries are no multiple of %d of keys", q.Shape().Dimensions[1], k.Shape().Dimensions[1]))
	}
	times := q.Shape().Dimensions[1] / k.Shape().Dimensions[1]
	k, v = ops.Repeat(k, 1, times), ops.Repeat(v, 1, times)
	scale := c.float("scale", 1/math.Sqrt(float64(q.Shape().Dimensions[3])))
	s := scalar(q, math.Sqrt(scale))
	scores := dot(graph.Mul(q, s), []int{3}, []int{0, 1}, graph.Mul(k, s), []int{3}, []int{0, 1})
	raw := scores
	if limit := c.float("softcap", 0); limit > 0 {
		scores = graph.Mul(graph.Tanh(graph.Div(scores, scalar(scores, limit))), scalar(scores, limit))
	}
	capped := scores
	bias := c.attentionBias(scores, past)
	if bias != nil {
		scores = graph.Add(scores, bias)
	}
	biased := scores
	if d := c.dtype("softmax_precision", dtypes.InvalidDType); d != dtypes.InvalidDType {
		scores = casted(scores, d)
	}
	weights := c.toSame(maskedSoftmax(scores, bias), q)
	y := dot(weights, []int{3}, []int{0, 1}, v, []int{2}, []int{0, 1})
	if rank == 3 {
		y = joined(y)
	}
	shown := []*graph.Node{raw, capped, biased, weights}
	mode := c.int("qk_matmul_output_mode", 0)
	if mode < 0 || mode >= len(shown) {
		panic(fmt.Errorf("expected qk_matmul_output_mode of 0 to 3, got %d", mode))
	}
	return several(y, presentK, presentV, c.toSame(shown[mode], q))
}

// maskedSoftmax is 0 for a query that may look at nothing.
func maskedSoftmax(scores, bias *graph.Node) *graph.Node {
	if bias == nil {
		return inFloat(graph.Softmax)(scores, 3)
	}
	top := graph.ReduceAndKeep(bias, graph.ReduceMax, 3)
	none := graph.Equal(top, scalar(top, math.Inf(-1)))
	none = graph.BroadcastToDims(none, scores.Shape().Dimensions...)
	safe := graph.Where(none, graph.ZerosLike(scores), scores)
	return graph.Where(none, graph.ZerosLike(scores), inFloat(graph.Softmax)(safe, 3))
}

// hidden is −∞ where a mask is false.
func hidden(like, allowed *graph.Node, dims []int) *graph.Node {
	allowed = graph.BroadcastToDims(allowed, dims...)
	zero := graph.BroadcastToDims(scalar(like, 0), dims...)
	return graph.Where(allowed, zero, graph.BroadcastToDims(scalar(like, math.Inf(-1)), dims...))
}

// attentionBias is what is added to scores [batch, heads, queries, keys], nil for nothing.
func (c *call) attentionBias(scores *graph.Node, past int) *graph.Node {
	dims := scores.Shape().Dimensions
	var bias *graph.Node
	add := func(b *graph.Node) { bias = plus(bias, graph.BroadcastToDims(b, dims...)) }
	if c.has(3) {
		mask := c.x(3)
		axis := mask.Rank() - 1
		short := dims[3] - mask.Shape().Dimensions[axis]
		if mask.DType() == dtypes.Bool {
			allowed := padded(graph.ConvertDType(mask, dtypes.Int32), axis, [2]int{0, max(short, 0)}, graph.Scalar(c.g, dtypes.Int32, 0))
			allowed = graph.ExpandLeftToRank(graph.NotEqual(allowed, graph.ZerosLike(allowed)), 4)
			add(hidden(scores, allowed, dims))
		} else {
			mask = padded(mask, axis, [2]int{0, max(short, 0)}, scalar(mask, math.Inf(-1)))
			add(c.toSame(graph.ExpandLeftToRank(mask, 4), scores))
		}
	}
	places := sized(dtypes.Int64, []int{1, 1, dims[2], dims[3]})
	at, key := graph.Iota(c.g, places, 2), graph.Iota(c.g, places, 3)
	var lengths *graph.Node
	if c.has(6) {
		lengths = graph.Reshape(graph.ConvertDType(c.x(6), dtypes.Int64), dims[0], 1, 1, 1)
		wide := sized(dtypes.Int64, []int{dims[0], 1, 1, dims[3]})
		at = graph.Add(at, graph.Sub(lengths, scalar(lengths, float64(dims[2]))))
		allowed := graph.LessThan(graph.Iota(c.g, wide, 3), graph.BroadcastToDims(lengths, wide.Dimensions...))
		add(hidden(scores, allowed, dims))
	} else {
		at = graph.Add(at, scalar(at, float64(past)))
	}
	key = graph.BroadcastToDims(key, at.Shape().Dimensions...)
	if c.flag("is_causal") {
		add(hidden(scores, graph.LessOrEqual(key, at), dims))
	}
	if n := c.int("left_window_size", -1); n >= 0 {
		add(hidden(scores, graph.LessOrEqual(graph.Sub(at, key), filled(at, float64(n))), dims))
	}
	if n := c.int("right_window_size", -1); n >= 0 {
		add(hidden(scores, graph.LessOrEqual(graph.Sub(key, at), filled(at, float64(n))), dims))
	}
	return bias
}

// filled is a number in the shape of x.
func filled(x *graph.Node, v float64) *graph.Node {
	return graph.BroadcastToDims(scalar(x, v), x.Shape().Dimensions...)
}

// rotaryEmbedding turns pairs of numbers by angles that grow with the place.
func rotaryEmbedding(c *call) *graph.Node {
	x := c.x(0)
	rank := x.Rank()
	if rank == 4 {
		x = graph.TransposeAllAxes(x, 0, 2, 1, 3)
	} else {
		d := x.Shape().Dimensions
		n := c.int("num_heads", 0)
		if rank != 3 || n < 1 || d[2]%n != 0 {
			panic(fmt.Errorf("expected [batch, length, numbers of %d heads], got shape %v", n, d))
		}
		x = graph.Reshape(x, d[0], d[1], n, d[2]/n)
	}
	d := x.Shape().Dimensions
	turned := c.int("rotary_embedding_dim", 0)
	if turned == 0 {
		turned = d[3]
	}
	if turned < 0 || turned > d[3] || turned%2 != 0 {
		panic(fmt.Errorf("expected an even rotary_embedding_dim of at most %d, got %d", d[3], turned))
	}
	cache := func(i int) *graph.Node {
		y := c.x(i)
		if c.has(3) {
			y = gatherAxis(y, c.places(3, y.Shape().Dimensions[0]), 0)
		}
		return graph.ExpandAxes(y, 2)
	}
	cos, sin := cache(1), cache(2)
	rest := part(x, 3, turned, d[3], 1)
	x = part(x, 3, 0, turned, 1)
	inter := c.flag("interleaved")
	var a, b *graph.Node
	if inter {
		a, b = part(x, 3, 0, turned, 2), part(x, 3, 1, turned, 2)
	} else {
		a, b = part(x, 3, 0, turned/2, 1), part(x, 3, turned/2, turned, 1)
	}
	re := graph.Sub(graph.Mul(cos, a), graph.Mul(sin, b))
	im := graph.Add(graph.Mul(sin, a), graph.Mul(cos, b))
	if inter {
		x = graph.Reshape(graph.Stack([]*graph.Node{re, im}, 4), d[0], d[1], d[2], turned)
	} else {
		x = graph.Concatenate([]*graph.Node{re, im}, 3)
	}
	if turned < d[3] {
		x = graph.Concatenate([]*graph.Node{x, rest}, 3)
	}
	if rank == 4 {
		return graph.TransposeAllAxes(x, 0, 2, 1, 3)
	}
	return graph.Reshape(x, d[0], d[1], d[2]*d[3])
}

// linearAttention keeps a state of keys by values instead of all past keys, step by step.
func linearAttention(c *call) []*value {
	nq, nk := c.int("q_num_heads", 0), c.int("kv_num_heads", 0)
	if nq < 1 || nk < 1 || nq%nk != 0 {
		panic(fmt.Errorf("expected q_num_heads to be a multiple of kv_num_heads, got %d and %d", nq, nk))
	}
	update := c.text("update_rule", "gated_delta", "linear", "gated", "delta")
	gated, delta := update == "gated" || update == "gated_delta", update == "delta" || update == "gated_delta"
	if c.has(4) != gated || c.has(5) != delta {
		panic(fmt.Errorf("update_rule %s does not fit the inputs decay and beta that are there", update))
	}
	out := c.x(0).DType()
	in := func(i, n int) *graph.Node { return casted(heads(c.x(i), n), dtypes.Float32) }
	q, k, v := in(0, nq), in(1, nk), in(2, nk)
	d := q.Shape().Dimensions
	size, width := d[3], v.Shape().Dimensions[3]
	steps := d[2]
	var decay, beta *graph.Node
	if gated {
		decay = in(4, nk)
	}
	if delta {
		beta = in(5, c.value(5).shape().Dimensions[2])
	}
	kind := out
	var state *graph.Node
	if c.has(3) {
		kind = c.value(3).shape().DType
		state = casted(c.x(3), dtypes.Float32)
	} else {
		state = c.fill(dtypes.Float32, 0, d[0], nk, size, width)
	}
	scale := c.float("scale", 0)
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(size))
	}
	var all []*graph.Node
	for i := range steps {
		at := func(x *graph.Node) *graph.Node { return part(x, 2, i, i+1, 1) }
		if gated {
			state = graph.Mul(state, graph.Exp(graph.TransposeAllAxes(at(decay), 0, 1, 3, 2)))
		}
		ki, vi := at(k), at(v)
		column := graph.TransposeAllAxes(ki, 0, 1, 3, 2)
		if delta {
			seen := graph.ReduceAndKeep(graph.Mul(state, column), graph.ReduceSum, 2)
			vi = graph.Mul(at(beta), graph.Sub(vi, seen))
		}
		state = graph.Add(state, graph.Mul(column, vi))
		read := ops.Repeat(state, 1, nq/nk)
		qi := graph.TransposeAllAxes(at(q), 0, 1, 3, 2)
		y := graph.ReduceAndKeep(graph.Mul(read, qi), graph.ReduceSum, 2)
		all = append(all, graph.Mul(y, scalar(y, scale)))
	}
	y := joined(graph.Concatenate(all, 2))
	return several(casted(y, out), casted(state, kind))
}
