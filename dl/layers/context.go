package layers

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
)

// Context is what a layer's Call knows of the graph that is being built.
type Context struct {
	*Pass
	layer   string
	weights map[string]*graph.Node
	updates map[string]*graph.Node
}

// Weight returns the weight of that name, which Build must have asked for.
func (c *Context) Weight(name string) *graph.Node {
	w, ok := c.weights[name]
	if !ok {
		panic(fmt.Errorf("layer %q: Call uses a weight %q that Build did not declare", c.layer, name))
	}
	return w
}

// Update gives a weight a new value after the step, as batch normalisation
// does with its running means. It has no effect outside training.
func (c *Context) Update(name string, value *graph.Node) {
	c.Weight(name)
	c.updates[name] = value
}

// Updates returns what Update was called with, by name.
func (c *Context) Updates() map[string]*graph.Node { return c.updates }

// Pass is what all layers share in one pass through a model. Models make it.
type Pass struct {
	// Training says that the pass belongs to a training step.
	Training bool

	rng    *graph.Node
	logits map[*graph.Node]Logits
}

// Logits is the argument that an activation was given.
type Logits struct {
	Node       *graph.Node
	Activation string
}

// NewPass starts a pass. rng is the state of the random number generator.
func NewPass(training bool, rng *graph.Node) *Pass {
	return &Pass{Training: training, rng: rng, logits: make(map[*graph.Node]Logits)}
}

// Layer returns the context of one layer of the pass.
func (p *Pass) Layer(name string, weights map[string]*graph.Node) *Context {
	return &Context{Pass: p, layer: name, weights: weights, updates: make(map[string]*graph.Node)}
}

// Activate applies an activation and remembers its argument, so that a loss
// that follows can be computed from it.
func (p *Pass) Activate(a activations.Activation, x *graph.Node) *graph.Node {
	y := a.Apply(x)
	p.logits[y] = Logits{x, a.Name()}
	return y
}

// Logits returns the argument of the activation whose result is y.
func (p *Pass) Logits(y *graph.Node) (Logits, bool) {
	l, ok := p.logits[y]
	return l, ok
}

// RandomUniform returns numbers in [0, 1), new ones in every step.
func (p *Pass) RandomUniform(shape shapes.Shape) *graph.Node {
	var values *graph.Node
	p.rng, values = graph.RandomUniform(p.rng, shape)
	return values
}

// RandomState returns the state of the generator after all draws so far.
func (p *Pass) RandomState() *graph.Node { return p.rng }
