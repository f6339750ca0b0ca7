package bert

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { dl.Register(Embeddings{}) }

// Embeddings is BERT's first layer: the sum of vectors for each token, its place, and the type
// of its text, of which there is the first only.
//
// Input shape: (None, steps), of token numbers. Output shape: (None, steps, Dim).
type Embeddings struct {
	// Vocabulary, Positions and Types are how many tokens, places and types there are, and Dim
	// the size of a vector.
	Vocabulary, Positions, Types, Dim int
	Name                              string
}

// Build implements layers.Layer.
func (l Embeddings) Build(in layers.Shape) (layers.Spec, error) {
	if len(in) != 1 || in[0] > l.Positions {
		return layers.Spec{}, fmt.Errorf("expected at most %d steps, got shape %v", l.Positions, in)
	}
	weight := func(name string, n int) layers.Weight {
		return layers.Weight{Name: name, Shape: layers.Shape{n, l.Dim}, Initializer: initializers.TruncatedNormal{Stddev: 0.02}}
	}
	return layers.Spec{
		Output:  layers.Shape{in[0], l.Dim},
		Weights: []layers.Weight{weight("words", l.Vocabulary), weight("positions", l.Positions), weight("types", l.Types)},
		AnyType: true,
	}, nil
}

// Call implements layers.Layer.
func (l Embeddings) Call(c *layers.Context, x *tensor.Node) *tensor.Node {
	ids := graph.InsertAxes(graph.ConvertDType(x, dtypes.Int32), -1)
	steps := x.Shape().Dimensions[1]
	places := graph.SliceAxis(c.Weight("positions"), 0, graph.AxisRange(0, steps))
	kind := graph.SliceAxis(c.Weight("types"), 0, graph.AxisRange(0, 1))
	y := graph.Gather(c.Weight("words"), ids)
	return graph.Add(y, graph.ExpandLeftToRank(graph.Add(places, kind), 3))
}

// Classes implements layers.ClassReader.
func (l Embeddings) Classes() int { return l.Vocabulary }
