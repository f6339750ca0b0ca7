// Package networks has the networks that are measured, compiled as the document does. Those of
// the peers are in bench/peers and bench/gpu/peers.
package networks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/layers"
	"github.com/gradbook/gradbook/dl/losses"
	"github.com/gradbook/gradbook/dl/metrics"
	"github.com/gradbook/gradbook/dl/optimizers"
)

// bodies are the networks by name, but for the last layer: the document's, a plain one,
// recurrent ones that read a digit row by row, transformers, and a GPT that says the next pixel.
var bodies = map[string]func(x *dl.Symbol) *dl.Symbol{
	"cnn":         func(x *dl.Symbol) *dl.Symbol { return x.Then(cnn()...) },
	"mlp":         mlp,
	"simple_rnn":  rows(layers.SimpleRNN{Units: 128}),
	"lstm":        rows(layers.LSTM{Units: 128}),
	"gru":         rows(layers.GRU{Units: 128}),
	"transformer": transformer,
	"resnet18":    resnet18,
	"mobilenetv2": mobileNetV2,
	"encoder":     encoder,
	"gpt":         gpt,
}

func cnn() []layers.Layer {
	window := [2]int{3, 3}
	return []layers.Layer{
		layers.Conv2D{Filters: 32, KernelSize: window, Activation: activations.ReLU},
		layers.MaxPooling2D{},
		layers.Conv2D{Filters: 64, KernelSize: window, Activation: activations.ReLU},
		layers.MaxPooling2D{},
		layers.Conv2D{Filters: 64, KernelSize: window, Activation: activations.ReLU},
		layers.Flatten{},
		layers.Dense{Units: 64, Activation: activations.ReLU},
	}
}

func mlp(x *dl.Symbol) *dl.Symbol {
	return x.Then(
		layers.Flatten{},
		layers.Dense{Units: 512, Activation: activations.ReLU},
		layers.Dense{Units: 512, Activation: activations.ReLU},
	)
}

func rows(l layers.Layer) func(*dl.Symbol) *dl.Symbol {
	return func(x *dl.Symbol) *dl.Symbol { return x.Then(layers.Reshape{TargetShape: []int{28, 28}}, l) }
}

// transformer has two encoders of 4 heads and 128 features over an image's 28 rows.
//
// Source: Vaswani et al., Attention Is All You Need, 2017, https://arxiv.org/abs/1706.03762
func transformer(x *dl.Symbol) *dl.Symbol {
	const features = 128
	x = x.Then(layers.Reshape{TargetShape: []int{28, 28}}, layers.Dense{Units: features})
	x = encoders(x, 2, 4, features)
	return x.Then(layers.GlobalAveragePooling1D{})
}

// encoder has four encoders of 8 heads and 256 features over 128 tokens of 7 pixels.
func encoder(x *dl.Symbol) *dl.Symbol {
	x = x.Then(layers.Reshape{TargetShape: []int{784, 1}}, layers.ZeroPadding1D{Padding: [2]int{56, 56}},
		layers.Reshape{TargetShape: []int{128, 7}}, layers.Dense{Units: 256})
	return encoders(x, 4, 8, 256).Then(layers.GlobalAveragePooling1D{})
}

// encoders are n of the transformer's.
func encoders(x *dl.Symbol, n, heads, features int) *dl.Symbol {
	for range n {
		attended := dl.Apply(layers.MultiHeadAttention{NumHeads: heads, KeyDim: features / heads}, x, x)
		x = dl.Apply(layers.Add{}, x, attended).Then(layers.LayerNormalization{})
		wide := x.Then(layers.Dense{Units: 4 * features, Activation: activations.ReLU}, layers.Dense{Units: features})
		x = dl.Apply(layers.Add{}, x, wide).Then(layers.LayerNormalization{})
	}
	return x
}

// Known reports a name that no network has.
func Known(name string) error {
	if bodies[name] == nil {
		return fmt.Errorf("expected a network of %s, got %q", strings.Join(slices.Sorted(maps.Keys(bodies)), ", "), name)
	}
	return nil
}

// New makes a network for MNIST.
func New(name string) (*dl.Model, error) {
	if err := Known(name); err != nil {
		return nil, err
	}
	shape, classes := layers.Shape{28, 28, 1}, 10
	if name == "gpt" {
		shape, classes = layers.Shape{context}, kinds
	}
	in := dl.Input(shape)
	out := bodies[name](in).Then(layers.Dense{Units: classes, Activation: activations.Softmax})
	m, err := dl.Functional([]*dl.Symbol{in}, []*dl.Symbol{out})
	if err != nil {
		return nil, err
	}
	return m, Compile(m)
}

// Compile compiles a classifier as the document does.
func Compile(m *dl.Model) error {
	return m.Compile(dl.CompileConfig{
		Optimizer: optimizers.Adam{},
		Loss:      losses.SparseCategoricalCrossentropy{},
		Metrics:   []metrics.Metric{metrics.Accuracy{}},
	})
}
