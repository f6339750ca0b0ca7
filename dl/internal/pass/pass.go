// Package pass is one way of a batch through layers, as a graph: what all layers of it share.
//
// It knows layers only by Call, which package layers sets, so that layers.Context can show
// users what they may do and nothing else.
package pass

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/internal/config"
)

// Pass is one pass through a model.
type Pass struct {
	// Training says that it belongs to a training step.
	Training bool
	// DType is the type in which to compute; zero leaves everything as it is.
	DType dtypes.DType
	// Random is the state of the random numbers.
	Random *graph.Node
	// Losses are what layers add to the loss.
	Losses []*graph.Node

	// Apart says that every result is looked at, and none may be left out.
	Apart bool
	// Watch, if it is set, sees the inputs of each layer of a network, which is a *network.Layer.
	Watch func(layer any, x []*graph.Node)

	// Tap, if it is set, stands between a network and each layer that is not one: it is called
	// instead of Call, which it may call in its turn.
	Tap Tap

	// Dropped are the names of layers that got a mask, made nothing of it, and do not pass
	// it on.
	Dropped []string

	logits map[*graph.Node]Logits
	shared map[*graph.Node]bool
}

// Tap calls a layer, as Call does.
type Tap func(p *Pass, l Layer, x, masks []*graph.Node) (out []*graph.Node, mask *graph.Node, updates map[string]*graph.Node)

// Share says that more than one layer needs a node, or a reader of the network's outputs.
func (p *Pass) Share(n *graph.Node) { p.shared[n] = true }

// Shared says whether more than one needs a node: then what is computed together with it would be computed twice.
func (p *Pass) Shared(n *graph.Node) bool { return p.Apart || p.shared[n] }

// Logits is the argument of an activation that makes probabilities.
type Logits struct {
	Node *graph.Node
	Of   activations.Logits
}

// New starts a pass.
func New(training bool, random *graph.Node, dtype dtypes.DType) *Pass {
	return &Pass{Training: training, Random: random, DType: dtype, logits: make(map[*graph.Node]Logits), shared: make(map[*graph.Node]bool)}
}

// Activate applies an activation and remembers its argument, so that a loss that follows can
// be computed from it.
func (p *Pass) Activate(a activations.Activation, x *graph.Node) *graph.Node {
	y := a.Apply(x)
	if of, ok := config.As[activations.Probabilities](a); ok && of.Logits() != activations.NoLogits {
		p.logits[y] = Logits{x, of.Logits()}
	}
	return y
}

// Logits returns the argument of the activation whose result is y.
func (p *Pass) Logits(y *graph.Node) (Logits, bool) {
	l, ok := p.logits[y]
	return l, ok
}

// Layer is a layer that is called.
type Layer struct {
	// Layer is a layers.Layer, Spec its layers.Spec.
	Layer, Spec any
	Name        string
	// Trainable is false for a layer that is frozen.
	Trainable bool
	// DType is the type in which this layer computes; zero is the pass's.
	DType dtypes.DType
	// Weights by name.
	Weights map[string]*graph.Node
}

// Call calls a layer on nodes with masks, which may be nil, and checks that it returns what it
// promised. updates are the new values of weights.
var Call func(p *Pass, l Layer, x, masks []*graph.Node) (out []*graph.Node, mask *graph.Node, updates map[string]*graph.Node)

// Alone calls a layer once more, outside of any network: on other inputs, or with other weights.
func Alone(training bool, l Layer, x ...*graph.Node) []*graph.Node {
	return AloneMasked(training, l, x, make([]*graph.Node, len(x)))
}

// AloneMasked is Alone with masks, which may be nil.
func AloneMasked(training bool, l Layer, x, masks []*graph.Node) []*graph.Node {
	p := New(training, nil, dtypes.InvalidDType)
	p.Apart = true
	out, _, _ := Call(p, l, x, masks)
	return out
}

// Of returns the pass of a layers.Context.
var Of func(context any) *Pass
