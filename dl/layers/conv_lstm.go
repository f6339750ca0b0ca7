package layers

import (
	"github.com/gradbook/gradbook/dl/activations"
	"github.com/gradbook/gradbook/dl/constraints"
	"github.com/gradbook/gradbook/dl/initializers"
	"github.com/gradbook/gradbook/dl/internal/config"
	"github.com/gradbook/gradbook/dl/regularizers"
	"github.com/gradbook/gradbook/dl/tensor"
)

func init() { config.Register(ConvLSTM1D{}, ConvLSTM2D{}, ConvLSTM3D{}) }

// ConvLSTM2D is an LSTM over sequences of images, whose products are convolutions: W slides
// over the image of a step, U over the state, with as much padding as keeps its size.
//
//	i, f, o = g(W * x_t + U * h_(t−1) + b) of each, c̃ = act(W * x_t + U * h_(t−1) + b)
//	c_t = f c_(t−1) + i c̃,  h_t = o act(c_t)
//
// Input shape: (None, steps, height, width, channels); initial states h and c may follow as
// further inputs. Output shape: (None, height', width', Filters), or (None, steps, height',
// width', Filters) with ReturnSequences; with ReturnState the last h and c are further outputs.
// Each step is a part of the program, which takes the longer to compile the more there are.
//
// Source: Shi et al., 2015 (arXiv:1506.04214);
// https://keras.io/api/layers/recurrent_layers/conv_lstm2d/
type ConvLSTM2D struct {
	// Filters is the number of channels of h and c.
	Filters int
	// KernelSize is the window's, of W and U. Strides and DilationRate are W's; 0 means 1.
	KernelSize, Strides, DilationRate [2]int
	// Padding is W's: Valid unless set.
	Padding Padding
	// Activation is act; nil is Tanh. RecurrentActivation is g; nil is Sigmoid.
	Activation, RecurrentActivation activations.Activation
	// NoBias leaves b out.
	NoBias bool `keras:"use_bias,not"`
	// NoUnitForgetBias starts the bias of f with 0 rather than 1.
	NoUnitForgetBias bool `keras:"unit_forget_bias,not"`
	// KernelInitializer starts W, of shape [window, channels, 4·Filters], for i, f, c̃ and o; nil
	// is GlorotUniform. RecurrentInitializer starts U, of shape [window, Filters, 4·Filters]; nil
	// is Orthogonal. BiasInitializer starts b; nil is Zeros.
	KernelInitializer, RecurrentInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint                         constraints.Constraint
	// Dropout drops parts of x, RecurrentDropout of h, the same in all steps.
	Dropout, RecurrentDropout float64
	// ReturnSequences returns the output of every step, ReturnState the states too.
	ReturnSequences, ReturnState bool
	// GoBackwards reads from the end, and returns sequences in that order.
	GoBackwards bool
	// Stateful carries the states on to the next batch, until ResetState. It needs a fixed
	// BatchSize in the model's Input.
	Stateful bool
	Name     string
}

// Build implements Layer.
func (l ConvLSTM2D) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l ConvLSTM2D) BuildAll(in []Shape) (Spec, error) { return l.cell().build(in) }

// Call implements Layer.
func (l ConvLSTM2D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l ConvLSTM2D) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	return l.cell().call(c, in)
}

// KerasPath implements KerasPather.
func (ConvLSTM2D) KerasPath(string) string { return "/cell" }

func (l ConvLSTM2D) cell() convLSTM {
	return convLSTM{
		conv: conv{
			l.Filters, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding, 1,
			nil, l.NoBias, l.KernelInitializer, l.BiasInitializer,
			regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
		},
		act: orActivation(l.Activation, activations.Tanh), gate: orActivation(l.RecurrentActivation, activations.Sigmoid),
		recurrent:        Weight{Initializer: l.RecurrentInitializer, Regularizer: l.RecurrentRegularizer, Constraint: l.RecurrentConstraint},
		noUnitForgetBias: l.NoUnitForgetBias, dropout: l.Dropout, recurrentDropout: l.RecurrentDropout,
		carrying: carrying{l.ReturnSequences, l.ReturnState, l.GoBackwards, l.Stateful},
	}
}

// ConvLSTM1D is ConvLSTM2D for sequences of rows: (None, steps, width, channels).
//
// Source: https://keras.io/api/layers/recurrent_layers/conv_lstm1d/
type ConvLSTM1D struct {
	Filters                                                                       int
	KernelSize, Strides, DilationRate                                             int
	Padding                                                                       Padding
	Activation, RecurrentActivation                                               activations.Activation
	NoBias                                                                        bool `keras:"use_bias,not"`
	NoUnitForgetBias                                                              bool `keras:"unit_forget_bias,not"`
	KernelInitializer, RecurrentInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint                         constraints.Constraint
	Dropout, RecurrentDropout                                                     float64
	ReturnSequences, ReturnState                                                  bool
	GoBackwards, Stateful                                                         bool
	Name                                                                          string
}

// Build implements Layer.
func (l ConvLSTM1D) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l ConvLSTM1D) BuildAll(in []Shape) (Spec, error) { return l.cell().build(in) }

// Call implements Layer.
func (l ConvLSTM1D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l ConvLSTM1D) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	return l.cell().call(c, in)
}

// KerasPath implements KerasPather.
func (ConvLSTM1D) KerasPath(string) string { return "/cell" }

func (l ConvLSTM1D) cell() convLSTM {
	return convLSTM{
		conv: conv{
			l.Filters,
			[]int{l.KernelSize},
			[]int{l.Strides},
			[]int{l.DilationRate},
			l.Padding, 1,
			nil, l.NoBias, l.KernelInitializer, l.BiasInitializer,
			regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
		},
		act: orActivation(l.Activation, activations.Tanh), gate: orActivation(l.RecurrentActivation, activations.Sigmoid),
		recurrent:        Weight{Initializer: l.RecurrentInitializer, Regularizer: l.RecurrentRegularizer, Constraint: l.RecurrentConstraint},
		noUnitForgetBias: l.NoUnitForgetBias, dropout: l.Dropout, recurrentDropout: l.RecurrentDropout,
		carrying: carrying{l.ReturnSequences, l.ReturnState, l.GoBackwards, l.Stateful},
	}
}

// ConvLSTM3D is ConvLSTM2D for sequences of volumes: (None, steps, depth, height, width, channels).
//
// Source: https://keras.io/api/layers/recurrent_layers/conv_lstm3d/
type ConvLSTM3D struct {
	Filters                                                                       int
	KernelSize, Strides, DilationRate                                             [3]int
	Padding                                                                       Padding
	Activation, RecurrentActivation                                               activations.Activation
	NoBias                                                                        bool `keras:"use_bias,not"`
	NoUnitForgetBias                                                              bool `keras:"unit_forget_bias,not"`
	KernelInitializer, RecurrentInitializer, BiasInitializer                      initializers.Initializer
	KernelRegularizer, RecurrentRegularizer, BiasRegularizer, ActivityRegularizer regularizers.Regularizer
	KernelConstraint, RecurrentConstraint, BiasConstraint                         constraints.Constraint
	Dropout, RecurrentDropout                                                     float64
	ReturnSequences, ReturnState                                                  bool
	GoBackwards, Stateful                                                         bool
	Name                                                                          string
}

// Build implements Layer.
func (l ConvLSTM3D) Build(in Shape) (Spec, error) { return l.BuildAll([]Shape{in}) }

// BuildAll implements Multi.
func (l ConvLSTM3D) BuildAll(in []Shape) (Spec, error) { return l.cell().build(in) }

// Call implements Layer.
func (l ConvLSTM3D) Call(c *Context, x *tensor.Node) *tensor.Node {
	return l.CallAll(c, []*tensor.Node{x})[0]
}

// CallAll implements Multi.
func (l ConvLSTM3D) CallAll(c *Context, in []*tensor.Node) []*tensor.Node {
	return l.cell().call(c, in)
}

// KerasPath implements KerasPather.
func (ConvLSTM3D) KerasPath(string) string { return "/cell" }

func (l ConvLSTM3D) cell() convLSTM {
	return convLSTM{
		conv: conv{
			l.Filters, l.KernelSize[:], l.Strides[:], l.DilationRate[:], l.Padding, 1,
			nil, l.NoBias, l.KernelInitializer, l.BiasInitializer,
			regularization{l.KernelRegularizer, l.BiasRegularizer, l.ActivityRegularizer, l.KernelConstraint, l.BiasConstraint},
		},
		act: orActivation(l.Activation, activations.Tanh), gate: orActivation(l.RecurrentActivation, activations.Sigmoid),
		recurrent:        Weight{Initializer: l.RecurrentInitializer, Regularizer: l.RecurrentRegularizer, Constraint: l.RecurrentConstraint},
		noUnitForgetBias: l.NoUnitForgetBias, dropout: l.Dropout, recurrentDropout: l.RecurrentDropout,
		carrying: carrying{l.ReturnSequences, l.ReturnState, l.GoBackwards, l.Stateful},
	}
}

func (ConvLSTM1D) space() int { return 1 }
func (ConvLSTM2D) space() int { return 2 }
func (ConvLSTM3D) space() int { return 3 }
