package plain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestKernels compares the processor's kernels with sums in float64: rows and columns of a bias,
// offsets in any order, floors, and NaN, which no floor hides.
func TestKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	numbers := func(n int) []float32 {
		x := make([]float32, n, n+slack)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for _, k := range []int{0, 1, 2, 3, 4, 5, 7, 31, 200} {
		for _, byRow := range []bool{false, true} {
			for _, floor := range []float32{noFloor, 0} {
				a, b, bias := numbers(k*tileRows+1), numbers((k+1)*tileColumns), numbers(max(tileRows, tileColumns))
				offsets := make([]int, k+1)
				for i, p := range r.Perm(k) {
					offsets[i] = p * tileColumns
				}
				if k > 2 {
					b[offsets[1]+1] = float32(math.NaN())
				}
				want := func(row, column, step int) float64 {
					sum := float64(bias[column])
					if byRow {
						sum = float64(bias[row])
					}
					for i := range k {
						sum += float64(a[i*step+row]) * float64(b[offsets[i]+column])
					}
					return max(sum, float64(floor))
				}
				check := func(what string, got float32, want float64) {
					t.Helper()
					if math.IsNaN(want) != math.IsNaN(float64(got)) || math.Abs(float64(got)-want) > 1e-4 {
						t.Errorf("%s, k %d, byRow %v, floor %v: got %v, want %v", what, k, byRow, floor, got, want)
					}
				}
				ldc := tileColumns + 3
				c := numbers(tileRows * ldc)
				productTile(&c[0], ldc, &a[0], &b[0], &offsets[0], k, &bias[0], byRow, floor)
				for i := range tileRows {
					for j := range tileColumns {
						check(fmt.Sprintf("tile %d, %d", i, j), c[i*ldc+j], want(i, j, tileRows))
					}
				}
				productRow(&c[0], &a[0], &b[0], &offsets[0], k, &bias[0], byRow, floor)
				for j := range tileColumns {
					check(fmt.Sprintf("row, %d", j), c[j], want(0, j, 1))
				}
			}
		}
	}
}

// TestExp compares the exponential functions of float32 with math's.
func TestExp(t *testing.T) {
	for i := range 400000 {
		x := float32(i-200000) / 1000
		for name, f := range map[string]struct {
			ours   func(float32) float32
			theirs func(float64) float64
		}{"exp": {exp32, math.Exp}, "tanh": {tanh32, math.Tanh}, "sigmoid": {sigmoid32, sigmoid}} {
			got, want := float64(f.ours(x)), f.theirs(float64(x))
			if want > math.MaxFloat32 {
				want = math.Inf(1)
			}
			if got != want && math.Abs(got-want) > 4e-7*max(math.Abs(want), 1e-30) {
				t.Fatalf("%s(%g): got %g, want %g", name, x, got, want)
			}
		}
	}
	for _, f := range []func(float32) float32{exp32, tanh32, sigmoid32} {
		if v := f(float32(math.NaN())); v == v {
			t.Errorf("of NaN: got %v", v)
		}
	}
}
