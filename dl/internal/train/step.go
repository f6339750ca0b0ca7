package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/gradbook/gradbook/dl/internal/device"
	"github.com/gradbook/gradbook/dl/internal/engine"
	"github.com/gradbook/gradbook/dl/internal/network"
	"github.com/gradbook/gradbook/dl/internal/source"
	"github.com/gradbook/gradbook/dl/losses"
)

// Step is what happens to a batch in training and evaluation, as a graph. A program
// that sets CompileConfig.Step writes its own:
//
//	Step: func(s *dl.Step) {
//		output := s.Forward(s.X...)[0]
//		loss := graph.ReduceAllMean(graph.Abs(graph.Sub(output, s.Y[0])))
//		s.Report("mae", loss)
//		s.Minimize(loss)
//	},
//
// Source: https://keras.io/guides/custom_train_step_in_tensorflow/
type Step struct {
	// X are the inputs, Y the labels, W the weights of examples, nil if there are
	// none. Their first axis is the batch.
	X, Y []*graph.Node
	W    *graph.Node
	// Training is false in evaluation, where weights do not change.
	Training bool

	model    *Model
	updater  *updater
	random   *graph.Node
	flow     *network.Flow
	loss     *graph.Node
	sums     *graph.Node
	reported []measure
	values   []*graph.Node
}

// run builds the step.
func (s *Step) run() {
	m := s.model
	if own := m.compiled.Step; own != nil {
		own(s)
		if s.loss == nil {
			panic(fmt.Errorf("expected a Step that calls Minimize, got one that does not"))
		}
		s.report("loss", s.loss)
		s.sums = graph.Concatenate(s.values, 0)
		return
	}
	if s.updater.private != nil {
		s.runPrivate(s.updater.private)
		return
	}
	s.Forward(s.X...)
	s.loss, s.sums = m.Measure(s.flow, s.Y, s.W)
}

// Forward runs the model. It may be called more than once; what layers learn of the
// batch beside their weights, such as running means, is that of the last.
func (s *Step) Forward(x ...*graph.Node) []*graph.Node {
	random := s.random
	if s.flow != nil {
		random = s.flow.Pass.Random
	}
	s.flow = s.model.Forward(s.updater.weights, x, random, s.Training)
	out := s.flow.Outputs(s.model.Network)
	for i := range out {
		out[i] = graph.ConvertDType(out[i], dtypes.Float32)
	}
	return out
}

// Loss is the mean of a loss over the batch.
func (s *Step) Loss(l losses.Loss, labels, output *graph.Node) *graph.Node {
	return meanLoss(l.Compute(labels, output), s.W, nil)
}

// Penalties is what regularizers and layers add to the loss; nil if they add nothing.
func (s *Step) Penalties() *graph.Node {
	return s.model.penalty(s.flow)
}

// Minimize sets the scalar whose gradient the optimizer follows, and which logs call
// "loss".
func (s *Step) Minimize(loss *graph.Node) { s.loss = loss }

// Weights are the weights that are trained, in the order of the model's.
func (s *Step) Weights() []*graph.Node { return s.updater.trained() }

// SetGradients sets the gradients that the optimizer follows, one for each of
// Weights, where they are not those of the loss.
func (s *Step) SetGradients(gradients []*graph.Node) {
	if want := len(s.Weights()); len(gradients) != want {
		panic(fmt.Errorf("expected %d gradients, one for each weight that is trained, got %d", want, len(gradients)))
	}
	s.updater.gradients = gradients
}

// Report logs a scalar of each batch by a name, as a mean over the examples.
func (s *Step) Report(name string, value *graph.Node) {
	if name == "loss" {
		panic(fmt.Errorf("expected a name other than loss to Report, which Minimize reports"))
	}
	s.report(name, value)
}

func (s *Step) report(name string, value *graph.Node) {
	s.reported = append(s.reported, meanOf(name))
	s.values = append(s.values, ofBatch(graph.ConvertDType(value, dtypes.Float32), s.X[0].Shape().Dimensions[0]))
}

// layStep finds out what a Step reports, by building it once without compiling it.
func (m *Model) layStep(d *device.Device, s *source.Source) error {
	r, err := s.Read(d, 1)
	if err != nil {
		return err
	}
	defer r.Close()
	read := r.Params(1)
	params := slices.Clone(read)
	for _, w := range m.Weights {
		params = append(params, engine.Param{Name: w.Name, Shape: w.Stored()})
	}
	params = append(params, engine.Param{Name: "random", Shape: graph.RNGStateShape})
	var step *Step
	build := func(in []*graph.Node) []*graph.Node {
		batch, _ := s.ReadBatch(in[:len(read)], 1)
		u := &updater{model: m, weights: in[len(read) : len(in)-1]}
		step = &Step{X: batch.X, Y: batch.Y, W: batch.W, Training: true, model: m, updater: u, random: in[len(in)-1]}
		step.run()
		if step.flow == nil {
			panic(fmt.Errorf("expected a Step that calls Forward, got one that does not"))
		}
		return in
	}
	err = m.Lock.Released(func() error {
		_, err := engine.Shapes(d, params, build)
		return err
	})
	if err != nil {
		return fmt.Errorf("Step: %w", err)
	}
	m.compiled.measures, m.compiled.labels = step.reported, "step"
	return nil
}
