package layers

import (
	"errors"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(Embedding{}, Masking{})
}

// Embedding turns numbers of words, or of anything else, into vectors that are
// learned.
//
// Input shape: (None, …), whole numbers in [0, InputDim).
// Output shape: (None, …, OutputDim).
//
// Source: https://keras.io/api/layers/core_layers/embedding/
type Embedding struct {
	// InputDim is the number of words, OutputDim the size of a vector.
	InputDim, OutputDim int
	// EmbeddingsInitializer starts the table, of shape [InputDim, OutputDim];
	// nil is RandomUniform.
	EmbeddingsInitializer initializers.Initializer
	EmbeddingsRegularizer regularizers.Regularizer
	EmbeddingsConstraint  constraints.Constraint
	// MaskZero takes 0 for padding: layers that follow pass over those steps.
	MaskZero bool
	Name     string
}

// Build implements Layer.
func (l Embedding) Build(in Shape) (Spec, error) {
	if err := checked(wantPositive("InputDim", l.InputDim), wantPositive("OutputDim", l.OutputDim)); err != nil {
		return Spec{}, err
	}
	return Spec{
		Output: append(append(Shape{}, in...), l.OutputDim),
		Weights: []Weight{{
			Name: "embeddings", Shape: Shape{l.InputDim, l.OutputDim},
			Initializer: orInitializer(l.EmbeddingsInitializer, initializers.RandomUniform{}),
			Regularizer: l.EmbeddingsRegularizer, Constraint: l.EmbeddingsConstraint,
		}},
		AnyType: true,
	}, nil
}

// Classes is the number of different inputs, for a check before training.
func (l Embedding) Classes() int { return l.InputDim }

// Call implements Layer.
func (l Embedding) Call(c *Context, x *tensor.Node) *tensor.Node {
	ids := graph.ConvertDType(x, dtypes.Int32)
	if l.MaskZero {
		c.SetMask(graph.NotEqual(ids, graph.ZerosLike(ids)))
	}
	return graph.Gather(c.Weight("embeddings"), graph.InsertAxes(ids, -1))
}

// Masking marks the steps at which all features are MaskValue, to be passed over by
// the layers that follow, and sets them to 0.
//
// Input shape: (None, steps, features). Output shape: the input's.
//
// Source: https://keras.io/api/layers/core_layers/masking/
type Masking struct {
	MaskValue float64
	Name      string
}

// Build implements Layer.
func (l Masking) Build(in Shape) (Spec, error) {
	return Spec{Output: in}, wantRank(in, "steps", "features")
}

// Call implements Layer.
func (l Masking) Call(c *Context, x *tensor.Node) *tensor.Node {
	counts := graph.ConvertDType(graph.NotEqual(x, scalar(x, l.MaskValue)), dtypes.Float32)
	mask := graph.GreaterThan(graph.ReduceMax(counts, -1), graph.ScalarZero(x.Graph(), dtypes.Float32))
	c.SetMask(mask)
	counts = graph.BroadcastToDims(graph.InsertAxes(mask, -1), x.Shape().Dimensions...)
	return graph.Where(counts, x, graph.ZerosLike(x))
}

// ONNX implements build.Layer.
func (l Embedding) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	if l.MaskZero {
		return nil, errors.New("its mask has no counterpart in ONNX")
	}
	const int64Type = 7
	ids := g.Op("Cast", c.In[:1], build.Attr{Name: "to", Value: int64Type})
	return []string{g.Op("Gather", []string{g.Array(c.Weights[0]), ids})}, nil
}
