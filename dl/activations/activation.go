package activations

import (
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/tensor"
)

// Activation is a function of a tensor that keeps its shape.
//
// One that has settings is a struct type of its own, whose exported fields are what is saved.
type Activation interface {
	// Name is what summaries and messages call the function, for example "relu".
	Name() string
	// Apply adds the function to x's graph.
	Apply(x *tensor.Node) *tensor.Node
}

// Looped is an activation that recurrent layers can use in a loop over the steps. With
// others they put each step into the graph for itself, which takes longer to compile.
type Looped interface {
	Activation
	// ApplyInLoop is Apply in the body of a loop, where only constants that graph.Const
	// makes may be used.
	ApplyInLoop(x *tensor.Node) *tensor.Node
	// Slope is the derivative where the function's value is y.
	Slope(y *tensor.Node) *tensor.Node
}

// Logits says of which probabilities an activation's argument is the logits.
type Logits int

const (
	// NoLogits is that of activations that make no probabilities.
	NoLogits Logits = iota
	// SoftmaxLogits is that of the softmax over the last axis: exactly this function.
	SoftmaxLogits
	// SigmoidLogits is that of the logistic function: exactly this one.
	SigmoidLogits
)

// Probabilities is an activation that makes probabilities. Losses are then computed from its
// argument, which keeps their digits where a probability is close to 0.
type Probabilities interface {
	Activation
	// Logits says which probabilities they are.
	Logits() Logits
}

// Func makes an Activation of a function of one's own, which must keep the shape of its
// argument. It is known by what it computes, whatever its name. A model with it can be saved
// if dl.Register has been called with the same value.
func Func(name string, apply func(x *tensor.Node) *tensor.Node) Activation {
	return plain(name, apply, nil)
}

// function is an activation without settings. It is used by pointer, so that each is equal to
// itself only.
type function struct {
	config.Named
	apply  func(x *tensor.Node) *tensor.Node
	logits Logits
	onnx   func(g *build.Graph, x string) string // nil if there is none
}

func named(name string) config.Named { return config.NewNamed(name) }

func plain(name string, apply func(x *tensor.Node) *tensor.Node, onnx func(g *build.Graph, x string) string) Activation {
	return &function{Named: named(name), apply: apply, onnx: onnx}
}

func (f *function) Apply(x *tensor.Node) *tensor.Node { return f.apply(x) }
func (f *function) String() string                    { return f.Name() }

// Logits implements Probabilities.
func (f *function) Logits() Logits { return f.logits }

// ONNX implements build.Activation.
func (f *function) ONNX(g *build.Graph, x string) (y string, ok bool) {
	if f.onnx == nil {
		return "", false
	}
	return f.onnx(g, x), true
}

// operator is the form in ONNX of what is an operator there.
func operator(op string, attrs ...build.Attr) func(g *build.Graph, x string) string {
	return func(g *build.Graph, x string) string { return g.Op(op, []string{x}, attrs...) }
}

// looped is a function that loops can use.
type looped struct {
	function
	inLoop, slope func(x *tensor.Node) *tensor.Node
}

func (f looped) value() Activation { return &f }

// ApplyInLoop implements Looped.
func (f *looped) ApplyInLoop(x *tensor.Node) *tensor.Node { return f.inLoop(x) }

// Slope implements Looped.
func (f *looped) Slope(y *tensor.Node) *tensor.Node { return f.slope(y) }
