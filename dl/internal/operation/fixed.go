package operation

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// Fixed is an argument of an operation that is known: a number, or an array.
type Fixed struct {
	// At is its place among the arguments.
	At int
	// Dims are its dimensions, none for a number, and Values its numbers in one row.
	Dims   []int
	Values []float64
	// Weak says that it has the type of the other arguments, as Python's numbers do.
	Weak bool
}

// constants are the fixed arguments of an operation, which keeps them as text, as files do.
func (o Operation) constants() (all []Fixed, err error) {
	if o.Fixed == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(o.Fixed), &all); err != nil {
		return nil, fmt.Errorf("expected arguments as JSON, got %q: %w", o.Fixed, err)
	}
	return all, nil
}

func (o *Operation) fix(all []Fixed) error {
	if len(all) == 0 {
		return nil
	}
	text, err := json.Marshal(all)
	o.Fixed = string(text)
	return err
}

// withFixed are all arguments in their order.
func (o Operation) withFixed(in []*graph.Node) []*graph.Node {
	constants, err := o.constants()
	if err != nil {
		panic(err)
	}
	all := slices.Clone(in)
	for _, k := range constants {
		t := in[0].DType()
		whole := !slices.ContainsFunc(k.Values, func(v float64) bool { return v != float64(int64(v)) })
		if !k.Weak && !whole || !t.IsFloat() && !whole || rank(in[0]) == 0 {
			t = dtypeFloat
		}
		n := graph.Reshape(graph.ConstAsDType(in[0].Graph(), t, k.Values), k.Dims...)
		if k.At > len(all) {
			panic(fmt.Errorf("expected an argument %d, got %d", k.At, len(all)))
		}
		all = slices.Insert(all, k.At, n)
	}
	return all
}

func init() {
	table["get_item"] = func(o Operation, x []*graph.Node) *graph.Node { return item(x[0], o.Ints) }
	table["dot"] = func(_ Operation, x []*graph.Node) *graph.Node {
		a, b := oneType(x[0], x[1])
		if b.Rank() > 2 || b.Rank() == 0 || a.Rank() == 0 {
			panic(fmt.Errorf("dot of shapes %v and %v is not supported", a.Shape().Dimensions, b.Shape().Dimensions))
		}
		return table["matmul"](Operation{}, []*graph.Node{a, b})
	}
}

// item takes what an index, as places reads it, says.
func item(x *graph.Node, index []int) *graph.Node {
	axes := 0
	for i := 0; i < len(index); i += 4 {
		if k := index[i]; k == takeOne || k == takeRange {
			axes++
		}
	}
	if axes > x.Rank() {
		panic(fmt.Errorf("expected an index of at most %d axes, got %d", x.Rank(), axes))
	}
	var dims []int
	axis := 0
	for i := 0; i < len(index); i += 4 {
		kind, from, to, step := index[i], index[i+1], index[i+2], index[i+3]
		switch kind {
		case newAxis:
			dims = append(dims, 1)
			continue
		case takeRest:
			for ; x.Rank()-axis > axes; axis++ {
				dims = append(dims, x.Shape().Dimensions[axis])
			}
			continue
		}
		axes--
		size := x.Shape().Dimensions[axis]
		bound := func(v int) int {
			if v < 0 {
				v += size
			}
			return min(max(v, 0), size)
		}
		if kind == takeOne {
			if from < -size || from >= size {
				panic(fmt.Errorf("expected a place of an axis of %d, got %d", size, from))
			}
			from = bound(from)
			to, step = from+1, 1
		}
		from, to = bound(from), bound(to)
		if to <= from {
			panic(fmt.Errorf("expected at least one place of an axis of %d, got none", size))
		}
		if from > 0 || to < size || step > 1 {
			x = graph.SliceAxis(x, axis, graph.AxisRange(from, to).Stride(step))
		}
		if kind == takeRange {
			dims = append(dims, x.Shape().Dimensions[axis])
		}
		axis++
	}
	for ; axis < x.Rank(); axis++ {
		dims = append(dims, x.Shape().Dimensions[axis])
	}
	return graph.Reshape(x, dims...)
}

// split cuts an axis into parts: of equal size, or at places.
func split(o Operation, in []*graph.Node) []*graph.Node {
	x := in[0]
	axis := graph.MustAdjustAxis(int(o.Numbers[0]), x)
	size := x.Shape().Dimensions[axis]
	ends := slices.Clone(o.Ints)
	if len(ends) == 1 && !o.Flag {
		n := ends[0]
		if n < 1 || size%n != 0 {
			panic(fmt.Errorf("an axis of %d cannot be split into %d parts", size, n))
		}
		ends = nil
		for i := 1; i < n; i++ {
			ends = append(ends, i*size/n)
		}
	}
	var out []*graph.Node
	from := 0
	for _, to := range append(ends, size) {
		out = append(out, graph.SliceAxis(x, axis, graph.AxisRange(from, to)))
		from = to
	}
	return out
}
