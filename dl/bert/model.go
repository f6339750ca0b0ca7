package bert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/ops"
	"github.com/gradbook/gradbook/dl/tensor"
)

// network are BERT's layers, which models for texts of different lengths share.
type network struct {
	config
	pooling
	first  []*dl.Layer // embeddings and their normalization
	blocks []block
}

// block is one of the transformer's layers.
type block struct{ attention, add1, norm1, inner, outer, add2, norm2 *dl.Layer }

func newNetwork(c config, p pooling) *network {
	norm := func(name string) *dl.Layer {
		return dl.NewLayer(layers.LayerNormalization{Epsilon: c.Epsilon, Name: name})
	}
	n := &network{config: c, pooling: p}
	n.first = []*dl.Layer{
		dl.NewLayer(Embeddings{Vocabulary: c.Vocabulary, Positions: c.Positions, Types: c.Types, Dim: c.Hidden, Name: "embeddings"}),
		norm("embeddings_norm"),
	}
	for i := range c.Layers {
		at := func(part string) string { return fmt.Sprintf("layer_%d_%s", i, part) }
		n.blocks = append(n.blocks, block{
			attention: dl.NewLayer(layers.MultiHeadAttention{NumHeads: c.Heads, KeyDim: c.Hidden / c.Heads, AttentionMask: true, Name: at("attention")}),
			add1:      dl.NewLayer(layers.Add{Name: at("add")}),
			norm1:     norm(at("attention_norm")),
			inner:     dl.NewLayer(layers.Dense{Units: c.Inner, Activation: activations.GELU, Name: at("inner")}),
			outer:     dl.NewLayer(layers.Dense{Units: c.Hidden, Name: at("outer")}),
			add2:      dl.NewLayer(layers.Add{Name: at("add_outer")}),
			norm2:     norm(at("outer_norm")),
		})
	}
	return n
}

// model is the network for texts of a length: tokens and a mask, 1 where a token counts, lead to
// one vector for each text.
func (n *network) model(length int) (*dl.Model, error) {
	ids := dl.InputOf(layers.Input{Shape: layers.Shape{length}, Name: "tokens"})
	mask := dl.InputOf(layers.Input{Shape: layers.Shape{length}, Name: "mask"})
	pairs := ops.ExpandDims(mask, 1)
	x := dl.Apply(n.first[1], dl.Apply(n.first[0], ids))
	for _, b := range n.blocks {
		x = dl.Apply(b.norm1, dl.Apply(b.add1, x, dl.Apply(b.attention, x, x, pairs)))
		x = dl.Apply(b.norm2, dl.Apply(b.add2, x, dl.Apply(b.outer, dl.Apply(b.inner, x))))
	}
	var y *dl.Symbol
	if n.cls {
		y = ops.Squeeze(ops.Slice(x, 1, 0, 1), 1)
	} else {
		counted := ops.ExpandDims(mask, 2)
		y = ops.Divide(ops.Sum(ops.Multiply(x, counted), 1), ops.Maximum(ops.Sum(counted, 1), 1e-9))
	}
	if n.normalize {
		y = ops.Normalize(y, -1)
	}
	return dl.Functional([]*dl.Symbol{ids, mask}, []*dl.Symbol{y})
}

// mapping says which tensors of transformers' BertModel the weights are.
//
// Source: https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py
func mapping() dl.Mapping {
	kernel := []int{1, 0} // PyTorch's Linear is [out, in]
	const layer = "encoder.layer.*."
	table := dl.Mapping{
		{Weight: "embeddings/words", Tensor: "embeddings.word_embeddings.weight"},
		{Weight: "embeddings/positions", Tensor: "embeddings.position_embeddings.weight"},
		{Weight: "embeddings/types", Tensor: "embeddings.token_type_embeddings.weight"},
		{Weight: "layer_*_attention/attention_output/kernel", Tensor: layer + "attention.output.dense.weight", Axes: kernel, Reshape: true},
		{Weight: "layer_*_attention/attention_output/bias", Tensor: layer + "attention.output.dense.bias"},
		{Weight: "layer_*_attention/*/kernel", Tensor: layer + "attention.self.*.weight", Axes: kernel, Reshape: true},
		{Weight: "layer_*_attention/*/bias", Tensor: layer + "attention.self.*.bias", Reshape: true},
		{Weight: "layer_*_inner/kernel", Tensor: layer + "intermediate.dense.weight", Axes: kernel},
		{Weight: "layer_*_inner/bias", Tensor: layer + "intermediate.dense.bias"},
		{Weight: "layer_*_outer/kernel", Tensor: layer + "output.dense.weight", Axes: kernel},
		{Weight: "layer_*_outer/bias", Tensor: layer + "output.dense.bias"},
	}
	for name, of := range map[string]string{"embeddings_norm": "embeddings", "layer_*_attention_norm": layer + "attention.output", "layer_*_outer_norm": layer + "output"} {
		table = append(table,
			dl.From{Weight: name + "/gamma", Tensor: of + ".LayerNorm.weight"},
			dl.From{Weight: name + "/beta", Tensor: of + ".LayerNorm.bias"})
	}
	return table
}

// unprefixed reads tensors whose names may all begin with "bert.", as those of models with a
// head do.
type unprefixed struct {
	dl.TensorReader
	prefix string
}

func withoutPrefix(r dl.TensorReader) dl.TensorReader {
	if slices.Contains(r.Names(), "bert.embeddings.word_embeddings.weight") {
		return unprefixed{r, "bert."}
	}
	return r
}

// Names implements dl.TensorReader.
func (u unprefixed) Names() (all []string) {
	for _, name := range u.TensorReader.Names() {
		if rest, ok := strings.CutPrefix(name, u.prefix); ok {
			all = append(all, rest)
		}
	}
	return all
}

// Tensor implements dl.TensorReader.
func (u unprefixed) Tensor(name string) (*tensor.Tensor, error) {
	return u.TensorReader.Tensor(u.prefix + name)
}
