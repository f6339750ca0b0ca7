// Package kerastest compares what dl computes with what Keras computed: with the
// files that dl/testdata/generate.py writes.
package kerastest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/numpy"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/train"
)

// Fixture is a file of arrays by name.
type Fixture map[string]*tensors.Tensor

// Load reads dl/testdata/name.
func Load(t testing.TB, name string) Fixture {
	t.Helper()
	f, err := numpy.FromNpzFile(filepath.Join(testdata(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// testdata finds the folder from wherever in dl the test runs.
func testdata(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Base(dir) != "dl"; dir = filepath.Dir(dir) {
		if dir == filepath.Dir(dir) {
			t.Fatal("not inside dl")
		}
	}
	return filepath.Join(dir, "testdata")
}

// Get returns an array, which must be there.
func (f Fixture) Get(t testing.TB, name string) *tensors.Tensor {
	t.Helper()
	if f[name] == nil {
		t.Fatalf("no array %q in the fixture", name)
	}
	return f[name]
}

// Numbered are the arrays name0, name1 and so on, of which there is at least one.
func (f Fixture) Numbered(t testing.TB, name string) (all []*tensors.Tensor) {
	t.Helper()
	for a := f.Get(t, name+"0"); a != nil; a = f[fmt.Sprintf("%s%d", name, len(all))] {
		all = append(all, a)
	}
	return all
}

// Run compiles a graph for the inputs, runs it, and returns its outputs.
func Run(t testing.TB, build func(in []*graph.Node) []*graph.Node, in ...*tensors.Tensor) []*tensors.Tensor {
	t.Helper()
	out, err := Compute(build, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Compute is Run for goroutines other than the test's.
func Compute(build func(in []*graph.Node) []*graph.Node, in ...*tensors.Tensor) ([]*tensors.Tensor, error) {
	d, err := device.Current()
	if err != nil {
		return nil, err
	}
	program, err := engine.Function(d, build, in)
	if err != nil {
		return nil, err
	}
	return program.Call(in)
}

// Tolerance is how far from float32's exact numbers a device may be. On a GPU that rounds the
// factors of products to TF32's 10 bits, each may be wrong by 2⁻¹¹, one part in 2,000; and so
// 500 times as much is allowed as elsewhere: 0.005 for what may differ by 0.00001.
func Tolerance(exact float64) float64 {
	d, err := device.Current()
	if err != nil || d.Kind != "cuda" {
		return exact
	}
	if tf32, err := device.TF32(); err != nil || !tf32 {
		return exact
	}
	return 500 * exact
}

// Close fails the test unless got has want's shape and its values, within
// Tolerance(tolerance) of each value or, where it is larger, of 1.
func Close(t testing.TB, what string, got, want *tensors.Tensor, tolerance float64) {
	t.Helper()
	tolerance = Tolerance(tolerance)
	if !got.Shape().Equal(want.Shape()) {
		t.Errorf("%s: expected shape %v, got %v", what, want.Shape(), got.Shape())
		return
	}
	g, err := tensors.CopyFlatData[float32](got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := tensors.CopyFlatData[float32](want)
	if err != nil {
		t.Fatal(err)
	}
	worst, at := 0.0, -1
	for i := range w {
		d := math.Abs(float64(g[i])-float64(w[i])) / math.Max(1, math.Abs(float64(w[i])))
		if d > worst || math.IsNaN(d) {
			worst, at = d, i
		}
	}
	if at >= 0 && !(worst <= tolerance) {
		t.Errorf("%s: value %d: expected %g, got %g", what, at, w[at], g[at])
	}
}

// Floats are the numbers of a tensor of floats.
func Floats(t *tensors.Tensor) []float64 {
	all, err := train.Doubles(t)
	if err != nil {
		panic(err)
	}
	return all
}
