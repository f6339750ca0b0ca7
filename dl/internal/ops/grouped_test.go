package ops

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// TestGroupedGrowth: what XLA has to compile for a convolution and its gradient does not
// grow with the number of groups.
func TestGroupedGrowth(t *testing.T) {
	nodes := func(channels, filters, window int) int {
		backend, err := gobackend.New("")
		if err != nil {
			t.Fatal(err)
		}
		defer backend.Finalize()
		g := graph.NewGraph(backend, "grouped")
		x := graph.Parameter(g, "x", shapes.Make(dtypes.Float32, 2, 6, 6, channels))
		kernel := graph.Parameter(g, "kernel", shapes.Make(dtypes.Float32, window, window, 1, channels*filters))
		y := Convolve(x, kernel, []int{1, 1}, []int{1, 1}, [][2]int{{1, 1}, {1, 1}}, channels)
		graph.Gradient(graph.ReduceAllSum(y), x, kernel)
		return len(g.Nodes())
	}
	for _, c := range []struct{ filters, window int }{{1, 3}, {2, 3}, {1, 5}} {
		few, many := nodes(groupsApart+1, c.filters, c.window), nodes(300, c.filters, c.window)
		if few != many {
			t.Errorf("filters=%d, window=%d: expected as many nodes for 300 groups as for %d, %d, got %d", c.filters, c.window, groupsApart+1, few, many)
		}
	}
}
