package translate

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

func init() {
	add(map[string]operator{
		"TfIdfVectorizer": {
			Attributes: "max_gram_length max_skip_count min_gram_length mode ngram_counts ngram_indexes pool_int64s weights",
			Inputs:     1, Types: integers, Rule: rule(tfIdf),
		},
	})
}

// tfIdf counts the runs of numbers that a pool has, also with gaps of the same width
// between them, and weighs the counts.
func tfIdf(c *call) *graph.Node {
	x := graph.ConvertDType(c.x(0), dtypes.Int64)
	flat := x.Rank() == 1
	if flat {
		x = graph.ExpandAxes(x, 0)
	}
	pool, _ := c.attribute("pool_int64s")
	starts, at := c.list("ngram_counts"), c.list("ngram_indexes")
	low, high := c.int("min_gram_length", 1), c.int("max_gram_length", 1)
	if x.Rank() != 2 || low < 1 || high < low || len(at) == 0 {
		panic(fmt.Errorf("expected rows of numbers and lengths of runs, got shape %v, %d and %d", x.Shape().Dimensions, low, high))
	}
	rows, length := x.Shape().Dimensions[0], x.Shape().Dimensions[1]
	width := slices.Max(at) + 1
	counted(width)
	if slices.Min(at) < 0 {
		panic(fmt.Errorf("expected ngram_indexes of at least 0, got %v", at))
	}
	total := c.fill(dtypes.Float32, 0, rows, width)
	first := 0
	for i, from := range starts {
		n, to := i+1, len(pool.Ints)
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		if from < 0 || to > len(pool.Ints) || to < from {
			panic(fmt.Errorf("ngram_counts %v do not fit a pool of %d", starts, len(pool.Ints)))
		}
		grams := (to - from) / n
		if first+grams > len(at) {
			panic(fmt.Errorf("expected at least %d ngram_indexes, got %d", first+grams, len(at)))
		}
		if n >= low && n <= high && grams > 0 {
			counted(sized(dtypes.Float32, []int{grams, width}).Size())
			columns := make([]float32, grams*width)
			for g := range grams {
				columns[g*width+at[first+g]] = 1
			}
			place := graph.Reshape(graph.Const(c.g, columns), grams, width)
			for skip := 1; skip <= c.int("max_skip_count", 0)+1; skip++ {
				if n == 1 && skip > 1 {
					break
				}
				if windows := length - skip*(n-1); windows > 0 {
					count := c.runs(x, pool.Ints[from:from+grams*n], n, skip, windows)
					total = graph.Add(total, graph.Dot(count, place).Product())
				}
			}
		}
		first += grams
	}
	y := c.weighed(total, width)
	if flat {
		y = graph.Squeeze(y, 0)
	}
	return y
}

// runs is how often each run of n numbers is in each row.
func (c *call) runs(x *graph.Node, grams []int64, n, skip, windows int) *graph.Node {
	rows, count := x.Shape().Dimensions[0], len(grams)/n
	wanted := graph.Reshape(graph.Const(c.g, grams), 1, 1, count, n)
	var parts []*graph.Node
	for j := range n {
		parts = append(parts, part(x, 1, j*skip, j*skip+windows, 1))
	}
	seen := graph.Reshape(graph.Stack(parts, 2), rows, windows, 1, n)
	dims := []int{rows, windows, count, n}
	c.fits(sized(dtypes.Bool, dims))
	same := graph.Equal(graph.BroadcastToDims(seen, dims...), graph.BroadcastToDims(wanted, dims...))
	return graph.ReduceSum(graph.ConvertDType(graph.LogicalAll(same, 3), dtypes.Float32), 1)
}

func (c *call) weighed(count *graph.Node, width int) *graph.Node {
	mode := c.text("mode", "", "TF", "IDF", "TFIDF")
	if mode == "IDF" {
		count = graph.ConvertDType(graph.GreaterThan(count, graph.ZerosLike(count)), dtypes.Float32)
	}
	w, ok := c.attribute("weights")
	if mode == "TF" || !ok {
		return count
	}
	if len(w.Floats) < width {
		panic(fmt.Errorf("expected %d weights, got %d", width, len(w.Floats)))
	}
	return graph.Mul(count, graph.ExpandLeftToRank(graph.Const(c.g, w.Floats[:width]), 2))
}
