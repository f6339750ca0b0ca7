package viz_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gradbook/gradbook/viz"
)

// iris is what scikit-learn makes of the iris flowers; see testdata/embedding.py.
type iris struct {
	Features        [][]float64
	Labels          []int
	PCA             [][]float64
	Explained       [2]float64
	Divergence      float64
	Trustworthiness float64
}

func readIris(t *testing.T) (d iris) {
	t.Helper()
	raw, err := os.ReadFile("testdata/embedding.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPCA(t *testing.T) {
	d := readIris(t)
	points, explained, err := viz.PCA(tensors.FromValue(d.Features))
	if err != nil {
		t.Fatal(err)
	}
	got := tensors.MustCopyFlatData[float32](points)
	for k := range 2 {
		// scikit-learn chooses the sign of a direction by another rule.
		sign := math.Copysign(1, float64(got[k])*d.PCA[0][k])
		for i, want := range d.PCA {
			if math.Abs(sign*float64(got[2*i+k])-want[k]) > 1e-4 {
				t.Fatalf("point %d: expected %v, got %v", i, want, got[2*i:2*i+2])
			}
		}
		if math.Abs(explained[k]-d.Explained[k]) > 1e-6 {
			t.Errorf("expected the share %v, got %v", d.Explained, explained)
		}
	}
}

// trustworthiness says how many of the neighbours in an embedding are neighbours.
//
// Source: Venna, Kaski, Neighborhood preservation in nonlinear projection methods, 2001.
func trustworthiness(x [][]float64, y []float32, k int) float64 {
	n := len(x)
	order := func(i int, distance func(j int) float64) []int {
		all := make([]int, 0, n-1)
		for j := range n {
			if j != i {
				all = append(all, j)
			}
		}
		slices.SortStableFunc(all, func(a, b int) int {
			if distance(a) < distance(b) {
				return -1
			}
			return 1
		})
		return all
	}
	penalty := 0.0
	for i := range n {
		far := order(i, func(j int) (d float64) {
			for f := range x[i] {
				d += (x[i][f] - x[j][f]) * (x[i][f] - x[j][f])
			}
			return d
		})
		near := order(i, func(j int) float64 {
			dx, dy := float64(y[2*i]-y[2*j]), float64(y[2*i+1]-y[2*j+1])
			return dx*dx + dy*dy
		})
		for _, j := range near[:k] {
			if r := slices.Index(far, j) + 1; r > k {
				penalty += float64(r - k)
			}
		}
	}
	return 1 - penalty*2/float64(n*k*(2*n-3*k-1))
}

// TestTSNE: as good an embedding as scikit-learn's, and the same each time.
func TestTSNE(t *testing.T) {
	d := readIris(t)
	x := tensors.FromValue(d.Features)
	points, divergence, err := viz.TSNE(context.Background(), x, viz.TSNEConfig{})
	if err != nil {
		t.Fatal(err)
	}
	y := tensors.MustCopyFlatData[float32](points)
	trust := trustworthiness(d.Features, y, 10)
	t.Logf("divergence %.4f (scikit-learn %.4f), trustworthiness %.4f (%.4f)", divergence, d.Divergence, trust, d.Trustworthiness)
	if divergence > d.Divergence*1.1 || trust < d.Trustworthiness-0.01 {
		t.Errorf("expected an embedding as good as scikit-learn's, %.4f and %.4f, got %.4f and %.4f", d.Divergence, d.Trustworthiness, divergence, trust)
	}
	again, _, err := viz.TSNE(context.Background(), x, viz.TSNEConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(y, tensors.MustCopyFlatData[float32](again)) {
		t.Error("expected the same embedding again")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := viz.TSNE(ctx, x, viz.TSNEConfig{}); err == nil {
		t.Error("cancelled: expected an error, got none")
	}
	for name, c := range map[string]viz.TSNEConfig{"perplexity": {Perplexity: 150}, "rate": {LearningRate: -1}} {
		if _, _, err := viz.TSNE(context.Background(), x, c); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%s: expected an error, got %v", name, err)
		}
	}
}
