package translate

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/ops"
)

func init() {
	add(map[string]operator{
		"Constant":        {Attributes: "value value_int value_ints value_float value_floats", Rule: constant},
		"ConstantOfShape": {Attributes: "value", Inputs: 1, Types: integers, Rule: constantOfShape},
		"Identity":        {Inputs: 1, Rule: same, Inner: true},
		"Cast":            {Attributes: "to saturate round_mode", Inputs: 1, Rule: with(cast)},
		"CastLike":        {Attributes: "saturate round_mode", Inputs: 2, Rule: castLike},
		"BitCast":         {Attributes: "to", Inputs: 1, Rule: with(bitCast)},
		"Shape":           {Attributes: "start end", Inputs: 1, Rule: shapeOf},
		"Size":            {Inputs: 1, Rule: sizeOf},
		"Range":           {Inputs: 3, Types: numeric, Rule: rangeOf},
		"EyeLike":         {Attributes: "dtype k", Inputs: 1, Rule: rule(eyeLike)},
		"OneHot":          {Attributes: "axis", Inputs: 3, Types: numeric, Rule: rule(oneHot)},
	})
}

func constant(c *call) []*value {
	if a, ok := c.attribute("value"); ok {
		return knownValues(Tensor(a.T))
	}
	if a, ok := c.attribute("value_int"); ok {
		return knownValues(tensors.FromScalar(a.I))
	}
	if a, ok := c.attribute("value_ints"); ok {
		return knownValues(intsTensor(narrow(a.Ints)...))
	}
	if a, ok := c.attribute("value_float"); ok {
		return knownValues(tensors.FromScalar(a.F))
	}
	if a, ok := c.attribute("value_floats"); ok {
		return knownValues(tensors.FromFlatDataAndDimensions(append([]float32{}, a.Floats...), len(a.Floats)))
	}
	panic(fmt.Errorf("expected a value, got none"))
}

func constantOfShape(c *call) []*value {
	dims := c.ints(0)
	v := tensors.FromScalar(float32(0))
	if a, ok := c.attribute("value"); ok {
		v = Tensor(a.T)
	}
	if v.Size() != 1 {
		panic(fmt.Errorf("expected a value of one number, got %d", v.Size()))
	}
	c.fits(sized(v.DType(), dims))
	return single(graph.BroadcastToDims(graph.Reshape(graph.ConstTensor(c.g, v)), dims...))
}

// sized is a shape whose dimensions come from a file.
func sized(d dtypes.DType, dims []int) shapes.Shape {
	n := 1
	for _, size := range dims {
		if size < 0 || size > 0 && n > (1<<47)/size {
			panic(fmt.Errorf("a shape of %v is not possible", dims))
		}
		n *= size
	}
	return shapes.Make(d, dims...)
}

// cast goes to integers by leaving out what is behind the point, and from smaller ones to
// larger as they are.
func cast(c *call, x *graph.Node) *graph.Node {
	to := c.dtype("to", dtypes.InvalidDType)
	if to == dtypes.InvalidDType {
		panic(fmt.Errorf("expected an attribute to, got none"))
	}
	return casted(x, to)
}

func casted(x *graph.Node, to dtypes.DType) *graph.Node {
	switch {
	case x.DType() == to:
		return x
	case to == dtypes.Bool:
		return ops.Truth(x)
	case x.DType().IsFloat() && to.IsInt() && to.Size() < 4:
		// XLA keeps to the range of small integers; C, whose way is ONNX's, takes the lowest
		// bits.
		return graph.ConvertDType(graph.ConvertDType(x, dtypes.Int64), to)
	}
	return graph.ConvertDType(x, to)
}

func castLike(c *call) []*value {
	v := c.value(0)
	return single(casted(c.node(v), c.value(1).shape().DType))
}

func bitCast(c *call, x *graph.Node) *graph.Node {
	to := c.dtype("to", dtypes.InvalidDType)
	if to == dtypes.InvalidDType || to.Size() != x.DType().Size() || to == dtypes.Bool || x.DType() == dtypes.Bool {
		if to == dtypes.Bool && x.DType().Size() == 1 {
			return ops.Truth(x)
		}
		if x.DType() == dtypes.Bool && to != dtypes.InvalidDType && to.Size() == 1 {
			return graph.ConvertDType(x, to)
		}
		panic(fmt.Errorf("expected types of one size, got %s and %s", x.DType(), to))
	}
	return graph.Bitcast(x, to)
}

// shapeOf is known, whatever the numbers are.
func shapeOf(c *call) []*value {
	dims := c.value(0).shape().Dimensions
	from, to := c.int("start", 0), c.int("end", len(dims))
	clamp := func(i int) int {
		if i < 0 {
			i += len(dims)
		}
		return min(max(i, 0), len(dims))
	}
	from, to = clamp(from), clamp(to)
	return knownValues(intsTensor(dims[from:max(from, to)]...))
}

func sizeOf(c *call) []*value {
	return knownValues(tensors.FromScalar(int64(c.value(0).shape().Size())))
}

// rangeOf counts from the first number up to the second, which is not among them.
func rangeOf(c *call) []*value {
	from, to, step := c.real(0), c.real(1), c.real(2)
	if step == 0 {
		panic(fmt.Errorf("expected a step other than 0"))
	}
	n := int(max(0, math.Ceil((to-from)/step)))
	d := c.known(0).DType()
	if d == dtypes.Int64 { // which float64 does not hold beyond 2^53
		from, to, step := c.one(0), c.one(1), c.one(2)
		if step > 0 {
			n = max(0, (to-from+step-1)/step)
		} else {
			n = max(0, (from-to-step-1)/-step)
		}
		c.fits(sized(d, []int{n}))
		y := graph.Iota(c.g, shapes.Make(d, n), 0)
		return single(graph.Add(graph.Mul(y, graph.Const(c.g, int64(step))), graph.Const(c.g, int64(from))))
	}
	c.fits(sized(d, []int{n}))
	y := graph.Iota(c.g, shapes.Make(d, n), 0)
	return single(graph.Add(graph.Mul(y, graph.Scalar(c.g, d, step)), graph.Scalar(c.g, d, from)))
}

func eyeLike(c *call) *graph.Node {
	s := c.value(0).shape()
	if s.Rank() != 2 {
		panic(fmt.Errorf("expected a matrix, got shape %v", s.Dimensions))
	}
	i := sized(dtypes.Int32, s.Dimensions)
	d := graph.Sub(graph.Iota(c.g, i, 1), graph.Iota(c.g, i, 0))
	on := graph.Equal(d, graph.BroadcastToDims(graph.Scalar(c.g, dtypes.Int32, c.int("k", 0)), i.Dimensions...))
	return casted(on, c.dtype("dtype", s.DType))
}

func oneHot(c *call) *graph.Node {
	x, depth := c.x(0), int(c.real(1))
	values := c.x(2)
	axis := c.int("axis", -1)
	if axis < 0 {
		axis += x.Rank() + 1
	}
	at := casted(x, dtypes.Int64)
	low := graph.LessThan(at, graph.ZerosLike(at))
	at = graph.Where(low, graph.Add(at, scalar(at, float64(depth))), at)
	at = graph.InsertAxes(at, axis)
	dims := append([]int{}, at.Shape().Dimensions...)
	dims[axis] = depth
	s := sized(dtypes.Int64, dims)
	c.fits(s)
	on := graph.Equal(graph.Iota(c.g, s, axis), graph.BroadcastToDims(at, dims...))
	part := func(i int) *graph.Node {
		v := graph.Reshape(graph.SliceAxis(values, 0, graph.AxisElem(i)))
		return graph.BroadcastToDims(v, dims...)
	}
	return graph.Where(on, part(1), part(0))
}
