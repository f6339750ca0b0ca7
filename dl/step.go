package dl

import (
	"github.com/gradbook/gradbook/dl/internal/train"
	"github.com/gradbook/gradbook/dl/losses"
)

// Step is what happens to a batch in training and evaluation, as a graph. A program
// that sets CompileConfig.Step writes its own:
//
//	Step: func(s *dl.Step) {
//		output := s.Forward(s.X...)[0]
//		loss := ops.Mean(ops.Absolute(ops.Subtract(output, s.Y[0])))
//		s.Report("mae", loss)
//		s.Minimize(loss)
//	},
//
// Source: https://keras.io/guides/custom_train_step_in_tensorflow/
type Step struct {
	// X are the inputs, Y the labels, W the weights of examples, nil if there are
	// none. Their first axis is the batch.
	X, Y []*Node
	W    *Node
	// Training is false in evaluation, where weights do not change.
	Training bool

	s *train.Step
}

// Forward runs the model. It may be called more than once; what layers learn of the
// batch beside their weights, such as running means, is that of the last.
func (s *Step) Forward(x ...*Node) []*Node { return s.s.Forward(x...) }

// Loss is the mean of a loss over the batch.
func (s *Step) Loss(l losses.Loss, labels, output *Node) *Node { return s.s.Loss(l, labels, output) }

// Penalties is what regularizers and layers add to the loss; nil if they add nothing.
func (s *Step) Penalties() *Node { return s.s.Penalties() }

// Minimize sets the scalar whose gradient the optimizer follows, and which logs call
// "loss".
func (s *Step) Minimize(loss *Node) { s.s.Minimize(loss) }

// Weights are the weights that are trained, in the order of the model's.
func (s *Step) Weights() []*Node { return s.s.Weights() }

// SetGradients sets the gradients that the optimizer follows, one for each of
// Weights, where they are not those of the loss.
func (s *Step) SetGradients(gradients []*Node) { s.s.SetGradients(gradients) }

// Report logs a scalar of each batch by a name, as a mean over the examples.
func (s *Step) Report(name string, value *Node) { s.s.Report(name, value) }
