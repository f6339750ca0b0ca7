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
		"Gather": {Attributes: "axis", Inputs: 2, Rule: rule(gather)},
		"GatherElements": {Attributes: "axis", Inputs: 2, Rule: rule(func(c *call) *graph.Node {
			x := c.x(0)
			axis := c.axis(0, x.Rank())
			return gatherElements(x, c.places(1, x.Shape().Dimensions[axis]), axis)
		})},
		"GatherND":        {Attributes: "batch_dims", Inputs: 2, Rule: rule(gatherND)},
		"Scatter":         {Attributes: "axis", Inputs: 3, Rule: rule(scatterElements)},
		"ScatterElements": {Attributes: "axis reduction", Inputs: 3, Rule: rule(scatterElements)},
		"ScatterND":       {Attributes: "reduction", Inputs: 3, Rule: rule(scatterND)},
		"TensorScatter":   {Attributes: "mode axis", Inputs: 3, Rule: rule(tensorScatter)},
		"ArgMax":          {Attributes: "axis keepdims select_last_index", Inputs: 1, Types: numeric, Rule: rule(arg(graph.ArgMax))},
		"ArgMin":          {Attributes: "axis keepdims select_last_index", Inputs: 1, Types: numeric, Rule: rule(arg(graph.ArgMin))},
		"TopK":            {Attributes: "axis k largest sorted", Inputs: 2, Outputs: 2, Types: numeric, Rule: topK},
	})
}

// places are indices into an axis of a size, in which negative ones count from the end.
func (c *call) places(i, size int) *graph.Node {
	if v := c.value(i); v.known != nil {
		if at, ok := numbers(v.known); ok {
			for _, p := range at {
				if p < -size || p >= size {
					panic(fmt.Errorf("expected places of an axis of %d, got %d", size, p))
				}
			}
		}
	}
	return fromStart(c.x(i), size)
}

func fromStart(at *graph.Node, size int) *graph.Node {
	at = graph.ConvertDType(at, dtypes.Int32)
	return graph.Where(graph.LessThan(at, graph.ZerosLike(at)), graph.Add(at, scalar(at, float64(size))), at)
}

func gather(c *call) *graph.Node {
	x := c.x(0)
	axis := c.axis(0, x.Rank())
	return gatherAxis(x, c.places(1, x.Shape().Dimensions[axis]), axis)
}

// gatherAxis puts ids' axes where axis was.
func gatherAxis(x, ids *graph.Node, axis int) *graph.Node {
	if ids.Shape().Size() == 0 || x.Shape().Size() == 0 {
		dims := slices.Concat(x.Shape().Dimensions[:axis], ids.Shape().Dimensions, x.Shape().Dimensions[axis+1:])
		return graph.Zeros(x.Graph(), sized(x.DType(), dims))
	}
	return ops.Take(x, ids, axis)
}

// everywhere are, for places of one axis, the full indices [n, rank].
func everywhere(at *graph.Node, axis int) *graph.Node {
	s := at.Shape().Clone()
	s.DType = dtypes.Int32
	var all []*graph.Node
	for i := range s.Rank() {
		one := at
		if i != axis {
			one = graph.Iota(at.Graph(), s, i)
		}
		all = append(all, graph.Reshape(one, s.Size(), 1))
	}
	return graph.Concatenate(all, 1)
}

func gatherElements(x, at *graph.Node, axis int) *graph.Node {
	if at.Shape().Size() == 0 {
		return graph.Zeros(x.Graph(), sized(x.DType(), at.Shape().Dimensions))
	}
	return graph.Reshape(graph.Gather(x, everywhere(at, axis)), at.Shape().Dimensions...)
}

// nd are the indices of GatherND and ScatterND, from the start of each axis.
func (c *call) nd(i, skip int, dims []int) *graph.Node {
	at := graph.ConvertDType(c.x(i), dtypes.Int32)
	depth := at.Shape().Dimensions[at.Rank()-1]
	if skip+depth > len(dims) {
		panic(fmt.Errorf("expected indices of at most %d axes, got %d", len(dims)-skip, depth))
	}
	sizes := make([]int32, depth)
	for j := range sizes {
		sizes[j] = int32(dims[skip+j])
	}
	size := graph.BroadcastToDims(graph.ExpandLeftToRank(graph.Const(c.g, sizes), at.Rank()), at.Shape().Dimensions...)
	return graph.Where(graph.LessThan(at, graph.ZerosLike(at)), graph.Add(at, size), at)
}

func gatherND(c *call) *graph.Node {
	x := c.x(0)
	batch := c.int("batch_dims", 0)
	if batch < 0 || batch >= x.Rank() {
		panic(fmt.Errorf("expected batch_dims below %d, got %d", x.Rank(), batch))
	}
	at := c.nd(1, batch, x.Shape().Dimensions)
	s := at.Shape().Clone()
	s.Dimensions[s.Rank()-1] = 1
	var all []*graph.Node
	for i := range batch {
		all = append(all, graph.Iota(c.g, s, i))
	}
	return graph.Gather(x, graph.Concatenate(append(all, at), -1))
}

// scattered puts, or adds, updates [n, rest…] at indices [n, depth].
func scattered(x, at, updates *graph.Node, reduction string) *graph.Node {
	if updates.Shape().Size() == 0 {
		return x
	}
	switch reduction {
	case "add":
		return graph.ScatterSum(x, at, updates, false, false)
	case "max":
		return graph.ScatterMax(x, at, updates, false, false)
	case "min":
		return graph.ScatterMin(x, at, updates, false, false)
	case "mul":
		return multiplied(x, at, updates)
	}
	return graph.ScatterUpdate(x, at, updates, false, true)
}

// multiplied multiplies by updates, one after the other: XLA's graph here has no scatter
// that does.
func multiplied(x, at, updates *graph.Node) *graph.Node {
	n := at.Shape().Dimensions[0]
	if n > 1<<10 {
		panic(fmt.Errorf("a reduction mul of more than 1024 updates is not supported, got %d", n))
	}
	for i := range n {
		one := graph.SliceAxis(at, 0, graph.AxisRange(i, i+1))
		by := graph.SliceAxis(updates, 0, graph.AxisRange(i, i+1))
		x = graph.ScatterUpdate(x, one, graph.Mul(graph.Gather(x, one), by), false, true)
	}
	return x
}

func scatterElements(c *call) *graph.Node {
	x, updates := c.x(0), c.x(2)
	axis := c.axis(0, x.Rank())
	at := everywhere(c.places(1, x.Shape().Dimensions[axis]), axis)
	flat := graph.Reshape(updates, updates.Shape().Size())
	return scattered(x, at, flat, c.text("reduction", "none", "add", "mul", "max", "min"))
}

func scatterND(c *call) *graph.Node {
	x, updates := c.x(0), c.x(2)
	at := c.nd(1, 0, x.Shape().Dimensions)
	depth := at.Shape().Dimensions[at.Rank()-1]
	n := at.Shape().Size() / max(depth, 1)
	rest := append([]int{n}, x.Shape().Dimensions[depth:]...)
	return scattered(x, graph.Reshape(at, n, depth), graph.Reshape(updates, rest...), c.text("reduction", "none", "add", "mul", "max", "min"))
}

// tensorScatter writes into a cache, for each example from a place of its own on.
func tensorScatter(c *call) *graph.Node {
	cache, update := c.x(0), c.x(1)
	axis := c.axis(-2, cache.Rank())
	s := update.Shape().Clone()
	s.DType = dtypes.Int32
	at := graph.Iota(c.g, s, axis)
	if c.has(2) {
		dims := slices.Repeat([]int{1}, s.Rank())
		dims[0] = s.Dimensions[0]
		at = graph.Add(at, graph.Reshape(graph.ConvertDType(c.x(2), dtypes.Int32), dims...))
	}
	if c.text("mode", "linear", "circular") == "circular" {
		at = graph.Rem(at, scalar(at, float64(cache.Shape().Dimensions[axis])))
	}
	return graph.ScatterUpdate(cache, everywhere(at, axis), graph.Reshape(update, update.Shape().Size()), false, true)
}

func arg(f func(x *graph.Node, axis int, d ...dtypes.DType) *graph.Node) func(c *call) *graph.Node {
	return func(c *call) *graph.Node {
		x := c.x(0)
		axis := c.axis(0, x.Rank())
		var y *graph.Node
		if c.flag("select_last_index") {
			y = f(graph.Reverse(x, axis), axis, dtypes.Int32)
			y = graph.Sub(scalar(y, float64(x.Shape().Dimensions[axis]-1)), y)
		} else {
			y = f(x, axis, dtypes.Int32)
		}
		y = graph.ConvertDType(y, dtypes.Int64)
		if c.int("keepdims", 1) != 0 {
			y = graph.ExpandAxes(y, axis)
		}
		return y
	}
}

// topK had k as an attribute before opset 10.
func topK(c *call) []*value {
	x := c.x(0)
	k := c.int("k", 0)
	if c.has(1) {
		k = c.one(1)
	}
	axis := c.axis(-1, x.Rank())
	if k < 0 || k > x.Shape().Dimensions[axis] {
		panic(fmt.Errorf("expected k of at most %d, got %d", x.Shape().Dimensions[axis], k))
	}
	if k == 0 {
		none := part(x, axis, 0, 0, 1)
		return several(none, graph.ConvertDType(none, dtypes.Int64))
	}
	f := graph.TopK
	if c.int("largest", 1) == 0 {
		f = graph.BottomK
	}
	values, at := f(x, k, axis)
	return several(values, graph.ConvertDType(at, dtypes.Int64))
}
