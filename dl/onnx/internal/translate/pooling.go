package translate

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/ops"
	"github.com/gradbook/gradbook/dl/internal/proto"
)

func init() {
	add(map[string]operator{
		"MaxPool":           {Attributes: window + " ceil_mode storage_order", Inputs: 1, Outputs: 2, Types: numeric, Rule: maxPool},
		"AveragePool":       {Attributes: window + " ceil_mode count_include_pad", Inputs: 1, Types: floating, Rule: averagePool},
		"LpPool":            {Attributes: window + " ceil_mode p", Inputs: 1, Types: floating, Rule: lpPool},
		"GlobalMaxPool":     {Inputs: 1, Types: floating, Rule: rule(globalPool(graph.ReduceMax))},
		"GlobalAveragePool": {Inputs: 1, Types: floating, Rule: rule(globalPool(graph.ReduceMean))},
		"GlobalLpPool":      {Attributes: "p", Inputs: 1, Types: floating, Rule: rule(globalLpPool)},
		"MaxUnpool":         {Attributes: "kernel_shape strides pads", Inputs: 3, Types: floating, Rule: rule(maxUnpool)},
	})
}

// pool is a node's window over its input, with channels at the end. more are the further
// places behind each axis that ceil_mode needs for its last window.
func (c *call) pool() (x *graph.Node, f frame, more []int) {
	in := c.images()
	space := in[2:]
	f = c.frame(space, c.list("kernel_shape"))
	more = make([]int, len(space))
	if c.flag("ceil_mode") {
		for i, d := range space {
			left := d + f.pads[i][0] + f.pads[i][1] - f.reach(i)
			n := (left+f.strides[i]-1)/f.strides[i] + 1
			if (n-1)*f.strides[i] >= d+f.pads[i][0] { // it would begin behind the input
				n--
			}
			more[i] = max(0, (n-1)*f.strides[i]-left)
			f.pads[i][1] += more[i]
		}
	}
	f.out(space)
	return c.last(), f, more
}

func (f frame) pad(x *graph.Node, v float64) *graph.Node {
	for i, p := range f.pads {
		x = padded(x, 1+i, p, scalar(x, v))
	}
	return x
}

// slide takes a window's numbers together. Where the window has gaps, XLA's pooling has no
// gradient here, so in training its places are taken one by one.
func (f frame) slide(c *call, x *graph.Node, largest bool) *graph.Node {
	size := append(append([]int{1}, f.size...), 1)
	strides := append(append([]int{1}, f.strides...), 1)
	plain := ops.AllOnes(f.dilation) && x.DType() == dtypes.Float32
	switch {
	case plain && largest:
		return graph.MaxPool(x).FullShape().WindowPerAxis(size...).StridePerAxis(strides...).NoPadding().Done()
	case plain:
		return graph.SumPool(x).FullShape().WindowPerAxis(size...).StridePerAxis(strides...).NoPadding().Done()
	case c.Trained || c.folding || x.DType().Size() < 4 && x.DType().IsFloat():
		return f.byPlaces(x, largest)
	}
	op := compute.ReduceOpSum
	if largest {
		op = compute.ReduceOpMax
	}
	return graph.BackendReduceWindow(x, op, size, strides, nil, append(append([]int{1}, f.dilation...), 1), nil)
}

func (f frame) byPlaces(x *graph.Node, largest bool) *graph.Node {
	var y *graph.Node
	f.places(func(at []int) {
		p := f.under(x, at)
		switch {
		case y == nil:
			y = p
		case largest:
			y = graph.Max(y, p)
		default:
			y = graph.Add(y, p)
		}
	})
	return y
}

// places calls a function for each place of a window.
func (f frame) places(do func(at []int)) {
	if n := sized(dtypes.Bool, f.size).Size(); n > 1<<13 {
		panic(fmt.Errorf("a window of %v places, one by one, is not supported", f.size))
	}
	at := make([]int, len(f.size))
	for {
		do(at)
		i := len(at) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < f.size[i] {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// under is what lies under one place of all windows.
func (f frame) under(x *graph.Node, at []int) *graph.Node {
	for i, a := range at {
		from := a * f.dilation[i]
		last := x.Shape().Dimensions[1+i] - (f.size[i]-1-a)*f.dilation[i]
		x = graph.SliceAxis(x, 1+i, graph.AxisRange(from, last).Stride(f.strides[i]))
	}
	return x
}

func maxPool(c *call) []*value {
	x, f, _ := c.pool()
	lowest := math.Inf(-1)
	if x.DType().IsInt() {
		lowest = 0
		if !x.DType().IsUnsigned() {
			lowest = -math.Pow(2, float64(8*x.DType().Size()-1))
		}
	}
	var y *graph.Node
	if ops.AllOnes(f.dilation) {
		y = ops.MaxPool(x, f.size, f.strides, f.pads)
	}
	if y == nil {
		y = f.slide(c, f.pad(x, lowest), true)
	}
	out := []*value{{node: y, last: true}}
	if len(c.Out) > 1 && c.Out[1] != "" {
		out = append(out, &value{node: channelsFirst(c.largestAt(x, f, lowest))})
	}
	return out
}

// largestAt is where the largest numbers are, counted through the whole input as ONNX has
// it or, with storage_order, with the last axis first.
func (c *call) largestAt(x *graph.Node, f frame, lowest float64) *graph.Node {
	d := x.Shape().Dimensions
	n := len(f.size)
	count, step := make([]int, n), 1
	for i := range n {
		j := n - 1 - i
		if c.flag("storage_order") {
			j = i
		}
		count[j] = step
		step *= d[1+j]
	}
	s := x.Shape().Clone()
	s.DType = dtypes.Int64
	at := graph.Mul(graph.Iota(c.g, s, 0), graph.Scalar(c.g, s.DType, step*d[len(d)-1]))
	at = graph.Add(at, graph.Mul(graph.Iota(c.g, s, n+1), graph.Scalar(c.g, s.DType, step)))
	for i := range n {
		at = graph.Add(at, graph.Mul(graph.Iota(c.g, s, 1+i), graph.Scalar(c.g, s.DType, count[i])))
	}
	wide, places := f.pad(x, lowest), f.pad(at, -1)
	var best, where *graph.Node
	f.places(func(p []int) {
		v, w := f.under(wide, p), f.under(places, p)
		if best == nil {
			best, where = v, w
			return
		}
		better := graph.LogicalOr(graph.GreaterThan(v, best), graph.LessThan(where, graph.ZerosLike(where)))
		best, where = graph.Where(better, v, best), graph.Where(better, w, where)
	})
	return where
}

func averagePool(c *call) []*value {
	x, f, more := c.pool()
	y := f.slide(c, f.pad(x, 0), false)
	count := f
	count.pads = slices.Clone(f.pads)
	size := 1
	for _, s := range f.size {
		size *= s
	}
	// The places that count: those of the input and, with count_include_pad, of its pads, but
	// never those that only ceil_mode added.
	dims := slices.Clone(x.Shape().Dimensions)
	dims[0], dims[len(dims)-1] = 1, 1
	whole := true
	for i := range count.pads {
		if c.flag("count_include_pad") {
			dims[1+i] += count.pads[i][0] + count.pads[i][1] - more[i]
			count.pads[i] = [2]int{0, more[i]}
		}
		whole = whole && count.pads[i] == [2]int{}
	}
	if whole {
		return []*value{{node: graph.Div(y, scalar(y, float64(size))), last: true}}
	}
	n := count.slide(c, count.pad(c.fill(x.DType(), 1, dims...), 0), false)
	return []*value{{node: graph.Div(y, graph.StopGradient(n)), last: true}}
}

func lpPool(c *call) []*value {
	x, f, _ := c.pool()
	var p float64
	if a, ok := c.attribute("p"); ok && a.Kind == proto.KindFloat { // of the first opset
		p = float64(a.F)
	} else {
		p = float64(c.int("p", 2))
	}
	y := f.slide(c, f.pad(graph.Pow(absolute(x), scalar(x, p)), 0), false)
	return []*value{{node: graph.Pow(y, scalar(y, 1/p)), last: true}}
}

func globalPool(f func(x *graph.Node, axes ...int) *graph.Node) func(c *call) *graph.Node {
	return func(c *call) *graph.Node {
		in := c.images()
		x := c.last()
		var axes []int
		for i := 1; i < x.Rank()-1; i++ {
			axes = append(axes, i)
		}
		return graph.Reshape(inFloat(f)(x, axes...), append([]int{in[0], in[1]}, ones(len(in)-2)...)...)
	}
}

func globalLpPool(c *call) *graph.Node {
	p := float64(c.int("p", 2))
	return globalPool(func(x *graph.Node, axes ...int) *graph.Node {
		y := graph.ReduceSum(graph.Pow(absolute(x), scalar(x, p)), axes...)
		return graph.Pow(y, scalar(y, 1/p))
	})(c)
}

// maxUnpool puts numbers back to where MaxPool found them.
func maxUnpool(c *call) *graph.Node {
	in := c.images()
	x, at := c.x(0), c.x(1)
	size := c.list("kernel_shape")
	n := len(size)
	strides, pads := c.list("strides", ones(n)...), c.list("pads", make([]int, 2*n)...)
	if n != len(in)-2 || len(strides) != n || len(pads) != 2*n {
		panic(fmt.Errorf("expected a window of %d axes, got %v", len(in)-2, size))
	}
	out := []int{in[0], in[1]}
	for i := range n {
		out = append(out, (in[2+i]-1)*strides[i]+size[i]-pads[i]-pads[n+i])
	}
	flat := c.fill(x.DType(), 0, sized(x.DType(), out).Size())
	ids := graph.Reshape(graph.ConvertDType(at, dtypes.Int32), x.Shape().Size(), 1)
	y := graph.ScatterUpdate(flat, ids, graph.Reshape(x, x.Shape().Size()), false, true)
	y = graph.Reshape(y, out...)
	if c.has(2) { // which may have more room behind
		whole := c.ints(2)
		if len(whole) != len(out) {
			panic(fmt.Errorf("expected an output_shape of %d axes, got %v", len(out), whole))
		}
		for axis, d := range whole {
			y = padded(part(y, axis, 0, min(d, out[axis]), 1), axis, [2]int{0, max(0, d-out[axis])}, scalar0(y))
		}
	}
	return y
}
