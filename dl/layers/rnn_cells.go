package layers

import (
	"errors"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/onnx/build"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() {
	config.Register(SimpleRNNCell{}, LSTMCell{}, GRUCell{})
}

// SimpleRNNCell is the step of a SimpleRNN, whose fields it has: RNN{Cell: SimpleRNNCell{…}} is
// the same layer.
//
// Source: https://keras.io/api/layers/recurrent_layers/simple_rnn_cell/
type SimpleRNNCell struct {
	Units                                                    int
	Activation                                               activations.Activation
	NoBias                                                   bool `keras:"use_bias,not"`
	KernelInitializer, RecurrentInitializer, BiasInitializer initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint    constraints.Constraint
	Dropout, RecurrentDropout                                float64
	Name                                                     string
}

// LSTMCell is the step of an LSTM, whose fields it has: RNN{Cell: LSTMCell{…}} is the same
// layer.
//
// Source: https://keras.io/api/layers/recurrent_layers/lstm_cell/
type LSTMCell struct {
	Units                                                    int
	Activation, RecurrentActivation                          activations.Activation
	NoBias                                                   bool `keras:"use_bias,not"`
	NoUnitForgetBias                                         bool `keras:"unit_forget_bias,not"`
	KernelInitializer, RecurrentInitializer, BiasInitializer initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint    constraints.Constraint
	Dropout, RecurrentDropout                                float64
	Name                                                     string
}

// GRUCell is the step of a GRU, whose fields it has: RNN{Cell: GRUCell{…}} is the same layer.
//
// Source: https://keras.io/api/layers/recurrent_layers/gru_cell/
type GRUCell struct {
	Units                                                    int
	Activation, RecurrentActivation                          activations.Activation
	NoBias                                                   bool `keras:"use_bias,not"`
	ResetBefore                                              bool `keras:"reset_after,not"`
	KernelInitializer, RecurrentInitializer, BiasInitializer initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint    constraints.Constraint
	Dropout, RecurrentDropout                                float64
	Name                                                     string
}

func (l SimpleRNNCell) layer(r RNN) build.Layer {
	return SimpleRNN{
		Units: l.Units, Activation: l.Activation, NoBias: l.NoBias,
		KernelInitializer: l.KernelInitializer, RecurrentInitializer: l.RecurrentInitializer, BiasInitializer: l.BiasInitializer,
		KernelRegularizer: l.KernelRegularizer, RecurrentRegularizer: l.RecurrentRegularizer, BiasRegularizer: l.BiasRegularizer,
		KernelConstraint: l.KernelConstraint, RecurrentConstraint: l.RecurrentConstraint, BiasConstraint: l.BiasConstraint,
		Dropout: l.Dropout, RecurrentDropout: l.RecurrentDropout,
		ReturnSequences: r.ReturnSequences, ReturnState: r.ReturnState, GoBackwards: r.GoBackwards, Stateful: r.Stateful,
	}
}

func (l LSTMCell) layer(r RNN) build.Layer {
	return LSTM{
		Units: l.Units, Activation: l.Activation, RecurrentActivation: l.RecurrentActivation, NoBias: l.NoBias, NoUnitForgetBias: l.NoUnitForgetBias,
		KernelInitializer: l.KernelInitializer, RecurrentInitializer: l.RecurrentInitializer, BiasInitializer: l.BiasInitializer,
		KernelRegularizer: l.KernelRegularizer, RecurrentRegularizer: l.RecurrentRegularizer, BiasRegularizer: l.BiasRegularizer,
		KernelConstraint: l.KernelConstraint, RecurrentConstraint: l.RecurrentConstraint, BiasConstraint: l.BiasConstraint,
		Dropout: l.Dropout, RecurrentDropout: l.RecurrentDropout,
		ReturnSequences: r.ReturnSequences, ReturnState: r.ReturnState, GoBackwards: r.GoBackwards, Stateful: r.Stateful,
	}
}

func (l GRUCell) layer(r RNN) build.Layer {
	return GRU{
		Units: l.Units, Activation: l.Activation, RecurrentActivation: l.RecurrentActivation, NoBias: l.NoBias, ResetBefore: l.ResetBefore,
		KernelInitializer: l.KernelInitializer, RecurrentInitializer: l.RecurrentInitializer, BiasInitializer: l.BiasInitializer,
		KernelRegularizer: l.KernelRegularizer, RecurrentRegularizer: l.RecurrentRegularizer, BiasRegularizer: l.BiasRegularizer,
		KernelConstraint: l.KernelConstraint, RecurrentConstraint: l.RecurrentConstraint, BiasConstraint: l.BiasConstraint,
		Dropout: l.Dropout, RecurrentDropout: l.RecurrentDropout,
		ReturnSequences: r.ReturnSequences, ReturnState: r.ReturnState, GoBackwards: r.GoBackwards, Stateful: r.Stateful,
	}
}

func (l SimpleRNNCell) recurrent() recurrent {
	return l.layer(RNN{ReturnSequences: true}).(SimpleRNN).cell()
}
func (l LSTMCell) recurrent() recurrent { return l.layer(RNN{ReturnSequences: true}).(LSTM).cell() }
func (l GRUCell) recurrent() recurrent  { return l.layer(RNN{ReturnSequences: true}).(GRU).cell() }

// BuildCell implements Cell.
func (l SimpleRNNCell) BuildCell(in Shape) (CellSpec, error) { return l.recurrent().buildCell(in) }

// BuildCell implements Cell.
func (l LSTMCell) BuildCell(in Shape) (CellSpec, error) { return l.recurrent().buildCell(in) }

// BuildCell implements Cell.
func (l GRUCell) BuildCell(in Shape) (CellSpec, error) { return l.recurrent().buildCell(in) }

// Step implements Cell.
func (l SimpleRNNCell) Step(c *Context, x *tensor.Node, states []*tensor.Node) (y *tensor.Node, next []*tensor.Node) {
	return l.recurrent().oneStep(c, x, states)
}

// Step implements Cell.
func (l LSTMCell) Step(c *Context, x *tensor.Node, states []*tensor.Node) (y *tensor.Node, next []*tensor.Node) {
	return l.recurrent().oneStep(c, x, states)
}

// Step implements Cell.
func (l GRUCell) Step(c *Context, x *tensor.Node, states []*tensor.Node) (y *tensor.Node, next []*tensor.Node) {
	return l.recurrent().oneStep(c, x, states)
}

// Steps implements SequenceCell.
func (l SimpleRNNCell) Steps(c *Context, x, mask *tensor.Node, states []*tensor.Node) (y *tensor.Node, last []*tensor.Node) {
	return l.recurrent().allSteps(c, x, mask, states)
}

// Steps implements SequenceCell.
func (l LSTMCell) Steps(c *Context, x, mask *tensor.Node, states []*tensor.Node) (y *tensor.Node, last []*tensor.Node) {
	return l.recurrent().allSteps(c, x, mask, states)
}

// Steps implements SequenceCell.
func (l GRUCell) Steps(c *Context, x, mask *tensor.Node, states []*tensor.Node) (y *tensor.Node, last []*tensor.Node) {
	return l.recurrent().allSteps(c, x, mask, states)
}

func (r recurrent) buildCell(in Shape) (CellSpec, error) {
	err := r.check(in)
	if err != nil {
		return CellSpec{}, err
	}
	return CellSpec{Output: Shape{r.units}, States: r.stateShapes(), Weights: r.weights(in[0])}, nil
}

func (r recurrent) allSteps(c *Context, x, mask *tensor.Node, states []*tensor.Node) (y *tensor.Node, last []*tensor.Node) {
	return r.run(c, r.dropped(c, x), mask, states, false)
}

func (r recurrent) oneStep(c *Context, x *tensor.Node, states []*tensor.Node) (y *tensor.Node, next []*tensor.Node) {
	if c.Training && (r.dropout > 0 || r.recurrentDropout > 0) {
		panic(errors.New("a cell's Dropout and RecurrentDropout leave out the same in all steps, which one step by itself cannot know: use layers.RNN, with the cell or with StackedRNNCells, or no dropout"))
	}
	cell := r.loopCell(c, x)
	z := graph.MatMul(x, cell.w)
	if cell.bx != nil {
		z = graph.Add(z, graph.InsertAxes(cell.bx, 0))
	}
	next = r.step(cell, z, states)
	return next[0], next
}
