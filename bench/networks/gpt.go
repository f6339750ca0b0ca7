package networks

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/data"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

// A small GPT reads pixels as tokens of 256 kinds and says the next of each: 128 tokens, from this pixel on.
const (
	context   = 128
	firstSeen = 200
	kinds     = 256
)

// gpt has four decoders of 8 heads and 256 features.
//
// Source: Radford et al., Language Models are Unsupervised Multitask Learners, 2019, https://github.com/openai/gpt-2
func gpt(x *dl.Symbol) *dl.Symbol {
	const features, heads = 256, 8
	x = x.Then(layers.Embedding{InputDim: kinds, OutputDim: features}, positions{})
	for range 4 {
		y := x.Then(layers.LayerNormalization{})
		x = dl.Apply(layers.Add{}, x, dl.Apply(layers.MultiHeadAttention{NumHeads: heads, KeyDim: features / heads, UseCausalMask: true}, y, y))
		y = x.Then(layers.LayerNormalization{}, layers.Dense{Units: 4 * features, Activation: activations.GELU}, layers.Dense{Units: features})
		x = dl.Apply(layers.Add{}, x, y)
	}
	return x.Then(layers.LayerNormalization{})
}

// positions adds a vector of its own to each place of a sequence.
type positions struct{}

// Build implements layers.Layer.
func (positions) Build(in layers.Shape) (layers.Spec, error) {
	at := layers.Weight{Name: "embeddings", Shape: in, Initializer: initializers.RandomNormal{Stddev: 0.02}}
	return layers.Spec{Output: in, Weights: []layers.Weight{at}}, nil
}

// Call implements layers.Layer.
func (positions) Call(c *layers.Context, x *tensor.Node) *tensor.Node {
	return graph.Add(x, graph.ExpandLeftToRank(c.Weight("embeddings"), x.Rank()))
}

// ONNX implements build.Layer.
func (positions) ONNX(g *build.Graph, c build.Call) ([]string, error) {
	return []string{g.Op("Add", []string{c.In[0], g.Array(c.Weights[0])})}, nil
}

// tokens makes of images what gpt reads, and of labels what it is to say.
func tokens(x, y *tensor.Node) (*tensor.Node, *tensor.Node) {
	pixels := graph.Reshape(x, x.Shape().Dimensions[0], -1)
	seen := graph.Slice(pixels, graph.AxisRange(), graph.AxisRange(firstSeen, firstSeen+context))
	if y != nil {
		y = graph.ConvertDType(graph.Slice(pixels, graph.AxisRange(), graph.AxisRange(firstSeen+1, firstSeen+1+context)), tensor.Int32)
	}
	return seen, y
}

// Examples are MNIST's as a network reads them.
func Examples(name string, digits *data.Dataset) *data.Dataset {
	if name == "gpt" {
		return digits.Map(tokens)
	}
	return digits.Map(data.Rescale(1 / 255.0))
}
