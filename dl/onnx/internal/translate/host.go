package translate

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// What the shape of the output depends on the numbers of the input is computed here, from
// numbers that are known or asked for.

func init() {
	add(map[string]operator{
		"NonZero":           {Inputs: 1, Rule: nonZero},
		"Compress":          {Attributes: "axis", Inputs: 2, Rule: rule(compress)},
		"Unique":            {Attributes: "axis sorted", Inputs: 1, Outputs: 4, Types: numeric, Rule: unique},
		"NonMaxSuppression": {Attributes: "center_point_box", Inputs: 5, Types: floating, Rule: nonMaxSuppression},
	})
}

// nonZero are the places of numbers other than 0, one row for each axis.
func nonZero(c *call) []*value {
	t := c.known(0)
	dims := t.Shape().Dimensions
	if len(dims) == 0 { // a number counts as a vector of one
		dims = []int{1}
	}
	rows := make([][]int64, len(dims))
	for i, v := range Reals(t) {
		if v == 0 {
			continue
		}
		for axis := len(dims) - 1; axis >= 0; axis-- {
			rows[axis] = append(rows[axis], int64(i%dims[axis]))
			i /= dims[axis]
		}
	}
	n := 0
	if len(rows) > 0 {
		n = len(rows[0])
	}
	return knownValues(int64s(slices.Concat(rows...), len(dims), n))
}

func int64s(v []int64, dims ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(append([]int64{}, v...), dims...)
}

// compress keeps the places of an axis at which a condition is true.
func compress(c *call) *graph.Node {
	x := c.x(0)
	axis := 0
	if _, ok := c.attribute("axis"); ok {
		axis = c.axis(0, x.Rank())
	} else {
		x = graph.Reshape(x, x.Shape().Size())
	}
	var at []int
	for i, on := range Reals(c.known(1)) {
		if on != 0 && i < x.Shape().Dimensions[axis] {
			at = append(at, i)
		}
	}
	return taken(x, axis, at)
}

// unique are the different numbers, or rows of an axis, in order, with where each was
// first, which of them each place has, and how often each is there.
func unique(c *call) []*value {
	t := c.known(0)
	if d := t.DType(); d == dtypes.Int64 || d == dtypes.Uint64 {
		for _, v := range Reals(t) {
			if math.Abs(v) >= 1<<53 {
				panic(fmt.Errorf("whole numbers beyond 2^53 are not supported, got %v", v))
			}
		}
	}
	dims := t.Shape().Dimensions
	axis, whole := 0, true
	if _, ok := c.attribute("axis"); ok {
		axis, whole = c.axis(0, len(dims)), false
	}
	count := t.Size()
	outer, inner := 1, 1
	if !whole {
		count = dims[axis]
		for i, d := range dims {
			if i < axis {
				outer *= d
			} else if i > axis {
				inner *= d
			}
		}
	}
	values := Reals(t)
	row := func(i int) []float64 {
		if whole {
			return values[i : i+1]
		}
		var r []float64
		for o := range outer {
			r = append(r, values[(o*count+i)*inner:(o*count+i+1)*inner]...)
		}
		return r
	}
	rows := make([][]float64, count)
	order := make([]int, count)
	for i := range rows {
		rows[i], order[i] = row(i), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(rows[a], rows[b]) })
	var first, counts []int64
	for j, i := range order {
		if j > 0 && slices.Equal(rows[i], rows[order[j-1]]) {
			counts[len(counts)-1]++
			continue
		}
		first, counts = append(first, int64(i)), append(counts, 1)
	}
	first, counts, inverse := numbered(rows, first, counts, c.int("sorted", 1) != 0)
	var at []int
	for _, f := range first {
		at = append(at, int(f))
	}
	out := uniqueRows(t, whole, axis, outer, inner, at)
	return knownValues(out, int64s(first, len(first)), int64s(inverse, count), int64s(counts, len(counts)))
}

// numbered tells for each row which of the different ones it is. first are these, by where
// each is for the first time, in the order of their numbers; if that is not wanted, in the
// order in which they come.
func numbered(rows [][]float64, first, counts []int64, sorted bool) (outFirst, outCounts, inverse []int64) {
	inOrder := slices.Clone(first)
	if !sorted {
		byPlace := make([]int, len(first))
		for i := range byPlace {
			byPlace[i] = i
		}
		slices.SortFunc(byPlace, func(a, b int) int { return cmp.Compare(first[a], first[b]) })
		f, n := make([]int64, len(first)), make([]int64, len(first))
		for i, j := range byPlace {
			f[i], n[i] = first[j], counts[j]
		}
		first, counts = f, n
	}
	places := make(map[int64]int64)
	for j, f := range first {
		places[f] = int64(j)
	}
	inverse = make([]int64, len(rows))
	for i := range inverse {
		j, _ := slices.BinarySearchFunc(inOrder, i, func(f int64, i int) int { return slices.Compare(rows[f], rows[i]) })
		inverse[i] = places[inOrder[j]]
	}
	return first, counts, inverse
}

// uniqueRows copies rows of a tensor in its own type.
func uniqueRows(t *tensors.Tensor, whole bool, axis, outer, inner int, at []int) *tensors.Tensor {
	dims := slices.Clone(t.Shape().Dimensions)
	count := t.Size()
	if whole {
		dims = []int{len(at)}
	} else {
		count = dims[axis]
		dims[axis] = len(at)
	}
	out := tensors.FromShape(sized(t.DType(), dims))
	t.MustConstFlatData(func(from any) {
		out.MustMutableFlatData(func(to any) {
			src, dst := reflect.ValueOf(from), reflect.ValueOf(to)
			k := 0
			for o := range outer {
				for _, i := range at {
					start := (o*count + i) * inner
					reflect.Copy(dst.Slice(k, k+inner), src.Slice(start, start+inner))
					k += inner
				}
			}
		})
	})
	return out
}

// box is a rectangle by its sides.
type box struct{ x0, y0, x1, y1 float64 }

func boxOf(v []float64, centred bool) box {
	if centred {
		return box{v[0] - v[2]/2, v[1] - v[3]/2, v[0] + v[2]/2, v[1] + v[3]/2}
	}
	return box{min(v[1], v[3]), min(v[0], v[2]), max(v[1], v[3]), max(v[0], v[2])}
}

func (b box) area() float64 { return (b.x1 - b.x0) * (b.y1 - b.y0) }

// overlap is the area of both over that of either.
func (b box) overlap(o box) float64 {
	w, h := min(b.x1, o.x1)-max(b.x0, o.x0), min(b.y1, o.y1)-max(b.y0, o.y0)
	if w <= 0 || h <= 0 || b.area() <= 0 || o.area() <= 0 {
		return 0
	}
	return w * h / (b.area() + o.area() - w*h)
}

// nonMaxSuppression keeps, of boxes that overlap, the one with the highest score.
func nonMaxSuppression(c *call) []*value {
	boxes, scores := c.known(0), c.known(1)
	d, s := boxes.Shape().Dimensions, scores.Shape().Dimensions
	if len(d) != 3 || d[2] != 4 || len(s) != 3 || s[0] != d[0] || s[2] != d[1] {
		panic(fmt.Errorf("expected boxes [batch, n, 4] and scores [batch, classes, n], got shapes %v and %v", d, s))
	}
	most, overlap, least := 0, 0.0, math.Inf(-1)
	if c.has(2) && c.value(2).shape().Size() > 0 {
		most = c.one(2)
	}
	if c.has(3) && c.value(3).shape().Size() > 0 {
		overlap = c.real(3)
	}
	if c.has(4) && c.value(4).shape().Size() > 0 {
		least = c.real(4)
	}
	b, v := Reals(boxes), Reals(scores)
	centred := c.flag("center_point_box")
	var out []int64
	for i := range s[0] {
		for class := range s[1] {
			score := v[(i*s[1]+class)*s[2]:][:s[2]]
			var order []int
			for j := range score {
				if score[j] > least {
					order = append(order, j)
				}
			}
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
			var kept []box
			for _, j := range order {
				if len(kept) >= most {
					break
				}
				one := boxOf(b[(i*d[1]+j)*4:][:4], centred)
				if slices.ContainsFunc(kept, func(k box) bool { return k.overlap(one) > overlap }) {
					continue
				}
				kept = append(kept, one)
				out = append(out, int64(i), int64(class), int64(j))
			}
		}
	}
	return knownValues(int64s(out, len(out)/3, 3))
}
