package layers

import (
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(SimpleRNN{}, LSTM{}, GRU{})
}

// SimpleRNN reads a sequence step by step and carries a state h on:
//
//	h_t = f(W x_t + U h_(t−1) + b)
//
// Input shape: (None, steps, features); initial states may follow as further inputs.
// Output shape: (None, Units), or (None, steps, Units) with ReturnSequences; with
// ReturnState the last h is a second output.
//
// Source: https://keras.io/api/layers/recurrent_layers/simple_rnn/
type SimpleRNN struct {
	// Units is the size of h.
	Units int
	// Activation is f; nil is Tanh.
	Activation activations.Activation
	// NoBias leaves b out.
	NoBias bool `keras:"use_bias,not"`
	// KernelInitializer starts W, of shape [features, Units]; nil is
	// GlorotUniform. RecurrentInitializer starts U, of shape [Units, Units]; nil is
	// Orthogonal. BiasInitializer starts b; nil is Zeros.
	KernelInitializer, RecurrentInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint                         constraints.Constraint
	// Dropout drops parts of x, RecurrentDropout of h, the same in all steps.
	Dropout, RecurrentDropout float64
	// ReturnSequences returns the output of every step, ReturnState the state too.
	ReturnSequences, ReturnState bool
	// GoBackwards reads from the end, and returns sequences in that order.
	GoBackwards bool
	// Stateful carries the state on to the next batch, until ResetState. It
	// needs a fixed BatchSize in the model's Input.
	Stateful bool
	// ZeroOutputForMask makes the output of a step that a mask leaves out 0,
	// rather than that of the step before.
	ZeroOutputForMask bool
	Name              string
}

// LSTM is a recurrence whose state c changes only as far as gates let it:
//
//	i, f, o = g(W x_t + U h_(t−1) + b) of each, c̃ = act(W x_t + U h_(t−1) + b)
//	c_t = f c_(t−1) + i c̃,  h_t = o act(c_t)
//
// Input shape: (None, steps, features); initial states h and c may follow as further
// inputs. Output shape: (None, Units), or (None, steps, Units) with
// ReturnSequences; with ReturnState the last h and c are further outputs.
//
// Source: Hochreiter and Schmidhuber, 1997;
// https://keras.io/api/layers/recurrent_layers/lstm/
type LSTM struct {
	// Units is the size of h and c.
	Units int
	// Activation is act; nil is Tanh. RecurrentActivation is g; nil is Sigmoid.
	Activation, RecurrentActivation activations.Activation
	// NoBias leaves b out.
	NoBias bool `keras:"use_bias,not"`
	// NoUnitForgetBias starts the bias of f with 0 rather than 1.
	NoUnitForgetBias bool `keras:"unit_forget_bias,not"`
	// KernelInitializer starts W, of shape [features, 4·Units], for i, f, c̃ and
	// o; nil is GlorotUniform. RecurrentInitializer starts U, of shape [Units,
	// 4·Units]; nil is Orthogonal. BiasInitializer starts b; nil is Zeros.
	KernelInitializer, RecurrentInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint                         constraints.Constraint
	// Dropout drops parts of x, RecurrentDropout of h, the same in all steps.
	Dropout, RecurrentDropout float64
	// ReturnSequences returns the output of every step, ReturnState the states too.
	ReturnSequences, ReturnState bool
	// GoBackwards reads from the end, and returns sequences in that order.
	GoBackwards bool
	// Stateful carries the states on to the next batch, until ResetState. It
	// needs a fixed BatchSize in the model's Input.
	Stateful bool
	// ZeroOutputForMask makes the output of a step that a mask leaves out 0,
	// rather than that of the step before.
	ZeroOutputForMask bool
	Name              string
}

// GRU is a recurrence with two gates, z for how much of the state stays and r for how
// much of it is seen:
//
//	z, r = g(W x_t + U h_(t−1) + b) of each
//	h̃ = act(W x_t + b + r (U h_(t−1) + b')),  h_t = z h_(t−1) + (1 − z) h̃
//
// Input shape: (None, steps, features); an initial state may follow as further
// input. Output shape: (None, Units), or (None, steps, Units) with
// ReturnSequences; with ReturnState the last h is a second output.
//
// Source: Cho et al., 2014 (arXiv:1406.1078);
// https://keras.io/api/layers/recurrent_layers/gru/
type GRU struct {
	// Units is the size of h.
	Units int
	// Activation is act; nil is Tanh. RecurrentActivation is g; nil is Sigmoid.
	Activation, RecurrentActivation activations.Activation
	// NoBias leaves b and b' out.
	NoBias bool `keras:"use_bias,not"`
	// ResetBefore applies r to h before U does, as in the paper: h̃ = act(W x_t + U
	// (r h_(t−1)) + b). There is then one bias, not two.
	ResetBefore bool `keras:"reset_after,not"`
	// KernelInitializer starts W, of shape [features, 3·Units], for z, r and h̃;
	// nil is GlorotUniform. RecurrentInitializer starts U, of shape [Units,
	// 3·Units]; nil is Orthogonal. BiasInitializer starts b and b', of shape [2,
	// 3·Units]; nil is Zeros.
	KernelInitializer, RecurrentInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint                         constraints.Constraint
	// Dropout drops parts of x, RecurrentDropout of h, the same in all steps.
	Dropout, RecurrentDropout float64
	// ReturnSequences returns the output of every step, ReturnState the state too.
	ReturnSequences, ReturnState bool
	// GoBackwards reads from the end, and returns sequences in that order.
	GoBackwards bool
	// Stateful carries the state on to the next batch, until ResetState. It
	// needs a fixed BatchSize in the model's Input.
	Stateful bool
	// ZeroOutputForMask makes the output of a step that a mask leaves out 0,
	// rather than that of the step before.
	ZeroOutputForMask bool
	Name              string
}

// Build implements Layer.
func (l SimpleRNN) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// Build implements Layer.
func (l LSTM) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// Build implements Layer.
func (l GRU) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l SimpleRNN) BuildAll(in []Shape) (Spec, error) { return l.cell().build(in) }

// BuildAll implements Multi.
func (l LSTM) BuildAll(in []Shape) (Spec, error) { return l.cell().build(in) }

// BuildAll implements Multi.
func (l GRU) BuildAll(in []Shape) (Spec, error) { return l.cell().build(in) }

// Call implements Layer.
func (l SimpleRNN) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// Call implements Layer.
func (l LSTM) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// Call implements Layer.
func (l GRU) Call(c *Context, x *tensor.Node) *tensor.Node { return l.CallAll(c, []*tensor.Node{x})[0] }

// CallAll implements Multi.
func (l SimpleRNN) CallAll(c *Context, in []*tensor.Node) []*tensor.Node { return l.cell().call(c, in) }

// CallAll implements Multi.
func (l LSTM) CallAll(c *Context, in []*tensor.Node) []*tensor.Node { return l.cell().call(c, in) }

// CallAll implements Multi.
func (l GRU) CallAll(c *Context, in []*tensor.Node) []*tensor.Node { return l.cell().call(c, in) }

// Reversed implements Recurrent.
func (l SimpleRNN) Reversed() Recurrent {
	l.GoBackwards = !l.GoBackwards
	return l
}

// Reversed implements Recurrent.
func (l LSTM) Reversed() Recurrent {
	l.GoBackwards = !l.GoBackwards
	return l
}

// Reversed implements Recurrent.
func (l GRU) Reversed() Recurrent {
	l.GoBackwards = !l.GoBackwards
	return l
}

// Sequences implements Recurrent.
func (l SimpleRNN) Sequences() bool { return l.ReturnSequences }

// Sequences implements Recurrent.
func (l LSTM) Sequences() bool { return l.ReturnSequences }

// Sequences implements Recurrent.
func (l GRU) Sequences() bool { return l.ReturnSequences }

// ZeroForMask implements Recurrent.
func (l SimpleRNN) ZeroForMask() Recurrent {
	l.ZeroOutputForMask = true
	return l
}

// ZeroForMask implements Recurrent.
func (l LSTM) ZeroForMask() Recurrent {
	l.ZeroOutputForMask = true
	return l
}

// ZeroForMask implements Recurrent.
func (l GRU) ZeroForMask() Recurrent {
	l.ZeroOutputForMask = true
	return l
}
