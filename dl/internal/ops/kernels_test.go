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
		{"filters that fill no vector", []int{2, 9, 9, 3}, []int{3, 3, 3, 21}, 1, 1, dtypes.Float32, true},
		{"one filter", []int{2, 9, 9, 3}, []int{3, 3, 3, 1}, 1, 1, dtypes.Float32, false},
		{"a filter for each channel", []int{2, 9, 9, 24}, []int{3, 3, 1, 24}, 24, 1, dtypes.Float32, true},
		{"two filters for each channel", []int{2, 9, 9, 24}, []int{3, 3, 1, 48}, 24, 1, dtypes.Float32, native.For(g) <= 4},
		{"groups", []int{2, 9, 9, 32}, []int{3, 3, 16, 32}, 2, 1, dtypes.Float32, true},
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

// slopes are those of a penalty on the slopes of what convolve makes.
func slopes(t *testing.T, d *device.Device, convolve func(in ...*graph.Node) *graph.Node, in ...any) []*tensors.Tensor {
	t.Helper()
	exec, err := graph.NewExec(d.Backend, func(in []*graph.Node) []*graph.Node {
		y := convolve(in...)
		var penalty *graph.Node
		for _, by := range graph.Gradient(graph.ReduceAllSum(graph.Mul(y, graph.Mul(y, y))), in...) {
			sum := graph.ReduceAllSum(graph.Square(by))
			if penalty == nil {
				penalty = sum
			} else {
				penalty = graph.Add(penalty, sum)
			}
		}
		return append(graph.Gradient(penalty, in...), penalty)
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestKernelsTwice takes the gradient of a gradient, as penalties on gradients do: by kernels it is
// that of a sum of products, place by place of the window.
func TestKernelsTwice(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, channels := range []int{16, 3} { // of 3, the gradient by the images is XLA's
		rng := rand.New(rand.NewPCG(1, 2))
		x, w := random(rng, 2, 6, 5, channels), random(rng, 3, 3, channels, 16)
		one, pads := []int{1, 1}, [][2]int{{1, 1}, {1, 0}}
		got := slopes(t, d, func(in ...*graph.Node) *graph.Node { return Convolve(in[0], in[1], one, one, pads, 1) }, x, w)
		want := slopes(t, d, func(in ...*graph.Node) *graph.Node { return byProducts(in[0], in[1], channels) }, x, w)
		for i := range want {
			if !got[i].InDelta(want[i], 2e-5*largest(t, want[i])) {
				t.Errorf("%d channels, gradient %d: expected what a sum of products has", channels, i)
			}
		}
	}
}

// byProducts is the convolution of 6×5 images with a window of 3×3 and 16 filters, with zeros around but
// on the right. Slices have no gradient of a gradient; products with zeros and ones do.
func byProducts(x, w *graph.Node, channels int) (y *graph.Node) {
	x = Pad(Pad(x, 1, [2]int{1, 1}, 0), 2, [2]int{1, 0}, 0)
	for i := range 3 {
		for j := range 3 {
			rows := graph.DotGeneral(x, []int{1}, nil, shift(x.Graph(), 6, 8, i), []int{1}, nil)
			under := graph.DotGeneral(rows, []int{1}, nil, shift(x.Graph(), 4, 6, j), []int{1}, nil) // [2, channels, 6, 4]
			place := graph.DotGeneral(shift(x.Graph(), 1, 9, 3*i+j), []int{1}, nil, graph.Reshape(w, 9, channels*16), []int{0}, nil)
			part := graph.DotGeneral(under, []int{1}, nil, graph.Reshape(place, channels, 16), []int{0}, nil)
			if y == nil {
				y = part
			} else {
				y = graph.Add(y, part)
			}
		}
	}
	return y
}

// TestGradientsApart: a second gradient in a graph, which comes back by another output, has nothing of
// the first.
func TestGradientsApart(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := graph.NewExec(d.Backend, func(x *graph.Node) []*graph.Node {
		outs := WithGradient([]*graph.Node{graph.MulScalar(x, 2.0), graph.MulScalar(x, 3.0)}, []*graph.Node{x}, func(d []*graph.Node) []*graph.Node {
			sum := graph.ZerosLike(x)
			for i, by := range d {
				if by != nil {
					sum = graph.Add(sum, graph.MulScalar(by, float64(i+2)))
				}
			}
			return []*graph.Node{sum}
		})
		return []*graph.Node{graph.Gradient(graph.ReduceAllSum(outs[0]), x)[0], graph.Gradient(graph.ReduceAllSum(outs[1]), x)[0]}
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call([]float32{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{2, 3} {
		if got := tensors.MustCopyFlatData[float32](out[i]); got[0] != want || got[1] != want {
			t.Errorf("gradient %d: expected %v, got %v", i, want, got)
		}
	}
}

// TestRectifiedTwice: with a bias, without what is negative, and with the largest of each window, the
// kernels' slopes are those of the same in parts, which are the kernels' of the test above and XLA's.
func TestRectifiedTwice(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	if native.For(graph.NewGraph(d.Backend, "kernels")) == 0 {
		t.Skip("this device has no kernels")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	x, w, b := random(rng, 2, 7, 6, 16), random(rng, 3, 3, 16, 32), random(rng, 32)
	one, two, none := []int{1, 1}, []int{2, 2}, make([][2]int, 2)
	rectify := func(in []*graph.Node) *graph.Node {
		y := graph.Add(Convolve(in[0], in[1], one, one, none, 1), graph.ExpandLeftToRank(in[2], 4))
		return graph.Mul(y, graph.StopGradient(graph.ConvertDType(graph.GreaterThan(y, graph.ZerosLike(y)), y.DType())))
	}
	for name, c := range map[string]struct {
		kernels, parts func(in ...*graph.Node) *graph.Node
	}{
		"rectified": {
			func(in ...*graph.Node) *graph.Node {
				return ConvolveBiased(in[0], in[1], in[2], true, one, one, none, 1)
			},
			func(in ...*graph.Node) *graph.Node { return rectify(in) },
		},
		"a bias alone": {
			func(in ...*graph.Node) *graph.Node {
				return ConvolveBiased(in[0], in[1], in[2], false, one, one, none, 1)
			},
			func(in ...*graph.Node) *graph.Node {
				return graph.Add(Convolve(in[0], in[1], one, one, none, 1), graph.ExpandLeftToRank(in[2], 4))
			},
		},
		"the largest of each window": {
			func(in ...*graph.Node) *graph.Node {
				return MaxPool(ConvolveBiased(in[0], in[1], in[2], true, one, one, none, 1), two, two, none)
			},
			func(in ...*graph.Node) *graph.Node {
				y := rectify(in)
				place := func(i, j int) *graph.Node {
					rows := graph.DotGeneral(y, []int{1}, nil, every(y.Graph(), 2, 5, 2, i), []int{1}, nil)
					return graph.Transpose(graph.DotGeneral(rows, []int{1}, nil, every(y.Graph(), 2, 4, 2, j), []int{1}, nil), 1, 3)
				}
				largest := place(0, 0)
				for _, p := range []*graph.Node{place(0, 1), place(1, 0), place(1, 1)} {
					which := graph.StopGradient(graph.ConvertDType(graph.GreaterThan(p, largest), y.DType()))
					largest = graph.Add(graph.Mul(which, p), graph.Mul(graph.OneMinus(which), largest))
				}
				return largest
			},
		},
	} {
		got, want := slopes(t, d, c.kernels, x, w, b), slopes(t, d, c.parts, x, w, b)
		for i := range want {
			if !got[i].InDelta(want[i], 2e-5*largest(t, want[i])) {
				t.Errorf("%s: gradient %d is not that of its parts", name, i)
			}
		}
	}
}

// TestNormTwice: the slopes of normalization's kernels are those of its formula.
func TestNormTwice(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	if native.For(graph.NewGraph(d.Backend, "kernels")) == 0 {
		t.Skip("this device has no kernels")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	x, gamma, beta := random(rng, 2, 3, 4, 21), random(rng, 21), random(rng, 21)
	for name, after := range map[string]After{"nothing": Nothing, "relu": ReLU, "relu6": ReLU6} {
		got := slopes(t, d, func(in ...*graph.Node) *graph.Node {
			y, _, _ := BatchNorm(in[0], in[1], in[2], 1e-3)
			if after == Nothing {
				return y
			}
			return Then(y, after)
		}, x, gamma, beta)
		want := slopes(t, d, func(in ...*graph.Node) *graph.Node {
			x := in[0]
			centred := graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, 0, 1, 2))
			y := graph.Mul(centred, Rsqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Square(centred), graph.ReduceMean, 0, 1, 2), 1e-3)))
			y = graph.Add(graph.Mul(y, graph.ExpandLeftToRank(in[1], 4)), graph.ExpandLeftToRank(in[2], 4))
			if after != Nothing {
				y = graph.Mul(y, graph.StopGradient(graph.ConvertDType(graph.GreaterThan(y, graph.ZerosLike(y)), y.DType())))
			}
			return y
		}, x, gamma, beta)
		for i := range want {
			if !got[i].InDelta(want[i], 5e-5*largest(t, want[i])) {
				t.Errorf("%s: gradient %d is not that of the formula", name, i)
			}
		}
	}
}

// TestTakenTogether: the gradient of a pooling layer and of the rectified convolution before it is
// one kernel's, and of nothing that is used otherwise, too.
func TestTakenTogether(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	if native.For(graph.NewGraph(d.Backend, "kernels")) == 0 {
		t.Skip("this device has no kernels")
	}
	one, two, none := []int{1, 1}, []int{2, 2}, make([][2]int, 2)
	for name, c := range map[string]struct {
		together bool
		between  func(y, pooled *graph.Node) *graph.Node
		before   func(y *graph.Node) *graph.Node
	}{
		"alone": {true, func(_, pooled *graph.Node) *graph.Node { return graph.ReduceAllSum(pooled) }, nil},
		"used else": {false, func(y, pooled *graph.Node) *graph.Node {
			return graph.Add(graph.ReduceAllSum(y), graph.ReduceAllSum(pooled))
		}, nil},
		"added to": {false, func(_, pooled *graph.Node) *graph.Node { return graph.ReduceAllSum(pooled) }, func(y *graph.Node) *graph.Node { return graph.Add(y, graph.OnesLike(y)) }},
	} {
		g := graph.NewGraph(d.Backend, "kernels")
		x, w := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, 2, 8, 8, 16)), graph.Parameter(g, "w", shapes.Make(dtypes.Float32, 3, 3, 16, 16))
		y := ConvolveBiased(x, w, nil, true, one, one, none, 1)
		in := y
		if c.before != nil {
			in = c.before(y)
		}
		slope := graph.Gradient(c.between(y, MaxPool(in, two, two, none)), w)[0]
		var together, apart bool
		seen := map[*graph.Node]bool{}
		var walk func(n *graph.Node)
		walk = func(n *graph.Node) {
			if seen[n] {
				return
			}
			seen[n] = true
			for _, i := range n.Inputs() {
				walk(i)
			}
			together = together || n.NumOutputs() == 2 && len(n.Inputs()) == 3
			apart = apart || n.NumOutputs() == 2 && len(n.Inputs()) == 2
		}
		walk(slope)
		if together != c.together || apart == c.together {
			t.Errorf("%s: expected one kernel: %v; got together %v, apart %v", name, c.together, together, apart)
		}
	}
}

// every is a matrix that takes each step-th of m numbers, from a place on, n times.
func every(g *graph.Graph, n, m, step, from int) *graph.Node {
	all := make([][]float32, n)
	for i := range all {
		all[i] = make([]float32, m)
		all[i][i*step+from] = 1
	}
	return graph.Const(g, all)
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

// TestVectors: kernels read a number for each filter, so what has fewer is left to XLA.
func TestVectors(t *testing.T) {
	d, err := device.Current()
	if err != nil {
		t.Fatal(err)
	}
	g := graph.NewGraph(d.Backend, "vectors")
	if native.For(g) == 0 {
		t.Skip("this device has no kernels")
	}
	zeros := func(dims ...int) *graph.Node { return graph.Zeros(g, shapes.Make(dtypes.Float32, dims...)) }
	x, w, each, pads := zeros(2, 9, 9, 3), zeros(3, 3, 3, 32), []int{1, 1}, make([][2]int, 2)
	y := ConvolveOpen(x, w, zeros(32), each, each, pads, 1)
	if y == nil || Scaled(y, zeros(32), zeros(32)) == nil {
		t.Fatal("expected kernels for vectors of 32 numbers")
	}
	for name, n := range map[string]*graph.Node{
		"a bias of one number":    ConvolveOpen(x, w, zeros(1), each, each, pads, 1),
		"a bias of an axis more":  ConvolveOpen(x, w, zeros(1, 32), each, each, pads, 1),
		"one, with ReLU":          ConvolveBiased(x, w, zeros(1), true, each, each, pads, 1),
		"a factor of one number":  Scaled(y, zeros(1), zeros(32)),
		"a shift of one number":   Scaled(y, zeros(32), zeros(1)),
		"a sum of another shape":  Added(y, zeros(2, 7, 7, 1)),
		"what is no convolution":  Then(x, ReLU),
		"a second ReLU behind it": Then(Then(y, ReLU), ReLU),
	} {
		if n != nil {
			t.Errorf("%s: expected no kernel", name)
		}
	}
}
