package dl

import (
	"errors"
	"fmt"

	"github.com/gradbook/gradbook/dl/internal/fault"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/layers"
)

// Layer is a layer in its place: its configuration, with a name and the weights that belong to
// it. Models are made of them. Applied in several places, or in several models, it is the same
// layer with the same weights:
//
//	tower := dl.NewLayer(layers.Dense{Units: 64})
//	left, right := dl.Apply(tower, a), dl.Apply(tower, b)
type Layer struct {
	l *network.Layer
}

func layerOf(l *network.Layer) *Layer {
	return l.Face.Get(func() any { return &Layer{l} }).(*Layer)
}

// NewLayer makes a layer that can be used in several places. A *Layer is returned
// as it is.
func NewLayer(l layers.Layer) *Layer { return layerOf(placed(l)) }

// placed is what a layer stands for: itself if it is in its place already.
func placed(l layers.Layer) *network.Layer {
	switch l := l.(type) {
	case *Layer:
		if l != nil {
			return l.l
		}
	case *Model:
		if l != nil {
			return network.NewLayer(l.m.Network)
		}
	}
	return network.NewLayer(l)
}

// configOf is a layer's configuration.
func configOf(l layers.Layer) layers.Layer {
	if placed, ok := l.(*Layer); ok && placed != nil {
		return placed.l.Config
	}
	return l
}

// Config is the layer's configuration: a layers.Dense, a *Model, or a type of one's own.
func (l *Layer) Config() layers.Layer {
	if n := l.l.Nested(); n != nil {
		return modelOf(n)
	}
	return l.l.Config
}

// Build implements layers.Layer.
func (l *Layer) Build(in layers.Shape) (layers.Spec, error) {
	if l.l.Config == nil {
		return layers.Spec{}, errors.New("expected a layer to build, got nil")
	}
	return l.l.Config.Build(in)
}

// Call implements layers.Layer.
func (l *Layer) Call(c *layers.Context, x *Node) *Node { return l.l.Config.Call(c, x) }

// Name is the layer's name in its model; "" until it is in one.
func (l *Layer) Name() string { return l.l.Name }

// Type is the name of the layer's type: "Dense".
func (l *Layer) Type() string { return l.l.Type() }

// String is the layer's name and type, by which errors speak of it.
func (l *Layer) String() string { return l.l.String() }

// Trainable says whether training changes the layer's weights.
func (l *Layer) Trainable() bool {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	return l.l.Trainable
}

// SetTrainable freezes a layer's weights, or sets them free, in all models that have
// it; of a model that is a layer, those of all its layers.
//
// Source: https://keras.io/guides/transfer_learning/
func (l *Layer) SetTrainable(trainable bool) {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	l.l.SetTrainable(trainable)
}

// WithDType has the layer compute in a type of its own, whatever SetDTypePolicy says: "float32",
// "mixed_bfloat16" or "mixed_float16"; and returns it. It must be called before the layer is
// applied, and panics for other names or afterwards. Keras's layers have it as the argument
// dtype; a last softmax in "float32" is what it is most used for:
//
//	dl.NewLayer(layers.Activation{Activation: activations.Softmax}).WithDType("float32")
//
// Source: https://keras.io/api/mixed_precision/
func (l *Layer) WithDType(policy string) *Layer {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	t, err := network.Policy(policy)
	if err == nil && len(l.l.Calls) > 0 {
		err = fmt.Errorf("%s: expected a layer that is not applied yet to give a DType, got one that is", l)
	}
	if err != nil {
		panic(edge(err))
	}
	l.l.DType = t
	return l
}

// DType is the policy of WithDType; "" if the layer follows its model's.
func (l *Layer) DType() string { return network.PolicyName(l.l.DType) }

// Output is the symbol of the layer's output, where it was first applied: for a model
// that ends there.
func (l *Layer) Output() *Symbol { return l.end((*network.Layer).Output) }

// Input is the symbol of the layer's first input, where it was first applied.
func (l *Layer) Input() *Symbol { return l.end((*network.Layer).Input) }

func (l *Layer) end(of func(*network.Layer) (*network.Symbol, error)) *Symbol {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	s, err := of(l.l)
	if err != nil {
		return &Symbol{err: err}
	}
	return symbolOf(s)
}

// OutputShape is the shape of the layer's output for one example.
func (l *Layer) OutputShape() layers.Shape {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	return l.l.OutputShape()
}

// WeightNames returns the names of the layer's weights, in the order of Weights: "kernel".
func (l *Layer) WeightNames() []string {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	return namesOf(l.l.Kept())
}

// Weights returns a copy of the layer's weights, in the order of Keras's get_weights.
func (l *Layer) Weights() ([]*Tensor, error) {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	if l.l.Weights == nil {
		return nil, l.withoutWeights()
	}
	all, err := network.Read(l.l.Kept())
	return all, edge(err)
}

// SetWeights replaces the layer's weights, given in the order of Weights. If one does
// not fit, none is replaced.
func (l *Layer) SetWeights(weights []*Tensor) error {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	if l.l.Weights == nil {
		return l.withoutWeights()
	}
	return edge(network.Write(l.String(), l.l.Kept(), weights))
}

func (l *Layer) withoutWeights() error {
	return edge(fmt.Errorf("%s has no weights yet: %w", l, &fault.NotBuiltError{Model: l.Name()}))
}

// ResetState sets what a stateful layer carries from batch to batch back to zero.
func (l *Layer) ResetState() {
	l.l.Lock.Lock()
	defer l.l.Lock.Unlock()
	l.l.ResetState()
}
