package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	add(map[string]operator{
		"BatchNormalization":        {Attributes: "epsilon momentum spatial training_mode", Inputs: 5, Outputs: 3, Types: floating, Rule: batchNormalization},
		"InstanceNormalization":     {Attributes: "epsilon", Inputs: 3, Types: floating, Rule: rule(instanceNormalization)},
		"LayerNormalization":        {Attributes: "axis epsilon stash_type", Inputs: 3, Outputs: 3, Types: floating, Rule: layerNormalization},
		"GroupNormalization":        {Attributes: "epsilon num_groups stash_type", Inputs: 3, Types: floating, Rule: rule(groupNormalization)},
		"RMSNormalization":          {Attributes: "axis epsilon stash_type", Inputs: 2, Types: floating, Rule: rule(rmsNormalization)},
		"MeanVarianceNormalization": {Attributes: "axes", Inputs: 1, Types: floating, Rule: rule(meanVariance)},
		"LpNormalization":           {Attributes: "axis p", Inputs: 1, Types: floating, Rule: rule(lpNormalization)},
		"LRN":                       {Attributes: "alpha beta bias size", Inputs: 1, Types: floating, Rule: rule(lrn)},
		"Dropout":                   {Attributes: "ratio seed is_test", Inputs: 3, Outputs: 2, Types: floating, Rule: dropout},
	})
}

// batchNormalization uses what training found or, in training_mode, what the batch has.
func batchNormalization(c *call) []*value {
	v := c.value(0)
	if v.node == nil {
		c.place(v)
	}
	if c.int("spatial", 1) != 1 {
		panic(fmt.Errorf("spatial of 0 is not supported"))
	}
	rank := v.node.Rank()
	at := func(i int) *graph.Node {
		w := c.x(i)
		if v.last || rank == 1 {
			return graph.ExpandLeftToRank(w, rank)
		}
		return channels(w, rank)
	}
	x := v.node
	scale, bias, mu, variance := at(1), at(2), at(3), at(4)
	out := make([]*value, 1)
	if c.flag("training_mode") {
		var axes []int
		for i := range rank {
			if v.last && i != rank-1 || !v.last && i != 1 {
				axes = append(axes, i)
			}
		}
		keep := scalar(x, c.float("momentum", 0.9))
		add := scalar(x, 1-c.float("momentum", 0.9))
		m := graph.ReduceAndKeep(x, graph.ReduceMean, axes...)
		s := graph.ReduceAndKeep(graph.Square(graph.Sub(x, m)), graph.ReduceMean, axes...)
		flat := func(old, now *graph.Node) *value {
			y := graph.Add(graph.Mul(old, keep), graph.Mul(now, c.toSame(add, now)))
			return &value{node: graph.Reshape(y, y.Shape().Size())}
		}
		out = append(out, flat(mu, m), flat(variance, s))
		mu, variance = m, s
	} else if slices.ContainsFunc(c.Out[1:], func(name string) bool { return name != "" }) {
		panic(fmt.Errorf("outputs of running statistics are supported in training_mode of opset 14 on only"))
	}
	factor := graph.Mul(scale, ops.Rsqrt(graph.Add(c.toSame(variance, scale), scalar(scale, c.float("epsilon", 1e-5)))))
	shift := graph.Sub(bias, graph.Mul(c.toSame(mu, factor), factor))
	var y *graph.Node
	if v.last && c.once(0) && len(out) == 1 && factor.DType() == x.DType() && shift.DType() == x.DType() {
		y = ops.Scaled(x, graph.Reshape(factor, factor.Shape().Size()), graph.Reshape(shift, shift.Shape().Size()))
	}
	if y == nil {
		y = graph.Add(graph.Mul(x, c.toSame(factor, x)), c.toSame(shift, x))
	}
	out[0] = &value{node: y, last: v.last}
	return out
}

// centred are a tensor without its mean, the mean, and one over the standard deviation.
func centred(x *graph.Node, epsilon float64, axes ...int) (y, mu, inverse *graph.Node) {
	if d := x.DType(); d.Size() < 4 { // sums of which are too large for 16 bits
		y, mu, inverse = centred(graph.ConvertDType(x, dtypes.Float32), epsilon, axes...)
		return graph.ConvertDType(y, d), graph.ConvertDType(mu, d), graph.ConvertDType(inverse, d)
	}
	mu = graph.ReduceAndKeep(x, graph.ReduceMean, axes...)
	y = graph.Sub(x, mu)
	variance := graph.ReduceAndKeep(graph.Square(y), graph.ReduceMean, axes...)
	return y, mu, ops.Rsqrt(graph.Add(variance, scalar(variance, epsilon)))
}

func normalized(x *graph.Node, epsilon float64, axes ...int) *graph.Node {
	y, _, inverse := centred(x, epsilon, axes...)
	return graph.Mul(y, inverse)
}

func from(axis, rank int) []int {
	var axes []int
	for i := axis; i < rank; i++ {
		axes = append(axes, i)
	}
	return axes
}

func instanceNormalization(c *call) *graph.Node {
	c.images()
	x := c.x(0)
	y := normalized(x, c.float("epsilon", 1e-5), from(2, x.Rank())...)
	return graph.Add(graph.Mul(y, channels(c.x(1), x.Rank())), channels(c.x(2), x.Rank()))
}

// stash is the type in which a normalization computes: float32, if nothing else is said.
func (c *call) stash(x *graph.Node) *graph.Node {
	d := c.dtype("stash_type", dtypes.Float32)
	if x.DType() == dtypes.Float64 && d == dtypes.Float32 {
		return x
	}
	return casted(x, d)
}

func layerNormalization(c *call) []*value {
	x := c.x(0)
	axes := from(c.axis(-1, x.Rank()), x.Rank())
	y, mu, inverse := centred(c.stash(x), c.float("epsilon", 1e-5), axes...)
	y = graph.Mul(c.toSame(graph.Mul(y, inverse), x), graph.ExpandLeftToRank(c.x(1), x.Rank()))
	if c.has(2) {
		y = graph.Add(y, graph.ExpandLeftToRank(c.x(2), x.Rank()))
	}
	return several(y, mu, inverse)
}

func rmsNormalization(c *call) *graph.Node {
	x := c.x(0)
	axes := from(c.axis(-1, x.Rank()), x.Rank())
	s := c.stash(x)
	square := graph.ReduceAndKeep(graph.Square(s), graph.ReduceMean, axes...)
	y := graph.Mul(s, ops.Rsqrt(graph.Add(square, scalar(square, c.float("epsilon", 1e-5)))))
	return graph.Mul(c.toSame(y, x), graph.ExpandLeftToRank(c.x(1), x.Rank()))
}

// groupNormalization had its scale and bias for each group before opset 21.
func groupNormalization(c *call) *graph.Node {
	x := c.x(0)
	d := x.Shape().Dimensions
	groups := c.int("num_groups", 0)
	if groups < 1 || len(d) < 2 || d[1]%groups != 0 {
		panic(fmt.Errorf("%d channels do not fit num_groups %d", d[min(1, len(d)-1)], groups))
	}
	apart := slices.Concat([]int{d[0], groups, d[1] / groups}, d[2:])
	y := graph.Reshape(c.stash(x), apart...)
	y = c.toSame(normalized(y, c.float("epsilon", 1e-5), from(2, len(apart))...), x)
	scale, bias := c.x(1), c.x(2)
	if scale.Shape().Size() == groups && groups != d[1] {
		y = graph.Add(graph.Mul(y, channels(scale, y.Rank())), channels(bias, y.Rank()))
		return graph.Reshape(y, d...)
	}
	y = graph.Reshape(y, d...)
	return graph.Add(graph.Mul(y, channels(scale, len(d))), channels(bias, len(d)))
}

func meanVariance(c *call) *graph.Node {
	x := c.x(0)
	axes := axesOf(c.list("axes", 0, 2, 3), x.Rank())
	y, _, _ := centred(x, 0, axes...)
	variance := graph.ReduceAndKeep(graph.Square(y), graph.ReduceMean, axes...)
	return graph.Div(y, graph.Add(graph.Sqrt(variance), scalar(x, 1e-9)))
}

func lpNormalization(c *call) *graph.Node {
	x := c.x(0)
	axis := c.axis(-1, x.Rank())
	kind := x.DType()
	if kind.Size() < 4 {
		x = graph.ConvertDType(x, dtypes.Float32)
	}
	if p := c.int("p", 2); p != 1 && p != 2 {
		panic(fmt.Errorf("expected p of 1 or 2, got %d", p))
	}
	var norm *graph.Node
	if c.int("p", 2) == 1 {
		norm = graph.ReduceAndKeep(absolute(x), graph.ReduceSum, axis)
	} else {
		norm = graph.Sqrt(graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, axis))
	}
	zero := graph.Equal(norm, graph.ZerosLike(norm))
	y := graph.Div(x, graph.Where(zero, graph.OnesLike(norm), norm))
	return casted(graph.Where(graph.BroadcastToDims(zero, x.Shape().Dimensions...), graph.ZerosLike(x), y), kind)
}

// lrn divides by what the neighbouring channels have.
func lrn(c *call) *graph.Node {
	in := c.images()
	x := c.x(0)
	size := c.int("size", 0)
	if size < 1 {
		panic(fmt.Errorf("expected a size of at least 1, got %d", size))
	}
	square := padded(graph.Square(x), 1, [2]int{(size - 1) / 2, size - 1 - (size-1)/2}, scalar0(x))
	var sum *graph.Node
	for i := range size {
		if i+1 < (size-1)/2+1-in[1]+1 || i >= (size-1)/2+in[1] { // nothing but padding
			continue
		}
		p := part(square, 1, i, i+in[1], 1)
		sum = plus(sum, p)
	}
	base := graph.Add(graph.Mul(sum, scalar(x, c.float("alpha", 1e-4)/float64(size))), scalar(x, c.float("bias", 1)))
	return graph.Div(x, graph.Pow(base, scalar(x, c.float("beta", 0.75))))
}

// dropout drops nothing at inference. What asks for random numbers is refused.
func dropout(c *call) []*value {
	v := c.value(0)
	if c.has(2) {
		ratio := 0.5
		if c.has(1) {
			ratio = c.real(1)
		}
		if c.real(2) != 0 && ratio != 0 {
			panic(fmt.Errorf("training_mode is on: random numbers are not supported"))
		}
	}
	d := dtypes.Bool
	if c.opset < 10 {
		d = v.shape().DType
	}
	out := []*value{v}
	if len(c.Out) > 1 {
		one := graph.Scalar(c.g, dtypes.Int32, 1)
		mask := graph.BroadcastToDims(casted(one, d), v.shape().Dimensions...)
		out = append(out, &value{node: mask})
	}
	return out
}
