package dl_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/optimizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

// TestMixUp: inputs and labels are blended by the same λ with the example before, and λ is spread
// as the beta distribution says.
func TestMixUp(t *testing.T) {
	const n = 2000
	x, y := make([][]float32, n), make([]int32, n)
	for i := range x {
		x[i], y[i] = []float32{float32(i % 2)}, int32(i%2)
	}
	ds, err := data.FromSlices(x, y)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for batch, err := range ds.Map(data.OneHot(2)).MixUp(0.2, 7).Batch(100).Batches() {
		if err != nil {
			t.Fatal(err)
		}
		xs, ys := batch.X.Value().([][]float32), batch.Y.Value().([][]float32)
		for i := range xs {
			if math.Abs(float64(xs[i][0]-ys[i][1])) > 1e-6 || math.Abs(float64(ys[i][0]+ys[i][1]-1)) > 1e-6 {
				t.Fatalf("expected inputs and labels of one blend, got %v and %v", xs[i], ys[i])
			}
			lambda := xs[i][0] // of a 1 behind a 0
			if i%2 == 0 {
				lambda = 1 - lambda
			}
			all = append(all, float64(lambda))
		}
	}
	// The beta distribution of 0.2 and 0.2 has the mean 1/2 and the variance 1/(4·1.4).
	mean, variance := 0.0, 0.0
	for _, l := range all {
		mean += l / n
	}
	for _, l := range all {
		variance += (l - mean) * (l - mean) / n
	}
	if len(all) != n || math.Abs(mean-0.5) > 0.04 || math.Abs(variance-1/5.6) > 0.01 {
		t.Errorf("expected %d λ of mean 0.5 and variance %.3f, got %d of %.3f and %.3f", n, 1/5.6, len(all), mean, variance)
	}
	for _, err := range ds.MixUp(0.2, 7).Batches() {
		if err == nil || !strings.Contains(err.Error(), "OneHot") {
			t.Errorf("expected an error that names OneHot, got %v", err)
		}
		break
	}
	if err := ds.MixUp(0, 7).Err(); err == nil || !strings.Contains(err.Error(), "alpha") {
		t.Errorf("expected an error about alpha, got %v", err)
	}
}

// TestRandomCrop: while training windows of all places are cut, and else that of the middle.
func TestRandomCrop(t *testing.T) {
	image := make([][][][]float32, 1)
	for r := range 6 {
		var row [][]float32
		for c := range 5 {
			row = append(row, []float32{float32(10*r + c)})
		}
		image[0] = append(image[0], row)
	}
	m, err := dl.Sequential(layers.Input{Shape: layers.Shape{6, 5, 1}}, layers.RandomCrop{Height: 4, Width: 3}, layers.EinsumDense{Equation: "abcd,d->abcd", OutputShape: []int{4, 3, 1}, KernelInitializer: initializers.Ones{}})
	if err != nil {
		t.Fatal(err)
	}
	err = m.Compile(dl.CompileConfig{Optimizer: optimizers.SGD{LearningRate: 1e-20}, Step: func(s *dl.Step) {
		y := s.Forward(s.X...)[0]
		corner := func(r, c int) *dl.Node {
			return graph.Reshape(graph.Slice(y, graph.AxisElem(0), graph.AxisElem(r), graph.AxisElem(c)))
		}
		s.Report("first", corner(0, 0))
		s.Report("last", corner(3, 2))
		s.Minimize(corner(0, 0))
	}})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[float64]bool)
	for range 200 {
		logs, err := m.TrainOnBatch(tensor.Of(image), nil)
		if err != nil {
			t.Fatal(err)
		}
		if logs["last"] != logs["first"]+32 {
			t.Fatalf("expected a window of 4 by 3, got one from %g to %g", logs["first"], logs["last"])
		}
		seen[logs["first"]] = true
	}
	if len(seen) != 9 {
		t.Errorf("expected windows at all 9 places, got %v", seen)
	}
	ds, err := data.FromSlices(image, nil)
	if err != nil {
		t.Fatal(err)
	}
	y, err := m.Predict(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	// The largest window of 4 by 3 in the middle of 6 by 5 is 6 by 4.
	if got := y.Value().([][][][]float32)[0]; len(got) != 4 || len(got[0]) != 3 || got[0][0][0] >= got[3][2][0] {
		t.Errorf("expected the middle, 4 by 3, got %v", got)
	}
}

func ExampleDataset_MixUp() {
	ds, err := data.FromSlices([][]float32{{0}, {1}}, []int32{0, 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for batch, err := range ds.Map(data.OneHot(2)).MixUp(1, 3).Batches() {
		fmt.Println(batch.X.Shape(), batch.Y.Shape(), err)
	}
	// Output:
	// (Float32)[2, 1] (Float32)[2, 2] <nil>
}
