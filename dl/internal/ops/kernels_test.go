package ops

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/native"
)

// TestKernelsAreUsed: where there are kernels, the usual convolutions are theirs, and others are
// XLA's.
func TestKernelsAreUsed(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	g := graph.NewGraph(d.Backend, "kernels")
	if native.For(g) == 0 {
		t.Skip("this device has no kernels")
	}
	for _, c := range []struct {
		name           string
		x, w           []int
		groups, stride int
		kind           dtypes.DType
		kernels        bool
	}{
		{"images", []int{2, 9, 9, 3}, []int{3, 3, 3, 32}, 0, 1, dtypes.Float32, true},
		{"a row", []int{2, 9, 16}, []int{3, 16, 16}, 1, 2, dtypes.Float32, true},
		{"few filters", []int{2, 9, 9, 3}, []int{3, 3, 3, 10}, 1, 1, dtypes.Float32, false},
		{"groups", []int{2, 9, 9, 32}, []int{3, 3, 1, 32}, 32, 1, dtypes.Float32, false},
		{"other numbers", []int{2, 9, 9, 3}, []int{3, 3, 3, 32}, 1, 1, dtypes.Float64, false},
		{"a body", []int{2, 9, 9, 9, 3}, []int{3, 3, 3, 3, 32}, 1, 1, dtypes.Float32, false},
	} {
		space := len(c.x) - 2
		each := slices.Repeat([]int{c.stride}, space)
		x, w := graph.Zeros(g, shapes.Make(c.kind, c.x...)), graph.Zeros(g, shapes.Make(c.kind, c.w...))
		k := newKernels(x, w, each, slices.Repeat([]int{1}, space), make([][2]int, space), c.groups)
		if (k != nil) != c.kernels {
			t.Errorf("%s: expected kernels to be used: %v", c.name, c.kernels)
		}
	}
}

// TestKernelsTwice takes the gradient of a gradient, as penalties on gradients do: by kernels it is
// that of a sum of products, place by place of the window.
func TestKernelsTwice(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	x, w := random(rng, 2, 6, 5, 16), random(rng, 3, 3, 16, 16)
	slopes := func(convolve func(x, w *graph.Node) *graph.Node) []*tensors.Tensor {
		exec, err := graph.NewExec(d.Backend, func(x, w *graph.Node) []*graph.Node {
			y := convolve(x, w)
			by := graph.Gradient(graph.ReduceAllSum(graph.Mul(y, graph.Mul(y, y))), x, w)
			penalty := graph.Add(graph.ReduceAllSum(graph.Square(by[0])), graph.ReduceAllSum(graph.Square(by[1])))
			return graph.Gradient(penalty, x, w)
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Call(x, w)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	one := []int{1, 1}
	got := slopes(func(x, w *graph.Node) *graph.Node { return Convolve(x, w, one, one, [][2]int{{1, 1}, {1, 0}}, 1) })
	want := slopes(func(x, w *graph.Node) (y *graph.Node) {
		x = Pad(Pad(x, 1, [2]int{1, 1}, 0), 2, [2]int{1, 0}, 0)
		for i := range 3 {
			for j := range 3 {
				// Slices have no gradient of a gradient; products with zeros and ones do.
				rows := graph.DotGeneral(x, []int{1}, nil, shift(x.Graph(), 6, 8, i), []int{1}, nil)
				under := graph.DotGeneral(rows, []int{1}, nil, shift(x.Graph(), 4, 6, j), []int{1}, nil) // [2, 16, 6, 4]
				place := graph.DotGeneral(shift(x.Graph(), 1, 9, 3*i+j), []int{1}, nil, graph.Reshape(w, 9, 256), []int{0}, nil)
				part := graph.DotGeneral(under, []int{1}, nil, graph.Reshape(place, 16, 16), []int{0}, nil)
				if y == nil {
					y = part
				} else {
					y = graph.Add(y, part)
				}
			}
		}
		return y
	})
	for i := range want {
		if !got[i].InDelta(want[i], 2e-5*largest(t, want[i])) {
			t.Errorf("gradient %d: expected what a sum of products has", i)
		}
	}
}

// shift is a matrix that takes n of m numbers, from a place on.
func shift(g *graph.Graph, n, m, from int) *graph.Node {
	all := make([][]float32, n)
	for i := range all {
		all[i] = make([]float32, m)
		all[i][i+from] = 1
	}
	return graph.Const(g, all)
}

func random(rng *rand.Rand, dims ...int) *tensors.Tensor {
	values := make([]float32, shapes.Make(dtypes.Float32, dims...).Size())
	for i := range values {
		values[i] = float32(rng.NormFloat64()) / 4
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

func largest(t *testing.T, x *tensors.Tensor) (most float64) {
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}
